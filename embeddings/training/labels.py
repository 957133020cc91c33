"""Reading a labels file: which movie has which genres."""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embeddings.errors import LabelsError
from embeddings.genres import GenreVocabulary

POSTER_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_UNLABELLED = {"", "n/a", "na", "nan", "none", "null", "\\n"}


@dataclass(frozen=True)
class Labels:
    """Movies and what a labels file says about them, one entry per movie.

    Args:
        movie_ids: n distinct ids, in the order of their first appearance.
        genres: Genre names of each movie, sorted; empty where unlabelled.
        titles: Title of each movie, "" where unknown.
        years: Year of each movie, None where unknown.
        ratings: Mean rating of each movie, None where unknown.
        n_repeated: Rows that were merged into an earlier row of the same id.
    """

    movie_ids: tuple[str, ...]
    genres: tuple[tuple[str, ...], ...]
    titles: tuple[str, ...]
    years: tuple[int | None, ...]
    ratings: tuple[float | None, ...]
    n_repeated: int = 0

    def __len__(self) -> int:
        return len(self.movie_ids)

    def select(self, movie_ids: Iterable[str]) -> Labels:
        """Keep these movies, in the order given.

        Raises:
            KeyError: A movie is not in the labels.
        """
        row_of = {movie_id: row for row, movie_id in enumerate(self.movie_ids)}
        rows = [row_of[movie_id] for movie_id in movie_ids]
        return Labels(
            tuple(self.movie_ids[row] for row in rows),
            tuple(self.genres[row] for row in rows),
            tuple(self.titles[row] for row in rows),
            tuple(self.years[row] for row in rows),
            tuple(self.ratings[row] for row in rows),
        )

    def labelled(self) -> Labels:
        """Keep the movies that have at least one genre."""
        return self.select(i for i, names in zip(self.movie_ids, self.genres, strict=True) if names)

    def support(self) -> Counter[str]:
        """Number of movies of each genre."""
        return Counter(name for names in self.genres for name in names)

    def vocabulary(self, min_support: int = 1) -> GenreVocabulary:
        """Genres that at least ``min_support`` movies have, in alphabetic order."""
        support = self.support()
        return GenreVocabulary(tuple(sorted(name for name, n in support.items() if n >= min_support)))

    def targets(self, vocabulary: GenreVocabulary) -> NDArray[np.float32]:
        """Rows of zeros and ones, float32, shape (len(self), len(vocabulary))."""
        return vocabulary.multi_hot(self.genres)


def read_labels(path: Path) -> Labels:
    """Read a labels file with columns ``Id`` and ``Genre``.

    ``Genre`` may be ``['Comedy', 'Drama']``, ``Comedy|Drama`` or ``Comedy,
    Drama``; ``N/A`` or nothing means unlabelled. Rows of one id are merged:
    their genres are united and the first known title, year and rating count.
    Of spellings that differ in capitals alone ("Sci-Fi", "Sci-fi") the most frequent counts.
    ``title``, ``year`` and ``rating`` are read where present, every other
    column (one-hot columns included) is ignored.

    Raises:
        LabelsError: The file is missing, is not CSV text, lacks a column, or a row
            cannot be understood; the message names file and row.
    """
    frame = _read_columns(Path(path))
    merged: dict[str, tuple[set[str], list[str]]] = {}
    for line, values in enumerate(frame.itertuples(index=False), start=2):
        movie_id, genre, *facts = (str(value).strip() for value in values)
        if not movie_id:
            raise LabelsError(f"{path}, row {line}: the Id is empty; every row needs the id of its movie.")
        names, known = merged.setdefault(movie_id, (set(), ["", "", ""]))
        names.update(_parse_genres(genre, f"{path}, row {line}"))
        known[:] = [old or _known(new) for old, new in zip(known, facts, strict=True)]
    facts_of = [known for _, known in merged.values()]
    spelling = _spellings(Counter(name for names, _ in merged.values() for name in names))
    return Labels(
        movie_ids=tuple(merged),
        genres=tuple(tuple(sorted({spelling[name] for name in names})) for names, _ in merged.values()),
        titles=tuple(title for title, _, _ in facts_of),
        years=tuple(_whole(_number(year)) for _, year, _ in facts_of),
        ratings=tuple(_number(rating) for _, _, rating in facts_of),
        n_repeated=len(frame) - len(merged),
    )


