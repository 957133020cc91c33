"""What encoders made of posters."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, update

from embeddings.encoded import EncodedPosters, UnreadablePoster
from embeddings.errors import CatalogError
from embeddings.genres import GenreVocabulary
from indexer.catalog import bulk, genres
from indexer.catalog.base import CatalogBase, Transaction, in_catalog, read_meta, write_meta
from indexer.models import EmbeddingRow, EncoderRow, MovieRow, PosterRow

_EMBEDDED = "embedded"
_COLUMNS = {
    "movie_id": "text",
    "poster_sha256": "text",
    "vector": "blob",
    "genre_probs": "blob",
    "chosen": "blob",
}


class Embeddings(CatalogBase):
    """Embeddings and predicted genres, by movie and encoder."""

    def add_encoder(self, fingerprint: str, genres: GenreVocabulary, embedding_dim: int) -> None:
        """Make an encoder known; needed once before its embeddings can be saved.

        Raises:
            CatalogError: The same fingerprint stands for other genres or another width.
        """
        names = json.dumps(list(genres.genres), ensure_ascii=False)
        with self.transaction() as transaction:
            connection = transaction.connection
            query = select(EncoderRow.genres, EncoderRow.embedding_dim)
            known = connection.execute(query.where(EncoderRow.fingerprint == fingerprint)).one_or_none()
            if known is None:
                row = {"fingerprint": fingerprint, "genres": names, "embedding_dim": embedding_dim}
                connection.execute(EncoderRow.__table__.insert(), [row])  # type: ignore[attr-defined]
            elif tuple(known) != (names, embedding_dim):
                raise CatalogError(
                    f"Encoder {fingerprint[:12]} is known with other genres or another width; "
                    "its checkpoint was altered: train or restore it under a new fingerprint."
                )

    def encoder_of(self, fingerprint: str) -> tuple[GenreVocabulary, int] | None:
        """Genres and width of an encoder; None where it is not known here."""
        query = select(EncoderRow.genres, EncoderRow.embedding_dim)
        with self._reading() as connection:
            row = connection.execute(query.where(EncoderRow.fingerprint == fingerprint)).one_or_none()
        return None if row is None else (GenreVocabulary(tuple(json.loads(row[0]))), int(row[1]))

    def save_embeddings(
        self,
        encoded: EncodedPosters,
        fingerprint: str,
        chosen: NDArray[np.bool_],
        hashes: Sequence[str],
    ) -> int:
        """Save one batch; movies that left the catalog meanwhile are passed over.

        Args:
            encoded: n embeddings and genre probabilities.
            fingerprint: Encoder, made known by ``add_encoder``.
            chosen: bool, (n, n_genres): probabilities above their thresholds.
            hashes: SHA-256 of each poster, n.

        Returns:
            How many rows were new or different.
        """
        rows = [
            (movie_id, sha256, vector.tobytes(), probs.tobytes(), bits.tobytes())
            for movie_id, sha256, vector, probs, bits in zip(
                encoded.movie_ids,
                hashes,
                encoded.embeddings.astype("<f2"),
                encoded.genre_probs.astype("<f2"),
                np.packbits(chosen, axis=1),
                strict=True,
            )
        ]
        with (
            self.transaction() as transaction,
            bulk.staged(transaction.connection, "new_embeddings", _COLUMNS, rows) as stage,
        ):
            connection = transaction.connection
            n_written = bulk.upsert_from(
                connection,
                EmbeddingRow,
                select(stage).where(in_catalog(stage)),
                {"fingerprint": fingerprint},
            )
            ids = select(stage.c.movie_id)
            if n_written and read_meta(connection, "fingerprint") in (fingerprint, None):
                self._stamp(transaction, ids)
                genres.refresh_predicted(connection, ids)
        return n_written

    def save_unreadable(self, failed: Sequence[UnreadablePoster]) -> None:
        """Record posters that could not be read; what an encoder made of their old bytes goes."""
        if not failed:
            return
        rows = [(one.movie_id, one.error) for one in failed]
        columns = {"movie_id": "text", "error": "text"}
        with (
            self.transaction() as transaction,
            bulk.staged(transaction.connection, "unreadable", columns, rows) as stage,
        ):
            connection = transaction.connection
            connection.execute(
                update(PosterRow).where(PosterRow.movie_id == stage.c.movie_id).values(error=stage.c.error)
            )
            self._drop_embeddings(transaction, select(stage.c.movie_id))

    def embedded_up_to(self, fingerprint: str) -> int:
        """Revision up to which every poster was looked at for this encoder; 0 before the first run."""
        with self._reading() as connection:
            kept = json.loads(read_meta(connection, _EMBEDDED) or "{}")
        return int(kept["revision"]) if kept.get("fingerprint") == fingerprint else 0

    def save_embedded_up_to(self, fingerprint: str, revision: int) -> None:
        """Keep what ``embedded_up_to`` says; takes no revision."""
        with self.transaction() as transaction:
            kept = {"fingerprint": fingerprint, "revision": revision}
            write_meta(transaction.connection, _EMBEDDED, json.dumps(kept))

    def n_embeddings(self, fingerprint: str) -> int:
        """How many movies have an embedding by this encoder."""
        query = select(func.count()).select_from(EmbeddingRow)
        with self._reading() as connection:
            return connection.scalar(query.where(EmbeddingRow.fingerprint == fingerprint)) or 0

    def _drop_embeddings(self, transaction: Transaction, ids: genres.Ids) -> int:
        """Delete every encoder's embedding of the movies; returns how many movies had one."""
        connection = transaction.connection
        had = select(EmbeddingRow.movie_id).distinct().where(EmbeddingRow.movie_id.in_(ids))
        movie_ids = list(connection.scalars(had))
        if not movie_ids:
            return 0
        with bulk.staged(
            connection, "unembedded", {"movie_id": "text"}, [(one,) for one in movie_ids]
        ) as stage:
            dropped = select(stage.c.movie_id)
            connection.execute(delete(EmbeddingRow).where(EmbeddingRow.movie_id.in_(dropped)))
            self._stamp(transaction, dropped)
            genres.refresh_predicted(connection, dropped)
        return len(movie_ids)

    @staticmethod
    def _stamp(transaction: Transaction, ids: genres.Ids) -> None:
        """Give the movies the transaction's revision: their row in the index is out of date."""
        transaction.connection.execute(
            update(MovieRow).where(MovieRow.movie_id.in_(ids)).values(revision=transaction.revision())
        )
