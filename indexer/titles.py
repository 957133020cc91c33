"""Text of titles and ids: cleaned, compared and sorted without case, accents and articles."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ARTICLES = frozenset(
    (
        *("the", "a", "an", "le", "la", "les", "l", "un", "une", "der", "die", "das", "ein", "eine"),
        *("el", "los", "las", "il", "lo", "gli", "i"),
    )
)
_LEADING_ONLY = frozenset(["the", "a", "an"])
_NOT_WORD = re.compile(r"[^\w]+|_")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_MOVIE_ID = re.compile(r"\w[\w.:~-]{0,127}")
_TRAILING_YEAR = re.compile(r"\s*[(\[](\d{4})(?:[-–]\d{0,4})?[)\]]\s*$")
_TRAILING_ARTICLE = re.compile(r"^(.*),\s+(\w+|L')(\s*\(.*\))?$", re.DOTALL)
_COLLECTION_AT_END = re.compile(r"(?<=.) collection$")
YEARS = range(1870, 2101)
"""Years that a film can be from; others are taken for a mistake."""
MAX_COLLECTION = 200
"""Letters that are kept of a collection's name, and of its key, where one may have become eighteen: an
index takes no more than some 2,700 bytes."""


def clean_text(text: str) -> str:
    """Text fit for every database: composed, without control characters, spaces trimmed and single.

    Example:
        >>> clean_text("  Amélie\\x00 \\n Poulain ")
        'Amélie Poulain'
    """
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


def is_movie_id(text: str) -> bool:
    """Whether ``text`` can name a movie: word characters and ``.:~-``, at most 128, no path in it.

    Example:
        >>> is_movie_id("tt0133093"), is_movie_id("../secret")
        (True, False)
    """
    return _MOVIE_ID.fullmatch(text) is not None


def search_key(title: str) -> str:
    """A title as it is searched and sorted: no case, accents or punctuation, its article last.

    Example:
        >>> search_key("The Amélie: Part_2")
        'amelie part 2  the'
    """
    body, article = split_article(title)
    # Two spaces sort before one: The Matrix comes before The Matrix Reloaded.
    return f"{body}  {article}" if article else body


def search_keys(title: str) -> list[str]:
    """The keys of all titles that differ from this one by their English article alone."""
    body, _ = split_article(title)
    return [body, *(f"{body}  {article}" for article in sorted(_LEADING_ONLY))]


@lru_cache(maxsize=4096)
def collection_key(name: str) -> str:
    """What collections that are one agree on, however a source writes their name; never empty.

    Case, accents, punctuation, an English article in front and the word "Collection" at the end do not count.

    Example:
        >>> collection_key("Star Wars Collection"), collection_key("STAR WARS (collection)")
        ('star wars', 'star wars')
    """
    body, _ = split_article(name)
    return (_COLLECTION_AT_END.sub("", body) or name.casefold())[:MAX_COLLECTION]


def split_article(title: str) -> tuple[str, str]:
    """The words of a title, plain, and the English article that it starts with, or ''."""
    plain = unicodedata.normalize("NFKD", front_article(title)).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = _NOT_WORD.sub(" ", plain.replace("'", "").replace("’", "")).split()
    if len(words) > 1 and words[0] in _LEADING_ONLY:
        return " ".join(words[1:]), words[0]
    return " ".join(words), ""


def split_year(title: str) -> tuple[str, int | None]:
    """A title and the year in brackets behind it, the article back in front.

    Example:
        >>> split_year("Matrix, The (1999)")
        ('The Matrix', 1999)
    """
    found = _TRAILING_YEAR.search(title)
    year = int(found.group(1)) if found else None
    name = title[: found.start()] if found else title
    return front_article(clean_text(name)), year if year in YEARS else None


def front_article(title: str) -> str:
    """Put an article that was moved behind a comma back in front: ``Matrix, The`` is The Matrix."""
    found = _TRAILING_ARTICLE.match(title)
    if not found or found.group(2).casefold().rstrip("'") not in _ARTICLES:
        return title
    gap = "" if found.group(2).endswith("'") else " "
    return f"{found.group(2)}{gap}{found.group(1)}{found.group(3) or ''}"


def slug(title: str, year: int | None) -> str:
    """A movie id made of a title and a year, for movies that bring none.

    Example:
        >>> slug("The Matrix", 1999)
        'the-matrix-1999'
    """
    body, article = split_article(title)
    words = [article, *body.split()] if article else body.split()
    if year is not None:
        words.append(str(year))
    return "-".join(words)[:128].rstrip("-")
