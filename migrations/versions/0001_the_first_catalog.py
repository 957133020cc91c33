"""The first catalog."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BinaryText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "encoders",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("genres", sa.Text(), nullable=False),
        sa.Column("embedding_dim", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_encoders")),
    )
    op.create_table(
        "external_ids",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", BinaryText, nullable=False),
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.PrimaryKeyConstraint("source", "external_id", name=op.f("pk_external_ids")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_external_ids_movie_id", "external_ids", ["movie_id"], unique=False)
    op.create_table(
        "genres",
        sa.Column("genre_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("genre_id", name=op.f("pk_genres")),
        sa.UniqueConstraint("name", name=op.f("uq_genres_name")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "movie_facts",
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("genres", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("movie_id", "source", name=op.f("pk_movie_facts")),
    )
    op.create_table(
        "movies",
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("search_title", BinaryText, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("n_ratings", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("movie_id", name=op.f("pk_movies")),
    )
    op.create_index("ix_movies_n_ratings", "movies", ["n_ratings", "movie_id"], unique=False)
    op.create_index("ix_movies_revision", "movies", ["revision"], unique=False)
    op.create_index("ix_movies_search_title", "movies", ["search_title", "movie_id"], unique=False)
    op.create_index("ix_movies_year", "movies", ["year", "movie_id"], unique=False)
    op.create_table(
        "poster_dirs",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_poster_dirs")),
    )
    op.create_table(
        "ratings",
        sa.Column("user_id", BinaryText, nullable=False),
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("rated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "movie_id", name=op.f("pk_ratings")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ratings_movie_id", "ratings", ["movie_id", "user_id"], unique=False)
    op.create_table(
        "removals",
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("movie_id", name=op.f("pk_removals")),
    )
    op.create_index("ix_removals_revision", "removals", ["revision"], unique=False)
    op.create_table(
        "taste_maps",
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("map", sa.LargeBinary(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=False),
        sa.Column("n_columns", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_taste_maps")),
    )
    op.create_table(
        "embeddings",
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("poster_sha256", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("genre_probs", sa.LargeBinary(), nullable=False),
        sa.Column("chosen", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fingerprint"],
            ["encoders.fingerprint"],
            name=op.f("fk_embeddings_fingerprint_encoders"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.movie_id"], name=op.f("fk_embeddings_movie_id_movies"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("movie_id", "fingerprint", name=op.f("pk_embeddings")),
    )
    op.create_index("ix_embeddings_fingerprint", "embeddings", ["fingerprint", "movie_id"], unique=False)
    op.create_table(
        "movie_genres",
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("genre_id", sa.Integer(), nullable=False),
        sa.Column("predicted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["genre_id"], ["genres.genre_id"], name=op.f("fk_movie_genres_genre_id_genres")
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.movie_id"],
            name=op.f("fk_movie_genres_movie_id_movies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("movie_id", "genre_id", name=op.f("pk_movie_genres")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_movie_genres_genre_id", "movie_genres", ["genre_id", "movie_id"], unique=False)
    op.create_table(
        "posters",
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("n_bytes", sa.BigInteger(), nullable=True),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("phash", sa.Text(), nullable=True),
        sa.Column("artwork_group", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.movie_id"], name=op.f("fk_posters_movie_id_movies"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("movie_id", name=op.f("pk_posters")),
    )
    op.create_index("ix_posters_artwork_group", "posters", ["artwork_group"], unique=False)
    op.create_index("ix_posters_sha256", "posters", ["sha256"], unique=False)
    op.create_table(
        "taste_factors",
        sa.Column("movie_id", BinaryText, nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("factor", sa.LargeBinary(), nullable=False),
        sa.Column("n_ratings", sa.Integer(), nullable=False),
        sa.Column("predicted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.movie_id"],
            name=op.f("fk_taste_factors_movie_id_movies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("movie_id", "model_id", name=op.f("pk_taste_factors")),
    )
    op.create_index("ix_taste_factors_model_id", "taste_factors", ["model_id", "movie_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_taste_factors_model_id", table_name="taste_factors")
    op.drop_table("taste_factors")
    op.drop_index("ix_posters_sha256", table_name="posters")
    op.drop_index("ix_posters_artwork_group", table_name="posters")
    op.drop_table("posters")
    op.drop_index("ix_movie_genres_genre_id", table_name="movie_genres")
    op.drop_table("movie_genres")
    op.drop_index("ix_embeddings_fingerprint", table_name="embeddings")
    op.drop_table("embeddings")
    op.drop_table("taste_maps")
    op.drop_index("ix_removals_revision", table_name="removals")
    op.drop_table("removals")
    op.drop_index("ix_ratings_movie_id", table_name="ratings")
    op.drop_table("ratings")
    op.drop_table("poster_dirs")
    op.drop_index("ix_movies_year", table_name="movies")
    op.drop_index("ix_movies_search_title", table_name="movies")
    op.drop_index("ix_movies_revision", table_name="movies")
    op.drop_index("ix_movies_n_ratings", table_name="movies")
    op.drop_table("movies")
    op.drop_table("movie_facts")
    op.drop_table("meta")
    op.drop_table("genres")
    op.drop_index("ix_external_ids_movie_id", table_name="external_ids")
    op.drop_table("external_ids")
    op.drop_table("encoders")
