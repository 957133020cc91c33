"""Alembic's door: migrations run on the connection that ``indexer.database`` hands in."""

from __future__ import annotations

from alembic import context

from indexer.models import Base


def run_migrations() -> None:
    """Run the asked-for steps inside the caller's transaction."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("no database connection was handed in; run `onesheet db upgrade`")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


run_migrations()
