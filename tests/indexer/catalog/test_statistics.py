"""What the database is told, and what it is spared, so that a movie more costs the same among many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from indexer.catalog import MANY, Catalog, MovieFacts
from indexer.catalog.base import CatalogBase
from indexer.importers import import_source
from indexer.settings import Settings


@contextmanager
def statements(catalog: CatalogBase) -> Iterator[list[str]]:
    """Everything that is asked of the database inside the block."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(catalog.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(catalog.engine, "before_cursor_execute", note)


def write_labels(path: Path, n: int) -> Path:
    lines = ["Id,Genre,title", *(f"tt{i:07d},Drama,Movie {i}" for i in range(n))]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("n", [MANY - 1, MANY])
def test_the_database_counts_its_rows_again_after_a_large_import(
    catalog: Catalog, settings: Settings, tmp_path: Path, n: int
) -> None:
    with statements(catalog) as asked:
        import_source(catalog, write_labels(tmp_path / "labels.csv", n))
    postgres = settings.database_url.startswith("postgres")
    counted = [one for one in asked if one.startswith("ANALYZE ") and "movie_genres" in one]
    assert len(counted) == (1 if postgres and n >= MANY else 0)
    if counted:
        with catalog.engine.connect() as connection:
            query = text("SELECT reltuples FROM pg_class WHERE oid = 'movies'::regclass")
            assert connection.scalar(query) == n


def test_few_rows_need_no_table_of_their_own_in_postgresql(catalog: Catalog, settings: Settings) -> None:
    with statements(catalog) as asked:
        catalog.upsert_movies([MovieFacts("tt1", "One", 1999, ("Drama",)), MovieFacts("tt2")], "csv")
        catalog.set_posters({"tt1": Path("one.jpg"), "unknown": Path("none.jpg")})
    made = [one for one in asked if one.startswith("CREATE TEMPORARY TABLE")]
    assert bool(made) == settings.database_url.startswith("sqlite")
    assert [file.movie_id for file in catalog.poster_files()] == ["tt1"]
    assert catalog.get_movie("tt1").genres == ("Drama",)