def find_posters(posters_dir: Path, movie_ids: Sequence[str]) -> dict[str, Path]:
    """Find ``<Id>.(jpg|jpeg|png|webp)`` of each movie; movies without a file are left out.

    Raises:
        LabelsError: ``posters_dir`` is not a folder.
    """
    if not posters_dir.is_dir():
        raise LabelsError(f"{posters_dir} is not a folder; give the folder that holds <Id>.jpg posters.")
    files: dict[str, Path] = {}
    for path in posters_dir.iterdir():
        rank = _suffix_rank(path)
        if rank is not None and (path.stem not in files or rank < (_suffix_rank(files[path.stem]) or 0)):
            files[path.stem] = path
    return {movie_id: files[movie_id] for movie_id in movie_ids if movie_id in files}


def find_labelled_posters(labels: Labels, posters_dir: Path) -> dict[str, Path]:
    """Find the posters of the movies that have genres.

    Raises:
        LabelsError: ``posters_dir`` is not a folder, or no movie has both genres and a poster.
    """
    posters = find_posters(posters_dir, labels.labelled().movie_ids)
    if not posters:
        raise LabelsError(
            f"none of the {len(labels)} movies has both genres and a poster in {posters_dir}; "
            "posters are named <Id>.jpg, .jpeg, .png or .webp."
        )
    return posters


def _suffix_rank(path: Path) -> int | None:
    suffix = path.suffix.lower()
    return POSTER_SUFFIXES.index(suffix) if suffix in POSTER_SUFFIXES else None


def _read_columns(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise LabelsError(f"No labels file at {path}; give a CSV file with columns Id and Genre.") from error
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        raise LabelsError(f"{path} cannot be read as UTF-8 CSV ({error}); save it as CSV text.") from error
    missing = [name for name in ("Id", "Genre") if name not in frame.columns]
    if missing:
        raise LabelsError(
            f"{path} has no column {' and '.join(missing)}, only {', '.join(map(str, frame.columns[:8]))}; "
            "a labels file needs the columns Id and Genre."
        )
    _refuse_other_rows(frame, path)
    for name in ("title", "year", "rating"):
        if name not in frame.columns:
            frame[name] = ""
    return frame[["Id", "Genre", "title", "year", "rating"]]


def _refuse_other_rows(frame: pd.DataFrame, path: Path) -> None:
    """Refuse what pandas reads without complaint as other rows than the file's author meant."""
    if not isinstance(frame.index, pd.RangeIndex):
        raise LabelsError(
            f"{path} has rows of more fields than its {frame.shape[1]} columns; put genres that commas part "
            'in quotes: "Comedy, Drama".'
        )
    place = list(frame.columns).index("Id")
    for name in frame.columns:
        for row in np.flatnonzero(frame[name].str.contains("\n", regex=False, na=False)):
            inner = str(frame[name].iloc[row]).splitlines()[1:]
            shape = _shape(str(frame["Id"].iloc[row]))
            # A description may have several lines; lines with an Id like the row's own are rows it swallowed.
            if name in ("Id", "Genre") or any(
                line.count(",") >= place and _shape(line.split(",")[place]) == shape for line in inner
            ):
                raise LabelsError(
                    f"{path}, row {row + 2}: the {name} goes over {len(inner) + 1} lines; close its quote, "
                    "or take the line breaks out."
                )


def _shape(movie_id: str) -> str:
    """What ids of one kind have in common: all but their numbers."""
    return re.sub(r"\d+", "0", movie_id.strip())


def _parse_genres(text: str, where: str) -> list[str]:
    if text.startswith("["):
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise LabelsError(
                f"{where}: the Genre {text[:60]!r} is not a list such as ['Comedy', 'Drama']."
            ) from error
        names = [str(name) for name in found]
    else:
        names = text.replace("|", ",").split(",")
    return [name.strip() for name in names if _known(name.strip())]


def _spellings(counts: Counter[str]) -> dict[str, str]:
    """Each spelling of a genre, and the one that stands for all that differ from it in capitals alone."""
    chosen: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        chosen.setdefault(name.casefold(), name)
    return {name: chosen[name.casefold()] for name in counts}


def _known(text: str) -> str:
    return "" if text.casefold() in _UNLABELLED else text


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
