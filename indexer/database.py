"""Engines, transactions and the schema of the catalog's database.

SQLite and PostgreSQL behave alike here: one writer at a time (``BEGIN
IMMEDIATE``; an advisory lock), so revisions are committed in their order, and
readers that see one unchanging state for as long as they hold a connection.
"""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)

from embeddings.errors import CatalogError
from indexer.models import SCHEMA_HEAD

if TYPE_CHECKING:
    from alembic.config import Config

BUSY_SECONDS = 30
_READER_CACHE_KB, _WRITER_CACHE_KB = 4 * 1024, 64 * 1024
"""Pages that a connection to SQLite keeps. A server has one connection for each thread that reads, and the
system keeps the file's pages for all of them."""
_WRITER_LOCK = 0x6F6E6573  # "ones": the advisory lock that PostgreSQL writers queue for


def make_engine(database_url: str) -> Engine:
    """Make an engine for a SQLite or PostgreSQL URL; nothing is connected yet.

    Raises:
        CatalogError: The URL is malformed or names another database.
    """
    url = _checked_url(database_url)
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        connect_args={"connect_timeout": 10, "options": f"-c lock_timeout={BUSY_SECONDS}s -c timezone=utc"},
    )


def _checked_url(database_url: str) -> URL:
    try:
        url = make_url(database_url)
        if url.get_backend_name() in ("postgres", "postgresql") and "+" not in url.drivername:
            url = url.set(drivername="postgresql+psycopg")
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise CatalogError(
            f"The database URL {_without_password(database_url)!r} cannot be used ({error}); "
            "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
        ) from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise CatalogError(
            f"The catalog does not run on {url.get_backend_name()}; set ONESHEET_DATABASE_URL to a "
            "sqlite:/// or postgresql:// URL."
        )
    return url


def _without_password(database_url: str) -> str:
    try:
        return make_url(database_url).render_as_string(hide_password=True)
    except ArgumentError:
        return database_url.split("@")[-1]


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own implicit BEGIN comes too late (at the first write); _begin_sqlite sends ours.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A published snapshot must never know a revision that a power cut can take back.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute(f"PRAGMA cache_size = -{_READER_CACHE_KB}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("onesheet_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one unchanging state; driver errors become CatalogError."""
    with _named_errors(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """The one writing transaction; others wait for it. Committed at the end, rolled back on any error."""
    options: dict[str, Any] = {"onesheet_writes": True}
    if engine.dialect.name == "postgresql":
        # A repeatable read would see the state before its turn in the queue of writers.
        options["isolation_level"] = "READ COMMITTED"
    with _named_errors(engine), engine.connect() as connection:
        connection.execution_options(**options)
        with _large_cache(connection), connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})"))
            yield connection


@contextmanager
def _large_cache(connection: Connection) -> Iterator[None]:
    """Let SQLite keep many pages while a transaction writes, and give them back at its end."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KB}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA cache_size = -{_READER_CACHE_KB}")


@contextmanager
def counting(engine: Engine) -> Iterator[Connection]:
    """A connection outside any transaction, so that no writer waits while PostgreSQL counts its rows."""
    with _named_errors(engine), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """The writing transaction, in which SQLite may make a table anew that others refer to.

    SQLite alters most of a table by copying it and dropping the old one, which deletes the rows
    that refer to it; so foreign keys rest meanwhile, and are checked as a whole at the end.
    """
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    with _named_errors(engine), engine.connect() as connection:
        connection.execution_options(onesheet_writes=True)
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")  # has no effect once the transaction has begun
        try:
            with connection.begin():
                yield connection
                _check_keys(connection)
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def _check_keys(connection: Connection) -> None:
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if dangling is not None:
        raise CatalogError(
            f"The migration would leave rows of {dangling[0]} without the rows of {dangling[2]} that they "
            "refer to; nothing was changed."
        )


@contextmanager
def _named_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise  # a fault of this program, not of the database or its user
    except DBAPIError as error:
        raise CatalogError(_sentence(engine, error)) from error


def _sentence(engine: Engine, error: DBAPIError) -> str:
    where = engine.url.render_as_string(hide_password=True)
    said = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if "locked" in said or "lock timeout" in said:
        return f"The catalog {where} stayed locked for {BUSY_SECONDS} s by another process; try again."
    if "not a database" in said or "malformed" in said:
        return f"{where} is not a catalog ({said}); name another file or restore it from a backup."
    if "readonly" in said or "unable to open" in said:
        return f"The catalog {where} cannot be opened for writing ({said}); check path and permissions."
    if "disk" in said or "full" in said:
        return f"The catalog {where} could not be written ({said}); free some space and try again."
    return f"The catalog {where} could not answer: {said}"


def ensure_schema(engine: Engine, create: bool) -> None:
    """Check that the tables are those of this program; an empty database gets them.

    Raises:
        CatalogError: The schema is older or newer, the database holds other
            tables, cannot be reached, or is empty and ``create`` is False.
    """
    found = schema_revision(engine)
    if found == SCHEMA_HEAD:
        return
    if found is not None:
        raise _other_schema(engine, found)
    where = engine.url.render_as_string(hide_password=True)
    if not create:
        raise CatalogError(f"There is no catalog at {where}; run `onesheet import` first.")
    with reading(engine) as connection:
        tables = inspect(connection).get_table_names()
    if tables and schema_revision(engine) is None:
        raise CatalogError(
            f"{where} holds other tables ({', '.join(sorted(tables)[:3])}) and no onesheet catalog; "
            "name an empty database."
        )
    upgrade(engine)


def refuse_other_schema(database_url: str) -> None:
    """Refuse a catalog with the tables of another version, before a server over it starts.

    One that is empty or cannot be reached is no reason not to: it may be there in a moment.

    Raises:
        CatalogError: The schema is older or newer, or the URL is not one of a database.
    """
    engine = make_engine(database_url)
    try:
        found = schema_revision(engine)
    except CatalogError:
        return
    finally:
        engine.dispose()
    if found is not None and found != SCHEMA_HEAD:
        raise _other_schema(engine, found)


def _other_schema(engine: Engine, found: str) -> CatalogError:
    where = engine.url.render_as_string(hide_password=True)
    cure = "run `onesheet db upgrade`" if _knows(found) else "a later onesheet wrote it: install that one"
    return CatalogError(f"The catalog {where} has schema {found}, this program needs {SCHEMA_HEAD}; {cure}.")


def _knows(revision: str) -> bool:
    """Whether this program has the migration, from which it could go on."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    return any(script.revision == revision for script in scripts.walk_revisions())


def schema_revision(engine: Engine) -> str | None:
    """The migration that the database stands at; None where there is no catalog."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to ``revision`` in one transaction; a second process waits and finds it done.

    Raises:
        CatalogError: A later program wrote the catalog, the database cannot be written, or a migration
            would leave rows without what they refer to.
    """
    from alembic import command

    found = schema_revision(engine)
    if found is not None and not _knows(found):
        raise _other_schema(engine, found)
    with _migrating(engine) as connection:
        command.upgrade(alembic_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Run the migrations down to ``revision`` in one transaction."""
    from alembic import command

    with _migrating(engine) as connection:
        command.downgrade(alembic_config(connection), revision)


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings: the scripts of the installed ``migrations`` package and this connection."""
    from alembic.config import Config

    package = importlib.util.find_spec("migrations")
    if package is None or not package.submodule_search_locations:
        raise CatalogError("The package migrations is not installed; install onesheet again.")
    config = Config()
    config.set_main_option("script_location", package.submodule_search_locations[0].replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
