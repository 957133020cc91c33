"""The tables of the catalog.

Every change of a movie that the index sees stamps ``movies.revision`` with the
catalog's next revision, in the same transaction; a movie that leaves writes a
tombstone into ``removals``. Ratings, external ids and what sources say of a movie stand
without a foreign key: they may arrive before their movie does.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA_HEAD = "0002"
"""The newest migration; a test holds it equal to Alembic's head."""

# Ids and normalised titles sort by code point in both databases, as Python does.
BinaryText = Text().with_variant(Text(collation="C"), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite, which forgets time zones, gives it back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Root of the tables; constraints have the same names in every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _movie_key() -> Mapped[str]:
    return mapped_column(BinaryText, ForeignKey("movies.movie_id", ondelete="CASCADE"), primary_key=True)


class MetaRow(Base):
    """Single facts of the catalog: ``revision``, ``fingerprint`` and ``taste_model`` in use."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class MovieRow(Base):
    """A movie, its facts resolved from ``movie_facts``."""

    __tablename__ = "movies"
    __table_args__ = (
        Index("ix_movies_search_title", "search_title", "movie_id"),
        Index("ix_movies_year", "year", "movie_id"),
        Index("ix_movies_n_ratings", "n_ratings", "movie_id"),
        Index("ix_movies_revision", "revision"),
        # Most movies are of no collection, and need no place in it.
        Index(
            "ix_movies_search_collection",
            "search_collection",
            "movie_id",
            sqlite_where=text("search_collection IS NOT NULL"),
            postgresql_where=text("search_collection IS NOT NULL"),
        ),
    )

    movie_id: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    search_title: Mapped[str] = mapped_column(BinaryText)
    year: Mapped[int]
    """0 where unknown, so that an index can sort by it."""
    collection: Mapped[str | None] = mapped_column(Text)
    search_collection: Mapped[str | None] = mapped_column(BinaryText)
    """``titles.collection_key`` of it."""
    n_ratings: Mapped[int] = mapped_column(default=0)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column(BigInteger)


class MovieFactRow(Base):
    """What one kind of source says of a movie; None where it says nothing."""

    __tablename__ = "movie_facts"

    movie_id: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    source: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str | None] = mapped_column(Text)
    year: Mapped[int | None]
    genres: Mapped[str | None] = mapped_column(Text)
    """Names joined by ``|``, sorted."""
    collection: Mapped[str | None] = mapped_column(Text)


class GenreRow(Base):
    """The name of a genre."""

    __tablename__ = "genres"

    genre_id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)


class MovieGenreRow(Base):
    """A genre of a movie: the known ones, or the chosen predicted ones where none is known."""

    __tablename__ = "movie_genres"
    __table_args__ = (
        Index("ix_movie_genres_genre_id", "genre_id", "movie_id"),
        {"sqlite_with_rowid": False},
    )

    movie_id: Mapped[str] = _movie_key()
    genre_id: Mapped[int] = mapped_column(ForeignKey("genres.genre_id"), primary_key=True)
    predicted: Mapped[bool]


class ExternalIdRow(Base):
    """The id that ``imdb``, ``tmdb`` or ``movielens`` gives a movie."""

    __tablename__ = "external_ids"
    __table_args__ = (Index("ix_external_ids_movie_id", "movie_id"), {"sqlite_with_rowid": False})

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    external_id: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    movie_id: Mapped[str] = mapped_column(BinaryText)


class PosterRow(Base):
    """The poster of a movie: a file, or a URL that is still to be downloaded."""

    __tablename__ = "posters"
    __table_args__ = (
        Index("ix_posters_sha256", "sha256"),
        Index("ix_posters_artwork_group", "artwork_group"),
    )

    movie_id: Mapped[str] = _movie_key()
    path: Mapped[str | None] = mapped_column(Text)
    """Absolute, or relative to the home for posters that lie under it."""
    url: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(Text)
    n_bytes: Mapped[int | None] = mapped_column(BigInteger)
    mtime_ns: Mapped[int | None] = mapped_column(BigInteger)
    width: Mapped[int | None]
    height: Mapped[int | None]
    phash: Mapped[str | None] = mapped_column(Text)
    """64 bits as 16 hexadecimal digits."""
    artwork_group: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why these bytes could not be read or fetched."""


class PosterDirRow(Base):
    """A directory that posters were imported from; new files in it are found by reindex."""

    __tablename__ = "poster_dirs"

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    layout: Mapped[str] = mapped_column(Text)
    """``by_id``: posters of known movies; ``folder``: each file is a movie."""


class EncoderRow(Base):
    """An encoder that embedded posters of this catalog."""

    __tablename__ = "encoders"

    fingerprint: Mapped[str] = mapped_column(Text, primary_key=True)
    genres: Mapped[str] = mapped_column(Text)
    """Names in column order, a JSON list."""
    embedding_dim: Mapped[int]


class EmbeddingRow(Base):
    """What an encoder made of the poster with these bytes."""

    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_fingerprint", "fingerprint", "movie_id"),)

    movie_id: Mapped[str] = _movie_key()
    fingerprint: Mapped[str] = mapped_column(
        Text, ForeignKey("encoders.fingerprint", ondelete="CASCADE"), primary_key=True
    )
    poster_sha256: Mapped[str] = mapped_column(Text)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """float16, little-endian, embedding_dim numbers."""
    genre_probs: Mapped[bytes] = mapped_column(LargeBinary)
    """float16, little-endian, one per genre of the encoder."""
    chosen: Mapped[bytes] = mapped_column(LargeBinary)
    """One bit per genre of the encoder, most significant first: above its threshold."""


class RatingRow(Base):
    """One person's rating of one movie, 0.5 to 5."""

    __tablename__ = "ratings"
    __table_args__ = (Index("ix_ratings_movie_id", "movie_id", "user_id"), {"sqlite_with_rowid": False})

    user_id: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    movie_id: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    value: Mapped[float]
    rated_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970; 0 where unknown."""


class TasteFactorRow(Base):
    """The taste factor of a movie under one fitted model."""

    __tablename__ = "taste_factors"
    __table_args__ = (Index("ix_taste_factors_model_id", "model_id", "movie_id"),)

    movie_id: Mapped[str] = _movie_key()
    model_id: Mapped[str] = mapped_column(Text, primary_key=True)
    factor: Mapped[bytes] = mapped_column(LargeBinary)
    """float16, little-endian, taste_dim numbers."""
    n_ratings: Mapped[int]
    predicted: Mapped[bool]


class TasteMapRow(Base):
    """The map that predicts the taste factor of a movie nobody rated."""

    __tablename__ = "taste_maps"

    model_id: Mapped[str] = mapped_column(Text, primary_key=True)
    map: Mapped[bytes] = mapped_column(LargeBinary)
    """float32, little-endian, n_rows x n_columns, row by row."""
    n_rows: Mapped[int]
    n_columns: Mapped[int]


class RemovalRow(Base):
    """A movie that left the catalog, and at which revision."""

    __tablename__ = "removals"
    __table_args__ = (Index("ix_removals_revision", "revision"),)

    movie_id: Mapped[str] = mapped_column(BinaryText, primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
