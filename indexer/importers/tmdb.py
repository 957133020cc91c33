"""Exports of The Movie Database: JSON, JSON lines, and the public CSV tables made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from embeddings.errors import LabelsError
from indexer.catalog import MovieFacts
from indexer.importers.base import Importer
from indexer.importers.fields import (
    as_imdb,
    genre_names,
    is_nothing,
    parse_collection,
    parse_genres,
    parse_imdb_id,
    parse_number_id,
    parse_year,
)
from indexer.importers.report import Batch, FailedRow
from indexer.importers.tables import bounded_lines, missing_columns, open_table, open_text

POSTER_BASE = "https://image.tmdb.org/t/p/w342"
"""Where TMDB serves the files that ``poster_path`` names, 342 pixels wide."""
_BATCH = 20_000
_MAX_JSON = 1_000_000_000  # characters of one JSON document

Record = tuple[str, dict[str, Any] | str]
"""Where a movie stands, and its fields or why it could not be read."""


class TmdbImporter(Importer):
    """Movies with ``id``, ``title``, ``release_date``, ``genres``, ``imdb_id``, ``poster_path`` and more.

    ``belongs_to_collection`` is an object with a ``name``; the public CSV writes it as Python does.

    A movie is called by its IMDb id where it has one, else ``tmdb-<id>``.
    """

    format = "tmdb"

    def recognises(self, source: Path) -> bool:
        name = source.name.lower().removesuffix(".gz")
        if not source.is_file():
            return False
        if name.endswith((".json", ".jsonl", ".ndjson")):
            return True
        if not name.endswith(".csv"):
            return False
        with open_table(source) as table:
            told_by = (table.column("id"), table.column("poster_path", "vote_average", "original_title"))
            return None not in told_by

    def read(self, source: Path) -> Iterator[Batch]:
        name = source.name.lower().removesuffix(".gz")
        records = _csv_records(source) if name.endswith(".csv") else _json_records(source)
        while chunk := list(islice(records, _BATCH)):
            yield _batch(chunk)


def _batch(records: list[Record]) -> Batch:
    movies: list[MovieFacts] = []
    urls: dict[str, str] = {}
    failed: list[FailedRow] = []
    for where, record in records:
        try:
            movie = _movie(record)
        except ValueError as error:
            failed.append(FailedRow(where, str(error)))
            continue
        movies.append(movie)
        path = record.get("poster_path") if isinstance(record, dict) else None
        if isinstance(path, str) and path.startswith("/") and ".." not in path:
            urls[movie.movie_id] = POSTER_BASE + path
    return Batch(movies=movies, poster_urls=urls, failed=failed)


def _movie(record: dict[str, Any] | str) -> MovieFacts:
    """The movie of a record.

    Raises:
        ValueError: It has no id, or a field cannot be understood.
    """
    if isinstance(record, str):
        raise ValueError(record)
    imdb_id, tmdb_id = parse_imdb_id(_text(record, "imdb_id")), parse_number_id(_text(record, "id"))
    if tmdb_id is None and imdb_id is None:
        raise ValueError(f"the id is {_text(record, 'id')[:40]!r}; expected TMDB's number")
    found = record.get("genres")
    names = parse_genres(found) if isinstance(found, str) else genre_names(found or [])
    ids = {"tmdb": tmdb_id, "imdb": imdb_id}
    return MovieFacts(
        movie_id=imdb_id or f"tmdb-{tmdb_id}",
        title=_text(record, "title") or _text(record, "original_title") or None,
        year=parse_year(_text(record, "release_date")),
        genres=as_imdb(names),
        external_ids={source: value for source, value in ids.items() if value},
        collection=parse_collection(record.get("belongs_to_collection")),
    )


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    text = str(value) if isinstance(value, (str, int, float)) else ""
    return "" if is_nothing(text) else text


def _csv_records(source: Path) -> Iterator[Record]:
    with open_table(source) as table:
        if table.column("id") is None or table.column("title", "original_title") is None:
            raise missing_columns(source, table.columns, "id, title, release_date and genres")
        names = [name.strip().casefold() for name in table.columns]
        for line, fields in table.rows:
            where = f"{source.name}, line {line}"
            yield where, fields if isinstance(fields, str) else dict(zip(names, fields, strict=True))


def _json_records(source: Path) -> Iterator[Record]:
    """Movies of a JSON list, of an object with ``results`` (an answer of the API), or one per line."""
    name = source.name.lower().removesuffix(".gz")
    with open_text(source) as file:
        if not name.endswith(".json"):
            for number, line in enumerate(bounded_lines(file, source), start=1):
                if line.strip():
                    yield f"{source.name}, line {number}", _parsed(line)
            return
        text = file.read(_MAX_JSON + 1)
    if len(text) > _MAX_JSON:
        raise LabelsError(
            f"{source} is longer than {_MAX_JSON:,} characters; write one movie per line (.jsonl)."
        )
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelsError(f"{source} is not JSON: {error}; for one movie per line call it .jsonl.") from error
    items = found.get("results", [found]) if isinstance(found, dict) else found
    if not isinstance(items, list):
        raise LabelsError(f"{source} holds {type(items).__name__}; expected a list of movies.")
    for number, item in enumerate(items, start=1):
        where = f"{source.name}, movie {number}"
        yield where, item if isinstance(item, dict) else "it is not an object with fields"


def _parsed(line: str) -> dict[str, Any] | str:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"the line is not JSON: {error}"
    return item if isinstance(item, dict) else "the line is not an object with fields"
