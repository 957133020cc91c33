"""Opening databases: new, old, foreign, locked and unreachable ones."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from embeddings.errors import CatalogError
from indexer import database
from indexer.catalog import MovieFacts, open_catalog
from indexer.models import SCHEMA_HEAD, Base
from indexer.settings import Settings, load_settings


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind."""
    url = f"sqlite:///{tmp_path}/a.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    made = database.make_engine(url)
    yield made
    made.dispose()


def settings_of(engine: Engine, home: Path) -> Settings:
    return Settings(home, engine.url.render_as_string(hide_password=False), "")


def test_the_program_needs_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(database.alembic_config())
    assert scripts.get_heads() == [SCHEMA_HEAD]


def test_the_migrations_make_exactly_the_tables_of_the_program(engine: Engine) -> None:
    database.upgrade(engine)
    with database.reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_new_database_gets_its_tables_and_is_found_again(engine: Engine, tmp_path: Path) -> None:
    first = open_catalog(settings_of(engine, tmp_path))
    first.upsert_movies([MovieFacts("tt1", "One")], "csv")
    first.close()
    second = open_catalog(settings_of(engine, tmp_path), create=False)
    assert second.get_movie("tt1").title == "One"
    second.close()


def test_a_database_that_is_not_there_is_not_made_when_it_must_exist(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="onesheet import"):
        open_catalog(settings_of(engine, tmp_path), create=False)


def test_an_out_of_date_schema_names_the_command_that_mends_it(engine: Engine, tmp_path: Path) -> None:
    database.upgrade(engine, "0001")
    with pytest.raises(CatalogError, match="onesheet db upgrade"):
        open_catalog(settings_of(engine, tmp_path))


def test_other_peoples_tables_are_left_alone(engine: Engine, tmp_path: Path) -> None:
    with database.writing(engine) as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(CatalogError, match="invoices"):
        open_catalog(settings_of(engine, tmp_path))
    with database.reading(engine) as connection:
        assert inspect(connection).get_table_names() == ["invoices"]


def test_upgrading_a_catalog_that_is_in_use_keeps_what_is_in_it(engine: Engine, tmp_path: Path) -> None:
    catalog = open_catalog(settings_of(engine, tmp_path))
    catalog.upsert_movies([MovieFacts("tt1", "One", 1999, ("Drama",))], "csv")
    before = catalog.get_movie("tt1")
    database.upgrade(engine)
    assert catalog.get_movie("tt1") == before
    catalog.close()


def test_two_processes_may_make_the_same_new_catalog(engine: Engine, tmp_path: Path) -> None:
    settings = settings_of(engine, tmp_path)
    code = (
        "import sys; from pathlib import Path; from indexer.catalog import open_catalog; "
        "from indexer.settings import Settings; "
        "open_catalog(Settings(Path(sys.argv[1]), sys.argv[2], '')).close()"
    )
    command = [sys.executable, "-c", code, str(settings.home), settings.database_url]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    said = [one.communicate(timeout=120)[1].decode() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], said
    assert database.schema_revision(engine) == SCHEMA_HEAD


def test_the_migrations_go_down_to_nothing_and_up_again(engine: Engine) -> None:
    database.upgrade(engine)
    database.downgrade(engine, "base")
    with database.reading(engine) as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    database.upgrade(engine)
    assert database.schema_revision(engine) == SCHEMA_HEAD


def test_a_migration_that_fails_leaves_the_database_as_it_was(engine: Engine) -> None:
    with pytest.raises(RuntimeError, match="on purpose"), database.writing(engine) as connection:
        from alembic import command

        command.upgrade(database.alembic_config(connection), "head")
        raise RuntimeError("on purpose")
    assert database.schema_revision(engine) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "sqlite:///FILE"),
        ("nonsense", "sqlite:///FILE"),
        ("mysql://u:secret@h/d", "cannot be used|does not run on mysql"),
        ("oracle+nothing://h", "cannot be used"),
    ],
)
def test_a_url_that_is_no_database_of_ours_is_named_without_its_password(url: str, said: str) -> None:
    with pytest.raises(CatalogError, match=said) as caught:
        database.make_engine(url)
    assert "secret" not in str(caught.value)


def test_an_unreachable_server_is_named_without_its_password(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "postgresql://someone:secret@127.0.0.1:1/movies", "")
    with pytest.raises(CatalogError, match=r"127\.0\.0\.1") as caught:
        open_catalog(settings)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"this is a letter to my aunt, not a database" * 100)
    with pytest.raises(CatalogError, match="is not a catalog"):
        open_catalog(load_settings(tmp_path, {}))


def test_a_directory_in_the_place_of_the_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").mkdir()
    with pytest.raises(CatalogError, match=r"catalog\.db"):
        open_catalog(load_settings(tmp_path, {}))


def test_a_catalog_that_another_process_keeps_locked_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    catalog = open_catalog(load_settings(tmp_path, {}))
    other = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogError, match="locked"):
        catalog.upsert_movies([MovieFacts("tt1")], "csv")
    other.rollback()
    catalog.upsert_movies([MovieFacts("tt1")], "csv")
    other.close()
    catalog.close()


def test_a_connection_keeps_many_pages_only_while_it_writes(tmp_path: Path) -> None:
    engine = database.make_engine(f"sqlite:///{tmp_path}/a.db")
    kept = text("PRAGMA cache_size")
    with database.reading(engine) as connection:
        while_reading = connection.execute(kept).scalar()
    with database.writing(engine) as connection:
        while_writing = connection.execute(kept).scalar()
    with pytest.raises(ZeroDivisionError), database.writing(engine):
        raise ZeroDivisionError
    with database.reading(engine) as connection:
        after_writing = connection.execute(kept).scalar()
    engine.dispose()
    # Negative sizes are in KiB.
    assert while_writing < while_reading == after_writing


def test_a_database_that_is_empty_or_away_is_no_reason_not_to_serve(engine: Engine) -> None:
    database.refuse_other_schema(engine.url.render_as_string(hide_password=False))
    database.refuse_other_schema("postgresql://nobody@127.0.0.1:9/nothing")
    database.upgrade(engine)
    database.refuse_other_schema(engine.url.render_as_string(hide_password=False))
    database.downgrade(engine, "0001")
    with pytest.raises(CatalogError, match="onesheet db upgrade"):
        database.refuse_other_schema(engine.url.render_as_string(hide_password=False))


def test_a_catalog_of_a_later_program_is_refused_and_left_as_it_is(engine: Engine) -> None:
    database.upgrade(engine)
    with database.writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for ask in (database.upgrade, lambda later: database.ensure_schema(later, create=True)):
        with pytest.raises(CatalogError, match=r"has schema 9999.*a later onesheet wrote it"):
            ask(engine)
    assert database.schema_revision(engine) == "9999"
