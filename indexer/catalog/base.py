"""Transactions of the catalog: joined when nested, one revision for all that a transaction changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, FromClause, exists, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from indexer.catalog.records import Active
from indexer.database import counting, reading, writing
from indexer.models import Base, MetaRow, MovieRow

MANY = 1_000
"""After so many new rows the database's picture of its tables is out of date."""


class Transaction:
    """A writing transaction; the revision is taken when the first change asks for it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._revision: int | None = None

    def revision(self) -> int:
        """The revision of everything that this transaction changes."""
        if self._revision is None:
            self._revision = int(read_meta(self.connection, "revision") or 0) + 1
            write_meta(self.connection, "revision", str(self._revision))
        return self._revision


def read_meta(connection: Connection, key: str) -> str | None:
    """One value of the table ``meta``, None where it is not set."""
    return connection.scalar(select(MetaRow.value).where(MetaRow.key == key))


def write_meta(connection: Connection, key: str, value: str) -> None:
    """Set one value of the table ``meta``."""
    done = connection.execute(update(MetaRow).where(MetaRow.key == key).values(value=value))
    if done.rowcount == 0:
        connection.execute(insert(MetaRow).values(key=key, value=value))


def in_catalog(stage: FromClause) -> ColumnElement[bool]:
    """The condition that the movie of a staged row is in the catalog."""
    return exists().where(MovieRow.movie_id == stage.c.movie_id)


class CatalogBase:
    """The engine, and the connection of the block that is open in this thread.

    Args:
        engine: Of a database whose schema was checked.
        home: Directory that relative poster paths start from.
    """

    def __init__(self, engine: Engine, home: Path) -> None:
        self.engine = engine
        self.home = home
        self._open_write: ContextVar[Transaction | None] = ContextVar("open_write", default=None)
        self._open_read: ContextVar[Connection | None] = ContextVar("open_read", default=None)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything written inside is committed together, under one revision, or not at all.

        Raises:
            CatalogError: The database is locked, full or unreachable.
        """
        current = self._open_write.get()
        if current is not None:
            yield current
            return
        with writing(self.engine) as connection:
            token = self._open_write.set(Transaction(connection))
            try:
                yield self._open_write.get() or Transaction(connection)
            finally:
                self._open_write.reset(token)

    @contextmanager
    def consistent_read(self) -> Iterator[None]:
        """Everything read inside is of one state, whatever others commit meanwhile."""
        if self._open_write.get() is not None or self._open_read.get() is not None:
            yield
            return
        with reading(self.engine) as connection:
            token = self._open_read.set(connection)
            try:
                yield
            finally:
                self._open_read.reset(token)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        write, read = self._open_write.get(), self._open_read.get()
        if write is not None:
            yield write.connection
        elif read is not None:
            yield read
        else:
            with reading(self.engine) as connection:
                yield connection

    def revision(self) -> int:
        """Number of the last committed change; 0 for an empty catalog."""
        if self._open_write.get() is None and self._open_read.get() is None:
            asked = self._ask_driver_for_revision()
            if asked is not None:
                return asked
        with self._reading() as connection:
            return int(read_meta(connection, "revision") or 0)

    def _ask_driver_for_revision(self) -> int | None:
        """The revision without SQLAlchemy's layers, for every web request asks; None where that fails."""
        try:
            connection = self.engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("SELECT value FROM meta WHERE key = 'revision'")
                row = cursor.fetchone()
                cursor.close()
            finally:
                connection.close()
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error):
            return None  # asked again the long way, which says in a sentence what is wrong
        return int(row[0]) if row else 0

    def active(self) -> Active:
        """Encoder and taste model of the published snapshot."""
        keys = ("fingerprint", "taste_model")
        query = select(MetaRow.key, MetaRow.value).where(MetaRow.key.in_(keys))
        with self._reading() as connection:
            found: dict[str, str] = {key: value for key, value in connection.execute(query)}
        return Active(*(found.get(key) for key in keys))

    def gather_statistics(self) -> None:
        """Have PostgreSQL count its rows again; call it when many came in.

        Until it has, it plans as for the tables as they were: a look at the last few revisions of a
        hundred thousand movies reads every one of them. Its own counting comes a minute later or never.
        """
        if self.engine.dialect.name == "postgresql":
            with counting(self.engine) as connection:
                connection.execute(text(f"ANALYZE {', '.join(Base.metadata.tables)}"))

    def close(self) -> None:
        """Close the connections; the catalog opens new ones when it is used again."""
        self.engine.dispose()

    def forget_connections(self) -> None:
        """Call in a child process after a fork: the parent's connections are left to the parent."""
        self.engine.dispose(close=False)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
