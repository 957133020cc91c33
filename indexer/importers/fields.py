"""Single fields of foreign tables: genres, years, ids, whatever form they come in."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from indexer.titles import YEARS, clean_text

_NOTHING = frozenset(("", "n/a", "na", "nan", "none", "null", "\\n", "(no genres listed)"))
_MAX_LITERAL = 10_000  # characters of a list or object written as Python or JSON text
_TT = re.compile(r"(?:tt)?(\d{1,10})(?:\.0)?")
_YEAR = re.compile(r"(\d{4})(?:\.0)?(?:[-/–].*)?")

# Other services' names for the genres that IMDb has; None is no genre at all.
_IMDB_NAMES: dict[str, str | None] = {
    "science fiction": "Sci-Fi",
    "sci fi": "Sci-Fi",
    "scifi": "Sci-Fi",
    "science-fiction": "Sci-Fi",
    "children": "Family",
    "children's": "Family",
    "kids": "Family",
    "imax": None,
    "tv movie": None,
    "foreign": None,
}


def is_nothing(text: str) -> bool:
    """Whether a field says that nothing is known: empty, ``N/A``, ``\\N``, ``nan``..."""
    return text.strip().casefold() in _NOTHING


def parse_genres(text: str) -> tuple[str, ...]:
    """Genres from ``A|B``, ``A, B``, ``['A', 'B']`` or ``[{"name": "A"}, ...]``, sorted.

    Example:
        >>> parse_genres("['Drama', 'Comedy']"), parse_genres("Comedy|Drama"), parse_genres("N/A")
        (('Comedy', 'Drama'), ('Comedy', 'Drama'), ())

    Raises:
        ValueError: A bracketed list cannot be read.
    """
    text = text.strip()
    if text.startswith("["):
        return genre_names(_read_literal(text, "the list of genres"))
    return genre_names(re.split(r"[|,;]", text))


def genre_names(items: object) -> tuple[str, ...]:
    """Names from a list of strings or of ``{"name": ...}``; what says nothing is left out.

    Raises:
        ValueError: It is not such a list.
    """
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"genres are {type(items).__name__}, expected a list")
    names: list[str] = []
    for one in items:
        name = one.get("name") if isinstance(one, dict) else one
        if not isinstance(name, str):
            raise ValueError("a genre is not text")
        names.append(name)
    return tuple(sorted({clean_text(name) for name in names if not is_nothing(name)} - {""}))


def parse_collection(value: object) -> str | None:
    """The name of a collection, from ``{"name": ...}``, such an object written as text, or the name itself.

    Example:
        >>> parse_collection("{'id': 10194, 'name': 'Toy Story Collection'}")
        'Toy Story Collection'

    Raises:
        ValueError: It is something else.
    """
    if isinstance(value, str) and value.strip().startswith("{"):
        value = _read_literal(value.strip(), "the collection")
    if isinstance(value, dict):
        value = value.get("name")
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"the collection is {type(value).__name__}, expected its name")
    return None if is_nothing(value) else clean_text(value) or None


def _read_literal(text: str, what: str) -> Any:
    """What JSON or Python text says; ``what`` it should be is named where it says nothing."""
    if len(text) > _MAX_LITERAL:
        raise ValueError(f"{what} has {len(text)} characters, at most {_MAX_LITERAL} are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # the public poster CSV writes Python lists
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"{what} {text[:40]!r} cannot be read") from error


def as_imdb(genres: tuple[str, ...]) -> tuple[str, ...]:
    """Another service's genres under the names that IMDb uses.

    Example:
        >>> as_imdb(("Children", "IMAX", "Science Fiction"))
        ('Family', 'Sci-Fi')
    """
    renamed = (_IMDB_NAMES.get(genre.casefold(), genre) for genre in genres)
    return tuple(sorted({genre for genre in renamed if genre}))


def parse_year(text: str) -> int | None:
    """A year from ``1999``, ``1999.0``, ``1999-03-31``; None where nothing is said.

    Raises:
        ValueError: It is not the year of a film.
    """
    if is_nothing(text):
        return None
    found = _YEAR.fullmatch(text.strip())
    if not found or int(found.group(1)) not in YEARS:
        raise ValueError(f"{text.strip()[:20]!r} is not a year from {YEARS[0]} to {YEARS[-1]}")
    return int(found.group(1))


def parse_imdb_id(text: str) -> str | None:
    """An IMDb id as ``tt`` and at least seven digits; None where it is not one.

    Example:
        >>> parse_imdb_id("114709"), parse_imdb_id("tt0114709"), parse_imdb_id("")
        ('tt0114709', 'tt0114709', None)
    """
    found = _TT.fullmatch(text.strip())
    return f"tt{int(found.group(1)):07d}" if found and int(found.group(1)) else None


def parse_number_id(text: str) -> str | None:
    """A TMDB or MovieLens number, from ``862`` or ``862.0``; None where it is not one."""
    found = re.fullmatch(r"(\d{1,10})(?:\.0)?", text.strip())
    return str(int(found.group(1))) if found and int(found.group(1)) else None
