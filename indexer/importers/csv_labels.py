"""The public poster tables: one row per movie with its id, genres, and what else is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import MovieFacts
from indexer.importers.base import Importer
from indexer.importers.fields import is_nothing, parse_collection, parse_genres, parse_imdb_id, parse_year
from indexer.importers.report import Batch, FailedRow
from indexer.importers.tables import Table, missing_columns, open_table
from indexer.titles import clean_text, is_movie_id, split_year

_BATCH = 20_000
_ID = ("Id", "imdbId", "imdb_id", "tconst", "movie_id")
_NUMERIC_IMDB = ("imdbid", "imdb_id")


@dataclass(frozen=True)
class _Columns:
    movie_id: int
    genres: int | None
    title: int | None
    year: int | None
    poster_url: int | None
    collection: int | None


class CsvImporter(Importer):
    """``Id,Genre`` and optionally ``title``, ``year``, ``poster_url``, ``collection``; others are ignored.

    ``Genre`` is ``['Comedy', 'Drama']``, ``Comedy|Drama`` or ``Comedy, Drama``; ``N/A`` says nothing.
    Rows of one id are one movie.
    """

    format = "csv"

    def recognises(self, source: Path) -> bool:
        return source.is_file() and source.name.lower().endswith((".csv", ".csv.gz", ".tsv"))

    def read(self, source: Path) -> Iterator[Batch]:
        with open_table(source) as table:
            columns = _columns(table)
            movies: list[MovieFacts] = []
            urls: dict[str, str] = {}
            failed: list[FailedRow] = []
            for line, fields in table.rows:
                try:
                    movies.append(_movie(fields, columns, table))
                except ValueError as error:
                    failed.append(FailedRow(f"{source.name}, line {line}", f"{error}"))
                    continue
                if columns.poster_url is not None and fields[columns.poster_url].startswith("http"):
                    urls[movies[-1].movie_id] = str(fields[columns.poster_url]).strip()
                if len(movies) >= _BATCH:
                    yield Batch(movies=movies, poster_urls=urls, failed=failed)
                    movies, urls, failed = [], {}, []
            yield Batch(movies=movies, poster_urls=urls, failed=failed)


def _columns(table: Table) -> _Columns:
    movie_id = table.column(*_ID)
    if movie_id is None:
        raise missing_columns(table.path, table.columns, "a column Id, and mostly Genre, title, year")
    columns = _Columns(
        movie_id=movie_id,
        genres=table.column("Genre", "Genres"),
        title=table.column("title", "primaryTitle", "name"),
        year=table.column("year", "startYear", "release_year", "release_date"),
        poster_url=table.column("poster_url", "poster"),
        collection=table.column("collection", "belongs_to_collection"),
    )
    if columns.genres is None and columns.title is None:
        raise missing_columns(table.path, table.columns, "a column Genre or title beside the id")
    return columns


def _movie(fields: list[str] | str, columns: _Columns, table: Table) -> MovieFacts:
    if isinstance(fields, str):
        raise ValueError(fields)
    movie_id = clean_text(fields[columns.movie_id])
    if table.columns[columns.movie_id].strip().casefold() in _NUMERIC_IMDB:
        movie_id = parse_imdb_id(movie_id) or movie_id
    if not is_movie_id(movie_id):
        raise ValueError(f"{movie_id[:40]!r} is not a movie id; expected one such as tt0133093")
    title = _text(fields, columns.title)
    year = parse_year(_text(fields, columns.year))
    if year is None and title:
        title, year = split_year(title)
    return MovieFacts(
        movie_id=movie_id,
        title=title or None,
        year=year,
        genres=parse_genres(_text(fields, columns.genres)),
        collection=parse_collection(_text(fields, columns.collection)),
    )


def _text(fields: list[str], column: int | None) -> str:
    text = "" if column is None else clean_text(fields[column])
    return "" if is_nothing(text) else text
