"""Perceptual hashes of posters, and the groups of near-identical artwork."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update

from indexer.catalog import bulk
from indexer.catalog.embeddings import Embeddings
from indexer.models import EmbeddingRow, PosterRow

_HASHES = {"movie_id": "text", "phash": "text", "width": "int", "height": "int"}


@dataclass(frozen=True)
class HashedPoster:
    """What a poster looks like in 64 bits.

    Args:
        movie_id: Whose poster it is.
        phash: 16 hexadecimal digits.
        width: Pixels.
        height: Pixels.
    """

    movie_id: str
    phash: str
    width: int
    height: int


@dataclass(frozen=True)
class ReadPoster:
    """A poster whose bytes were read and are an image, as far as anybody knows.

    Args:
        movie_id: Whose poster it is.
        path: Absolute path.
        sha256: Hash of its bytes, hexadecimal.
        phash: Perceptual hash, 16 hexadecimal digits; None before it was taken.
        group: Movies with the same number show one picture; None for its own.
    """

    movie_id: str
    path: str
    sha256: str
    phash: str | None
    group: int | None


class Artwork(Embeddings):
    """What is needed to find posters that show the same picture."""

    def read_posters(self, movie_ids: Sequence[str]) -> list[ReadPoster]:
        """Those of some movies' posters that were read and can be, by movie id."""
        query = select(
            PosterRow.movie_id, PosterRow.path, PosterRow.sha256, PosterRow.phash, PosterRow.artwork_group
        ).where(PosterRow.path.is_not(None), PosterRow.sha256.is_not(None), PosterRow.error.is_(None))
        with self._reading() as connection, bulk.among(connection, PosterRow.movie_id, movie_ids) as chosen:
            rows = connection.execute(query.where(chosen).order_by(PosterRow.movie_id)).all()
        return [
            ReadPoster(movie_id, str(self.home / path), sha256, phash, group)
            for movie_id, path, sha256, phash, group in rows
            if path and sha256
        ]

    def embeddings_of(
        self, fingerprint: str, movie_ids: Sequence[str]
    ) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Those of some movies that have an embedding, and the embeddings.

        Returns:
            n ids, sorted, and float32, (n, embedding_dim); (0, 0) where none has one.
        """
        key = EmbeddingRow.movie_id
        with self._reading() as connection, bulk.among(connection, key, movie_ids) as chosen:
            query = select(key, EmbeddingRow.vector).where(chosen, EmbeddingRow.fingerprint == fingerprint)
            rows = connection.execute(query.order_by(key)).all()
        if not rows:
            return (), np.empty((0, 0), dtype=np.float32)
        ids, vectors = zip(*rows, strict=True)
        numbers = np.frombuffer(b"".join(vectors), "<f2").astype(np.float32)
        return ids, numbers.reshape(len(ids), -1)

    def save_hashes(self, hashed: Sequence[HashedPoster]) -> None:
        """Record perceptual hashes and sizes."""
        if not hashed:
            return
        rows = [(one.movie_id, one.phash, one.width, one.height) for one in hashed]
        with (
            self.transaction() as transaction,
            bulk.staged(transaction.connection, "new_hashes", _HASHES, rows) as stage,
        ):
            transaction.connection.execute(
                update(PosterRow)
                .where(PosterRow.movie_id == stage.c.movie_id)
                .values(phash=stage.c.phash, width=stage.c.width, height=stage.c.height)
            )

    def artwork_groups(self) -> dict[str, int]:
        """Group of every movie that shares its artwork with another."""
        query = select(PosterRow.movie_id, PosterRow.artwork_group)
        with self._reading() as connection:
            rows = connection.execute(query.where(PosterRow.artwork_group.is_not(None)))
            return {movie_id: group for movie_id, group in rows if group is not None}

    def save_artwork_groups(self, groups: Mapping[str, int | None]) -> int:
        """Put movies into groups, or, with None, out of theirs; others stay where they are.

        Returns:
            How many movies changed their group; only those take the revision.
        """
        columns = {"movie_id": "text", "artwork_group": "int"}
        with self.transaction() as transaction:
            connection = transaction.connection
            with bulk.staged(connection, "grouped", columns, list(groups.items())) as stage:
                differs = PosterRow.artwork_group.is_distinct_from(stage.c.artwork_group)
                same_movie = PosterRow.movie_id == stage.c.movie_id
                moved = connection.scalars(select(PosterRow.movie_id).where(same_movie, differs)).all()
                if not moved:
                    return 0
                connection.execute(
                    update(PosterRow).where(same_movie, differs).values(artwork_group=stage.c.artwork_group)
                )
            with bulk.staged(connection, "moved", {"movie_id": "text"}, [(one,) for one in moved]) as stage:
                self._stamp(transaction, select(stage.c.movie_id))
        return len(moved)
