"""Rows put beside the tables for one set-wise statement: as arrays where few, else in a temporary table.

A temporary table takes PostgreSQL some ten entries in its own catalogs, and until
it is analyzed the planner takes it for a thousand rows and would rather read all of
``movies`` than look a single one up. Arrays cost neither. In SQLite, which plans
without counts and makes such a table in memory, few rows go the way of many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    LargeBinary,
    Select,
    Table,
    Text,
    column,
    func,
    literal,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from indexer.models import Base

_FEW = 500  # SQLite allows 32,766 parameters; beyond a few hundred a joined table is also faster
_TYPES = {"text": ("TEXT", 'TEXT COLLATE "C"'), "int": ("INTEGER", "BIGINT"), "real": ("REAL", "FLOAT8")}
_TYPES |= {"blob": ("BLOB", "BYTEA"), "bool": ("INTEGER", "BOOLEAN")}
_IN_ARRAYS: dict[str, TypeEngine[Any]] = {
    "text": Text(),
    "int": BigInteger(),
    "real": Double(),
    "blob": LargeBinary(),
    "bool": Boolean(),
}

_COUNTED = {"preserve_rowcount": True}


@contextmanager
def staged(
    connection: Connection,
    name: str,
    columns: dict[str, str],
    rows: Sequence[tuple[Any, ...]],
    indexed: bool = True,
) -> Iterator[FromClause]:
    """Put rows beside the tables for as long as the block lasts.

    Args:
        connection: Where; inside a transaction.
        name: To select them by; nested blocks need different ones.
        columns: Name to type: text, int, real, blob or bool.
        rows: Tuples in the order of the columns.
        indexed: Whether the first column is looked up, and indexed for that where the rows are many.

    Returns:
        The rows, to select from; not to be changed.
    """
    if connection.dialect.name == "postgresql" and len(rows) <= _FEW:
        yield _in_arrays(name, columns, rows)
        return
    with _in_table(connection, name, columns, rows, indexed) as stage:
        yield stage


def _in_arrays(name: str, columns: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> FromClause:
    """Rows as one array a column, which PostgreSQL counts before it plans."""
    values: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    types = [_IN_ARRAYS[kind] for kind in columns.values()]
    arrays = [literal(list(one), postgresql.ARRAY(type_)) for one, type_ in zip(values, types, strict=True)]
    named = [column(one, type_) for one, type_ in zip(columns, types, strict=True)]
    return func.unnest(*arrays).table_valued(*named).render_derived(name)


@contextmanager
def _in_table(
    connection: Connection,
    name: str,
    columns: dict[str, str],
    rows: Sequence[tuple[Any, ...]],
    indexed: bool,
) -> Iterator[FromClause]:
    postgres = connection.dialect.name == "postgresql"
    kinds = ", ".join(f"{column} {_TYPES[kind][postgres]}" for column, kind in columns.items())
    connection.execute(text(f"DROP TABLE IF EXISTS {_schema(connection)}.{name}"))
    connection.execute(text(f"CREATE TEMPORARY TABLE {name} ({kinds})"))
    _load(connection, f"{_schema(connection)}.{name}", list(columns), rows)
    if indexed and len(rows) > _FEW:
        connection.execute(text(f"CREATE INDEX {name}_first ON {name} ({next(iter(columns))})"))
        if postgres:
            connection.execute(text(f"ANALYZE {name}"))
    yield table(name, *(column(one) for one in columns))
    connection.execute(text(f"DROP TABLE {_schema(connection)}.{name}"))


def _schema(connection: Connection) -> str:
    return "pg_temp" if connection.dialect.name == "postgresql" else "temp"


def append(
    connection: Connection, model: type[Base], columns: dict[str, str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Add rows whose keys nobody has, as quickly as the database can.

    PostgreSQL copies them straight into their table. SQLite finds the place of a
    row far quicker within one statement, so there they pass through a stage.

    Args:
        connection: Where; inside a writing transaction.
        model: The table.
        columns: Every column of it, name to type as for ``staged``.
        rows: Tuples in the order of the columns.
    """
    name, names = model.__tablename__, ", ".join(columns)
    if connection.dialect.name == "postgresql":
        _load(connection, name, list(columns), rows)
        return
    with _in_table(connection, f"more_{name}", columns, rows, indexed=False):
        connection.execute(text(f"INSERT INTO {name} ({names}) SELECT {names} FROM temp.more_{name}"))


def _load(connection: Connection, into: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    names = ", ".join(columns)
    if connection.dialect.name != "postgresql":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {into} ({names}) VALUES ({marks})", list(rows))
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def among(
    connection: Connection, key: InstrumentedAttribute[str], values: Sequence[str]
) -> Iterator[ColumnElement[bool]]:
    """The condition that ``key`` is one of ``values``, however many they are."""
    if len(values) <= _FEW:
        yield key.in_(values)
        return
    with staged(connection, "wanted_ids", {"wanted": "text"}, [(value,) for value in values]) as wanted:
        yield key.in_(select(wanted.c.wanted))


def upsert_from(
    connection: Connection,
    model: type[Base],
    rows: Select[Any],
    constants: dict[str, Any] | None = None,
    keep: Sequence[str] = (),
    compare: Sequence[str] | None = None,
) -> int:
    """Insert staged rows; where a primary key is taken, update the row if it differs.

    Args:
        connection: Where; inside a writing transaction.
        model: The table; it has every column of the rows.
        rows: Selects them of a stage, each key once.
        constants: Values of further columns, the same for every row.
        keep: Columns that an existing row keeps.
        compare: Columns that tell whether a row differs; None is all that would change.

    Returns:
        How many rows were inserted or updated.
    """
    into = model.__table__
    if not isinstance(into, Table):
        raise TypeError(f"{model.__name__} is not a plain table")
    fixed = {name: literal(value, into.c[name].type) for name, value in (constants or {}).items()}
    key = [one.name for one in into.primary_key.columns]
    names = [one.name for one in rows.selected_columns] + list(fixed)
    # Without a WHERE, SQLite reads "ON CONFLICT" as the beginning of a join condition.
    rows = rows.add_columns(*fixed.values()).where(text("1 = 1"))
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    insert = make(into).from_select(names, rows)
    changes = {name: insert.excluded[name] for name in names if name not in (*key, *keep)}
    if not changes:
        statement = insert.on_conflict_do_nothing(index_elements=key)
        return connection.execute(statement, execution_options=_COUNTED).rowcount
    told_by = changes if compare is None else compare
    differs = or_(*(into.c[name].is_distinct_from(insert.excluded[name]) for name in told_by))
    statement = insert.on_conflict_do_update(index_elements=key, set_=changes, where=differs)
    return connection.execute(statement, execution_options=_COUNTED).rowcount
