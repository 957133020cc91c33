"""Movies name the collection that they belong to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BinaryText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("movie_facts", sa.Column("collection", sa.Text(), nullable=True))
    op.add_column("movies", sa.Column("collection", sa.Text(), nullable=True))
    op.add_column("movies", sa.Column("search_collection", BinaryText, nullable=True))
    named = sa.text("search_collection IS NOT NULL")
    op.create_index(
        "ix_movies_search_collection",
        "movies",
        ["search_collection", "movie_id"],
        unique=False,
        sqlite_where=named,
        postgresql_where=named,
    )


def downgrade() -> None:
    op.drop_index("ix_movies_search_collection", table_name="movies")
    with op.batch_alter_table("movies") as batch:
        batch.drop_column("search_collection")
        batch.drop_column("collection")
    with op.batch_alter_table("movie_facts") as batch:
        batch.drop_column("collection")
