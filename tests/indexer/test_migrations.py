"""Every migration, up and down, with rows in every table, on both databases.

The walk knows no table by name: it fills whatever the schema of a step has, so
a migration that is added later is tested by being there. A migration of the
test's own, which makes a table anew with others hanging on it, shows that the
walk would notice what such a step can lose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, Table

from embeddings.errors import CatalogError
from indexer import database
from indexer.models import SCHEMA_HEAD

N_ROWS = 3
LATER = f'''
"""Movies get a wider year and a running time; notes are kept of them."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "later", "{SCHEMA_HEAD}", None, None


def upgrade():
    with op.batch_alter_table("movies") as batch:
        batch.alter_column("year", type_=sa.BigInteger(), existing_nullable=False)
        batch.add_column(sa.Column("minutes", sa.Integer(), nullable=True))
    op.create_table("notes", sa.Column("note", sa.Text(), primary_key=True))


def downgrade():
    op.drop_table("notes")
    with op.batch_alter_table("movies") as batch:
        batch.drop_column("minutes")
        batch.alter_column("year", type_=sa.Integer(), existing_nullable=False)
'''
LOSING = '''
"""Drops a genre that movies still carry."""
from alembic import op

revision, down_revision, branch_labels, depends_on = "losing", "later", None, None


def upgrade():
    op.execute("DELETE FROM genres")


def downgrade():
    pass
'''


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind."""
    url = f"sqlite:///{tmp_path}/a.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    made = database.make_engine(url)
    yield made
    made.dispose()


@pytest.fixture
def add_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts migrations of the test's own behind the project's."""
    own = database.alembic_config

    def add(**sources: str) -> None:
        folder = tmp_path / "versions"
        folder.mkdir()
        for name, source in sources.items():
            (folder / f"{name}.py").write_text(source)

        def config(connection: Connection | None = None) -> Config:
            made = own(connection)
            versions = Path(made.get_main_option("script_location") or "") / "versions"
            made.set_main_option("path_separator", "newline")
            made.set_main_option("version_locations", f"{versions}\n{folder}")
            return made

        monkeypatch.setattr(database, "alembic_config", config)

    return add


def steps() -> list[str]:
    """Every revision, the first one first."""
    scripts = ScriptDirectory.from_config(database.alembic_config())
    return [one.revision for one in scripts.walk_revisions()][::-1]


def tables_of(connection: Connection) -> list[Table]:
    """The tables as the database has them, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def made_value(column: sa.Column[Any], row: str) -> Any:
    """A value that is its column's and its row's own; a foreign key repeats what it refers to."""
    for key in column.foreign_keys:
        return made_value(key.column, row)
    number = sum(map(ord, f"{column.table.name}.{column.name}{row}")) * 10 + len(row)
    kinds: list[tuple[type[sa.types.TypeEngine[Any]], Any]] = [
        (sa.Boolean, number % 2 == 0),
        (sa.DateTime, datetime.fromtimestamp(number, UTC)),
        (sa.Float, number / 2),
        (sa.Integer, number % 30_000),
        (sa.LargeBinary, number.to_bytes(4, "big")),
        (sa.String, f"{column.table.name}.{column.name}.{row}"),
    ]
    return next(value for kind, value in kinds if isinstance(column.type, kind))


def fill(engine: Engine, step: str) -> None:
    """Put rows of a step's own into every table."""
    with database.writing(engine) as connection:
        for table in tables_of(connection):
            rows = [
                {column.name: made_value(column, f"{step}{'i' * i}") for column in table.columns}
                for i in range(N_ROWS)
            ]
            connection.execute(sa.insert(table), rows)


def contents(engine: Engine) -> dict[str, dict[str, list[str]]]:
    """What is in the database: the sorted values of each column of each table."""
    found: dict[str, dict[str, list[str]]] = {}
    with database.reading(engine) as connection:
        for table in tables_of(connection):
            rows = connection.execute(sa.select(table)).mappings().all()
            columns = {one.name: sorted(str(row[one.name]) for row in rows) for one in table.columns}
            found[table.name] = columns
    return found


def assert_kept(before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]]) -> None:
    """Every value of every column that both schemas have is still there."""
    for table in before.keys() & after.keys():
        for column in before[table].keys() & after[table].keys():
            assert after[table][column] == before[table][column], f"{table}.{column}"


def walk(engine: Engine) -> None:
    """Up to the head step by step, each taken back and forth once; then down to nothing."""
    revisions = steps()
    for number, revision in enumerate(revisions):
        before = contents(engine)
        database.upgrade(engine, revision)
        assert_kept(before, contents(engine))
        if number:
            database.downgrade(engine, revisions[number - 1])
            assert contents(engine) == before
            database.upgrade(engine, revision)
        fill(engine, revision)
        whole = contents(engine)
        assert all(len(values) == N_ROWS * (number + 1) for values in whole["movies"].values())
    for revision in reversed(revisions[:-1]):
        before = contents(engine)
        database.downgrade(engine, revision)
        assert_kept(before, contents(engine))
    database.downgrade(engine, "base")
    assert contents(engine) == {}


def test_every_migration_keeps_what_is_in_the_catalog_up_and_down(engine: Engine) -> None:
    walk(engine)


def test_a_later_migration_that_makes_a_table_anew_keeps_what_hangs_on_it(
    engine: Engine, add_migrations: Callable[..., None]
) -> None:
    add_migrations(later=LATER)
    assert steps()[-1] == "later"
    walk(engine)


def test_a_migration_that_would_leave_rows_without_what_they_refer_to_is_taken_back(
    engine: Engine, add_migrations: Callable[..., None]
) -> None:
    add_migrations(later=LATER, losing=LOSING)
    database.upgrade(engine, "later")
    fill(engine, "later")
    before = contents(engine)
    with pytest.raises((CatalogError, sa.exc.IntegrityError), match=r"movie_genres"):
        database.upgrade(engine, "losing")
    assert contents(engine) == before
    assert database.schema_revision(engine) == "later"
