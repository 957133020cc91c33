"""Rows for the index: the three blocks of every movie and the columns that filters need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, select

from embeddings.errors import CatalogError
from embeddings.genres import GenreVocabulary
from indexer.catalog import bulk, genres
from indexer.catalog.embeddings import Embeddings
from indexer.catalog.records import RowBatch
from indexer.columns import genre_bits_dtype, known_bits
from indexer.models import EmbeddingRow, MovieRow, PosterRow, TasteFactorRow, TasteMapRow
from indexer.types import Facts, Rows

BATCH = 20_000


class RowSource(Embeddings):
    """Everything that an index needs to know of movies."""

    def iter_rows(
        self,
        fingerprint: str,
        taste_model: str | None = None,
        movie_ids: Sequence[str] | None = None,
        batch_size: int = BATCH,
        *,
        told: bool = True,
    ) -> Iterator[RowBatch]:
        """Rows of the movies of which at least one signal is known, in batches, by movie id.

        Take it inside ``consistent_read()`` with ``revision()``, so that both are of one state.

        Args:
            fingerprint: Encoder of the visual block and of predicted genres.
            taste_model: Model of the taste block; None makes it 0 wide.
            movie_ids: Which movies; None is all. Unknown ones are left out.
            batch_size: Movies per batch, before those without any signal are left out.
            told: Whether genres that are known stand in the genre block; else it holds what posters say.

        Raises:
            CatalogError: The encoder is not known to this catalog.
        """
        with self._reading() as connection:
            shape = self._shape(connection, fingerprint, taste_model)
            if movie_ids is not None:
                with bulk.among(connection, MovieRow.movie_id, movie_ids) as chosen:
                    yield from _batches(connection, shape, chosen, batch_size, told)
                return
            yield from _batches(connection, shape, None, batch_size, told)

    def read_rows(
        self, fingerprint: str, taste_model: str | None = None, movie_ids: Sequence[str] | None = None
    ) -> RowBatch:
        """The same as one batch, by movie id; empty where no movie has a signal."""
        with self.consistent_read(), self._reading() as connection:
            shape = self._shape(connection, fingerprint, taste_model)
            batches = list(self.iter_rows(fingerprint, taste_model, movie_ids))
        return join_batches(batches) if batches else shape.decode([], {})

    def _shape(self, connection: Connection, fingerprint: str, taste_model: str | None) -> _Shape:
        encoder = self.encoder_of(fingerprint)
        if encoder is None:
            raise CatalogError(
                f"Encoder {fingerprint[:12]} embedded no poster of this catalog; run `onesheet reindex`."
            )
        width = None
        if taste_model is not None:
            query = select(TasteMapRow.n_columns).where(TasteMapRow.model_id == taste_model)
            width = connection.scalar(query)
        return _Shape(fingerprint, taste_model, encoder[0], encoder[1], width or 0)


class _Shape:
    """Whose vectors are read, how wide they are, and how their bytes become rows."""

    def __init__(
        self,
        fingerprint: str,
        taste_model: str | None,
        vocabulary: GenreVocabulary,
        embedding_dim: int,
        taste_dim: int,
    ) -> None:
        self.fingerprint = fingerprint
        self.taste_model = taste_model
        self.vocabulary = vocabulary
        self.embedding_dim = embedding_dim
        self.taste_dim = taste_dim

    def decode(self, found: Sequence[Any], known: dict[str, list[str]]) -> RowBatch:
        """Make rows of database rows and of the known genres of their movies."""
        n_genres = len(self.vocabulary)
        visual = _matrix([row.vector for row in found], self.embedding_dim)
        probs = _matrix([row.genre_probs for row in found], n_genres)
        taste = _matrix([row.factor for row in found], self.taste_dim)
        labels = self.vocabulary.multi_hot([known.get(row.movie_id, ()) for row in found])
        labelled: NDArray[np.bool_] = np.any(labels, axis=1)
        carried = np.where(labelled[:, None], labels > 0, _bits([row.chosen for row in found], n_genres))
        genre = np.where(labelled[:, None], labels, probs)
        # A taste row's length tells how far people's liking carries; half precision may round it up.
        taste /= np.maximum(np.linalg.norm(taste, axis=1, keepdims=True), 1.0)
        blocks = (_unit(visual), _unit(genre), taste)
        has = np.stack([np.any(block, axis=1) for block in blocks], axis=1)
        keep: NDArray[np.bool_] = np.any(has, axis=1)
        ids = tuple(row.movie_id for row, kept in zip(found, keep, strict=True) if kept)
        n_ratings = np.array([row.n_ratings for row in found], dtype=np.int32)[keep]
        years = np.array([row.year for row in found], dtype=np.int16)[keep]
        groups = [-1 if row.artwork_group is None else row.artwork_group for row in found]
        facts = Facts(
            movie_ids=np.array([one.encode() for one in ids], dtype=np.bytes_),
            years=years,
            genre_bits=_pack(carried)[keep],
            artwork_groups=np.array(groups, dtype=np.int32)[keep],
            n_ratings=n_ratings,
            live=np.ones(len(ids), dtype=np.bool_),
            known=known_bits(has[keep]),
        )
        visual, genre, taste = (block[keep] for block in blocks)
        return RowBatch(Rows(ids, visual, genre, taste, has[keep], n_ratings, years), facts)


def _batches(
    connection: Connection,
    shape: _Shape,
    chosen: ColumnElement[bool] | None,
    batch_size: int,
    told: bool,
) -> Iterator[RowBatch]:
    query = (
        select(
            MovieRow.movie_id,
            MovieRow.year,
            MovieRow.n_ratings,
            PosterRow.artwork_group,
            EmbeddingRow.vector,
            EmbeddingRow.genre_probs,
            EmbeddingRow.chosen,
            TasteFactorRow.factor,
        )
        .outerjoin(PosterRow, PosterRow.movie_id == MovieRow.movie_id)
        .outerjoin(
            EmbeddingRow,
            and_(EmbeddingRow.movie_id == MovieRow.movie_id, EmbeddingRow.fingerprint == shape.fingerprint),
        )
        .outerjoin(
            TasteFactorRow,
            and_(
                TasteFactorRow.movie_id == MovieRow.movie_id,
                TasteFactorRow.model_id == (shape.taste_model or ""),
            ),
        )
        .order_by(MovieRow.movie_id)
        .limit(batch_size)
    )
    if chosen is not None:
        query = query.where(chosen)
    last = ""
    while found := connection.execute(query.where(MovieRow.movie_id > last)).all():
        between = select(MovieRow.movie_id).where(
            MovieRow.movie_id > last, MovieRow.movie_id <= found[-1].movie_id
        )
        if chosen is not None:
            between = between.where(chosen)
        batch = shape.decode(found, genres.known_of(connection, between) if told else {})
        last = found[-1].movie_id
        if len(batch):
            yield batch


def _matrix(blobs: list[bytes | None], width: int) -> NDArray[np.float32]:
    """float32, (n, width), from float16 bytes; a missing blob is a row of zeros."""
    empty = bytes(2 * width)
    joined = b"".join(empty if blob is None else blob for blob in blobs)
    return np.frombuffer(joined, "<f2").astype(np.float32).reshape(len(blobs), width)


def _bits(blobs: list[bytes | None], width: int) -> NDArray[np.bool_]:
    n_bytes = (width + 7) // 8
    joined = b"".join(bytes(n_bytes) if blob is None else blob for blob in blobs)
    packed = np.frombuffer(joined, np.uint8).reshape(len(blobs), n_bytes)
    return np.unpackbits(packed, axis=1, count=width).astype(np.bool_)


def _pack(carried: NDArray[np.bool_]) -> NDArray[np.uint32] | NDArray[np.uint64]:
    dtype = genre_bits_dtype(carried.shape[1])
    columns = np.arange(min(carried.shape[1], 8 * dtype.itemsize), dtype=dtype)
    bits: NDArray[Any] = (carried[:, : len(columns)].astype(dtype) << columns).sum(axis=1, dtype=dtype)
    return bits


def _unit(block: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(block, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(block, norms, out=np.zeros_like(block), where=norms > 0)
    return unit


def join_batches(batches: Sequence[RowBatch]) -> RowBatch:
    """Several batches as one, in their order."""
    return RowBatch(
        Rows.concatenate([one.rows for one in batches]), Facts.concatenate([one.facts for one in batches])
    )
