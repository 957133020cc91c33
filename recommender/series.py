"""Which movies belong to one series, told from the collections that they are said to be of, or their titles.

A title is read as a stem, a part (a number, a roman numeral, a number word
after "Part" and the like) and a subtitle: "Star Trek II: The Wrath of Khan"
has the stem "star trek". Two titles are of one series when they agree on a
stem and at least one of them shows that it continues something. Equal titles
alone do not: most are of namesakes ("Beloved" of 1998 and 2011) and remakes.
Where the sources of both movies name a collection, titles are not asked.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.catalog import Catalog
from indexer.titles import collection_key
from indexer.types import Movie

# A bare I, X or One ends titles that continue nothing: "The King and I", "Malcolm X", "Air Force One".
_BARE_ROMAN = r"(?:i{2,3}|iv|vi{0,3}|ix|xi{1,2})"
_ROMAN = rf"(?:i|x|{_BARE_ROMAN})"
_SEQUEL_WORDS = "too|returns|reborn|reloaded|revolutions|rises|forever|begins|strikes back|resurrection"
_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|deux"
_PART_WORD = r"(?:part|episode|chapter|volume|vol\.?|book|no\.?|#)"
_NUMBER = rf"(?:\d{{1,2}}|{_ROMAN}|one|{_WORDS})"
_BARE_NUMBER = rf"(?:\d{{1,2}}|{_BARE_ROMAN}|{_WORDS})"
_SUPERSCRIPTS = str.maketrans({"²": " 2", "³": " 3", "⁴": " 4"})
_PART = re.compile(
    rf"[\s,:–-]+(?:the\s+)?{_PART_WORD}\s*{_NUMBER}\b.*$|[\s,/]+(?:{_BARE_NUMBER}|{_SEQUEL_WORDS}|\d\s?d)$"
)
_SUBTITLE = re.compile(r"\s*(?::\s+|\s[–-]\s)")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+|,\s*(?:the|a|an)$")
_YEAR_AT_END = re.compile(r"\s*\(\d{4}\)$")
_AND_THE = re.compile(r"^(.+?) and the ")
_LAST_SMALL_NUMBER = 12


@dataclass(frozen=True)
class Stems:
    """What a title says about its series.

    Args:
        whole: The whole title, folded: no case, accents or leading article.
        parts: Stems left of a part number; the title shows that it continues something.
        subtitled: Stems left of a colon or dash, or of "and the".
    """

    whole: str
    parts: frozenset[str]
    subtitled: frozenset[str]

    @functools.cached_property
    def every(self) -> frozenset[str]:
        """All of them: two titles that share none are of two series."""
        return self.parts | self.subtitled | {self.whole}


@functools.lru_cache(maxsize=50_000)
def stems(title: str) -> Stems:
    """Read the stems of one title.

    Example:
        >>> sorted(stems("Star Trek II: The Wrath of Khan").parts)
        ['star trek']
        >>> sorted(stems("Mad Max: Fury Road").subtitled)
        ['mad max']
    """
    whole = fold(title)
    subtitled = set()
    head = whole
    for separator in _SUBTITLE.finditer(whole):
        subtitled.add(_clean(whole[: separator.start()]))
    if found := _AND_THE.match(whole):
        # Kept with its "and the": "The Bachelor" is no prologue to "The Bachelor and the Bobby-Soxer".
        subtitled.add(_clean(found.group()))
    parts = set()
    for text in (head, *(whole[: m.start()] for m in _SUBTITLE.finditer(whole))):
        if (found := _PART.search(text)) and found.start() and not _is_big_number(found.group()):
            parts.add(_clean(text[: found.start()]))
    return Stems(_clean(whole), frozenset(parts - {""}), frozenset(subtitled - {""}))


def same_series(first: str, second: str) -> bool:
    """Whether two titles are told to be of one series.

    Example:
        >>> same_series("The Godfather", "The Godfather: Part II")
        True
        >>> same_series("Apollo 13", "Apollo 18")
        False
    """
    one, two = stems(first), stems(second)
    if one.every.isdisjoint(two.every):
        return False
    if one.parts & (two.parts | two.subtitled | {two.whole}):
        return True
    if two.parts & (one.subtitled | {one.whole}):
        return True
    shared = one.subtitled & two.subtitled | one.subtitled & {two.whole} | two.subtitled & {one.whole}
    return bool(shared)


def same_title(first: str, second: str) -> bool:
    """Whether two titles are equal but for case, accents, punctuation and leading article.

    Example:
        >>> same_title("Léon", "LEON")
        True
    """
    whole = stems(first).whole
    return whole != "" and whole == stems(second).whole


def same_collection(first: Movie, second: Movie) -> bool:
    """Whether both movies are said to be of one collection."""
    if first.collection is None or second.collection is None:
        return False
    return collection_key(first.collection) == collection_key(second.collection)


def of_one_series(first: Movie, second: Movie) -> bool:
    """Whether two movies are of one series.

    They are if their collections are one, and are not if they are two. Where one of the movies is
    of none, the titles tell, unless the movies differ in every genre.
    """
    if first.collection is not None and second.collection is not None:
        return same_collection(first, second)
    if not same_series(first.title, second.title):
        return False
    genres = [set(movie.genres or movie.chosen_genres) for movie in (first, second)]
    return not all(genres) or bool(genres[0] & genres[1])


def fold(title: str) -> str:
    """Lower case without accents, quotes, the year in brackets and the leading article."""
    title = _YEAR_AT_END.sub("", title.strip()).translate(_SUPERSCRIPTS)
    text = unicodedata.normalize("NFKD", title)
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    return _ARTICLE.sub("", re.sub(r"[’'!?.]+", "", text).replace("&", "and")).strip()


def _clean(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip()


def _is_big_number(part: str) -> bool:
    digits = re.search(r"\d+", part)
    return digits is not None and int(digits.group()) > _LAST_SMALL_NUMBER


def find_series(catalog: Catalog, movies: Sequence[Movie]) -> tuple[str, ...]:
    """Movies of the catalog that are of one series with any of some movies; those themselves left out."""
    own = {movie.movie_id for movie in movies}
    found: dict[str, None] = {}
    for movie in movies:
        if movie.collection is not None:
            found |= dict.fromkeys(catalog.find_by_collection(movie.collection))
        titles: dict[str, str] = {}
        # The title as it stands, too: of "C.H.U.D." the stem is "chud", and no title begins so.
        for beginning in sorted({*stems(movie.title).every, movie.title}):
            titles |= catalog.find_titles(beginning)
        near = [movie_id for movie_id, title in titles.items() if same_series(movie.title, title)]
        alike = catalog.find_movies(near).values()
        found |= dict.fromkeys(one.movie_id for one in alike if of_one_series(movie, one))
    return tuple(movie_id for movie_id in found if movie_id not in own)
