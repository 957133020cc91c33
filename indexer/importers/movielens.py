"""MovieLens: ratings and titles, joined to the catalog by IMDb id through ``links.csv``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from embeddings.errors import LabelsError
from indexer.catalog import MovieFacts
from indexer.importers.base import Importer
from indexer.importers.fields import as_imdb, parse_genres, parse_imdb_id, parse_number_id
from indexer.importers.report import Batch, FailedRow
from indexer.importers.tables import missing_columns, open_table
from indexer.titles import split_year
from indexer.types import Ratings

_CHUNK = 1_000_000  # rating rows in memory at a time
_COLUMNS = ["userId", "movieId", "rating", "timestamp"]
_SHOWN = 100  # bad rows of one chunk that are named one by one


class MovieLensImporter(Importer):
    """A directory with ``links.csv``, and ``ratings.csv`` or ``movies.csv`` or both.

    People are called ``movielens:<userId>``: other sources have people with the same numbers.
    """

    format = "movielens"

    def recognises(self, source: Path) -> bool:
        return (source / "links.csv").is_file() and any(
            (source / name).is_file() for name in ("ratings.csv", "movies.csv")
        )

    def read(self, source: Path) -> Iterator[Batch]:
        if not (source / "links.csv").is_file():
            raise LabelsError(
                f"{source} has no links.csv; MovieLens movies join the catalog by the IMDb ids in it."
            )
        links, batch = _read_links(source / "links.csv")
        yield batch
        if (source / "movies.csv").is_file():
            yield _read_movies(source / "movies.csv", links)
        if (source / "ratings.csv").is_file():
            yield from _read_ratings(source / "ratings.csv", links)


def _read_links(path: Path) -> tuple[dict[str, str], Batch]:
    links: dict[str, str] = {}
    external: list[tuple[str, str, str]] = []
    failed: list[FailedRow] = []
    with open_table(path) as table:
        movie, imdb, tmdb = (table.column(name) for name in ("movieId", "imdbId", "tmdbId"))
        if movie is None or imdb is None:
            raise missing_columns(path, table.columns, "movieId and imdbId")
        for line, fields in table.rows:
            if isinstance(fields, str):
                failed.append(FailedRow(f"{path.name}, line {line}", fields))
                continue
            number, movie_id = parse_number_id(fields[movie]), parse_imdb_id(fields[imdb])
            if number is None or movie_id is None:
                error = f"movieId {fields[movie]!r} has imdbId {fields[imdb]!r}; expected two numbers"
                failed.append(FailedRow(f"{path.name}, line {line}", error))
                continue
            links[number] = movie_id
            external += [("movielens", number, movie_id), ("imdb", movie_id, movie_id)]
            if tmdb is not None and (found := parse_number_id(fields[tmdb])):
                external.append(("tmdb", found, movie_id))
    return links, Batch(external_ids=external, failed=failed)


def _read_movies(path: Path, links: dict[str, str]) -> Batch:
    movies: list[MovieFacts] = []
    failed: list[FailedRow] = []
    with open_table(path) as table:
        number, name, genre = (table.column(one) for one in ("movieId", "title", "genres"))
        if number is None or name is None:
            raise missing_columns(path, table.columns, "movieId, title and genres")
        for line, fields in table.rows:
            where = f"{path.name}, line {line}"
            if isinstance(fields, str):
                failed.append(FailedRow(where, fields))
                continue
            movie_id = links.get(parse_number_id(fields[number]) or "")
            if movie_id is None:
                error = f"movieId {fields[number][:20]!r} is not in links.csv"
                failed.append(FailedRow(where, error))
                continue
            title, year = split_year(fields[name])
            genres = as_imdb(parse_genres(fields[genre])) if genre is not None else ()
            movies.append(MovieFacts(movie_id, title or None, year, genres))
    return Batch(movies=movies, failed=failed)


def _read_ratings(path: Path, links: dict[str, str]) -> Iterator[Batch]:
    unlinked: Counter[str] = Counter()
    try:
        # Numbers are left to the parser, a chunk as a whole: of its parts, it might take one for text.
        chunks = pd.read_csv(
            path,
            dtype={"userId": str, "movieId": str},
            keep_default_na=False,
            chunksize=_CHUNK,
            on_bad_lines="skip",
            low_memory=False,
        )
        with chunks:
            for chunk in chunks:
                if missing := [name for name in _COLUMNS[:3] if name not in chunk.columns]:
                    raise missing_columns(path, list(chunk.columns), f"{', '.join(missing)} too")
                yield _ratings_of(chunk, path, links, unlinked)
    except (ValueError, OSError) as error:  # pandas' own errors and a wrong encoding are ValueErrors
        raise LabelsError(f"{path} cannot be read as a table of ratings: {error}") from error
    yield Batch(
        failed=[
            FailedRow(path.name, f"movieId {number} is not in links.csv: {n} ratings left out")
            for number, n in sorted(unlinked.items())
        ]
    )


def _ratings_of(frame: pd.DataFrame, path: Path, links: dict[str, str], unlinked: Counter[str]) -> Batch:
    """Ratings of some lines. Ids repeat, so what is to be said of one is said of it once."""
    # A field that is missing has code -1, the last of each array.
    of_movie, movies = pd.factorize(frame["movieId"])
    of_user, users = pd.factorize(frame["userId"])
    numbers = [number.strip().removesuffix(".0") for number in movies]
    names = [name.strip() for name in users]
    movie_ids = np.array([*map(links.get, numbers), None], dtype=object)
    user_ids = np.array([*(f"movielens:{name}" for name in names), ""], dtype=object)
    is_number = np.array([*(number.isdecimal() for number in numbers), False])
    is_named = np.array([*map(bool, names), False])
    values = pd.to_numeric(frame["rating"], errors="coerce").to_numpy(np.float64)
    rated_at = np.zeros(len(frame))
    if "timestamp" in frame.columns:
        rated_at = pd.to_numeric(frame["timestamp"], errors="coerce").fillna(0).to_numpy(np.float64)
    sane = is_number[of_movie] & is_named[of_user] & (values >= 0.5) & (values <= 5.0)
    sane &= (rated_at >= 0) & (rated_at <= 2**53)
    linked = (movie_ids != None)[of_movie]  # noqa: E711 - compared element by element
    n_unlinked = np.bincount(of_movie[sane & ~linked], minlength=len(numbers))
    unlinked.update({numbers[i]: int(n_unlinked[i]) for i in np.flatnonzero(n_unlinked).tolist()})
    kept = sane & linked
    ratings = Ratings(
        user_ids=user_ids[of_user[kept]],
        movie_ids=movie_ids[of_movie[kept]],
        values=values[kept].astype(np.float32),
        rated_at=rated_at[kept].astype(np.int64),
    )
    return Batch(ratings=ratings, failed=_not_ratings(frame[~sane], path))


def _not_ratings(bad: pd.DataFrame, path: Path) -> list[FailedRow]:
    failed = [
        FailedRow(
            f"{path.name}, line {row + 2}",
            f"{','.join(map(str, bad.loc[row].tolist()))[:80]!r} is not a rating; "
            "expected userId, movieId, 0.5 to 5, seconds since 1970",
        )
        for row in bad.index[:_SHOWN]
    ]
    if len(bad) > _SHOWN:
        failed.append(FailedRow(path.name, f"{len(bad) - _SHOWN} more rows are not ratings"))
    return failed
