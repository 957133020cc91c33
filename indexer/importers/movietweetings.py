"""MovieTweetings: ratings from 0 to 10 that people tweeted, by IMDb number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from embeddings.errors import LabelsError
from indexer.catalog import MovieFacts
from indexer.importers.base import Importer
from indexer.importers.fields import as_imdb, parse_genres, parse_imdb_id
from indexer.importers.report import Batch, FailedRow
from indexer.importers.tables import bounded_lines, open_text
from indexer.titles import split_year
from indexer.types import Ratings

_CHUNK = 200_000  # lines in memory at a time


class MovieTweetingsImporter(Importer):
    """A directory with ``ratings.dat`` (``user::imdb::rating::time``) and ``movies.dat``.

    Ratings are halved to the scale of 0.5 to 5. People are called
    ``movietweetings:<user>``: other sources have people with the same numbers.
    """

    format = "movietweetings"

    def recognises(self, source: Path) -> bool:
        return (source / "ratings.dat").is_file() or (source / "movies.dat").is_file()

    def read(self, source: Path) -> Iterator[Batch]:
        if not self.recognises(source):
            raise LabelsError(f"{source} has neither ratings.dat nor movies.dat; give the folder of both.")
        for name, read in (("movies.dat", _movies), ("ratings.dat", _ratings)):
            if (source / name).is_file():
                yield from read(source / name)


def _movies(path: Path) -> Iterator[Batch]:
    for chunk in _chunks(path):
        movies: list[MovieFacts] = []
        failed: list[FailedRow] = []
        for line, fields in chunk:
            movie_id = parse_imdb_id(fields[0]) if len(fields) == 3 else None
            if movie_id is None:
                failed.append(_failed(path, line, "expected imdb::title (year)::genres"))
                continue
            title, year = split_year(fields[1])
            movies.append(MovieFacts(movie_id, title or None, year, as_imdb(parse_genres(fields[2]))))
        yield Batch(movies=movies, failed=failed)


def _ratings(path: Path) -> Iterator[Batch]:
    for chunk in _chunks(path):
        users: list[str] = []
        movies: list[str] = []
        values: list[float] = []
        times: list[int] = []
        failed: list[FailedRow] = []
        for line, fields in chunk:
            movie_id = parse_imdb_id(fields[1]) if len(fields) == 4 else None
            if movie_id is None or not all(
                one.isascii() and one.isdigit() for one in (fields[0], *fields[2:])
            ):
                failed.append(_failed(path, line, "expected user::imdb::rating::seconds since 1970"))
                continue
            value, time = int(fields[2]), int(fields[3][:15])
            if value > 10:
                failed.append(_failed(path, line, f"the rating is {value}, expected 0 to 10"))
                continue
            users.append(f"movietweetings:{fields[0][:32]}")
            movies.append(movie_id)
            values.append(max(value / 2, 0.5))
            times.append(time)
        ratings = Ratings(
            np.array(users, dtype=object),
            np.array(movies, dtype=object),
            np.array(values, dtype=np.float32),
            np.array(times, dtype=np.int64),
        )
        yield Batch(ratings=ratings, failed=failed)


def _chunks(path: Path) -> Iterator[list[tuple[int, list[str]]]]:
    with open_text(path) as file:
        lines = enumerate(bounded_lines(file, path), start=1)
        while chunk := list(islice(lines, _CHUNK)):
            yield [(number, line.rstrip("\r\n").split("::")) for number, line in chunk if line.strip()]


def _all_numbers(fields: list[str]) -> bool:
    return all(one.isascii() and one.isdigit() for one in fields)


def _failed(path: Path, line: int, error: str) -> FailedRow:
    return FailedRow(f"{path.name}, line {line}", error)
