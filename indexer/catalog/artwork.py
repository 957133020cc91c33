"""Perceptual hashes of posters, and the groups of near-identical artwork."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from indexer.catalog import bulk
from indexer.catalog.embeddings import Embeddings
from indexer.catalog.records import PosterFile
from indexer.models import PosterRow

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


class Artwork(Embeddings):
    """What is needed to find posters that show the same picture."""

    def posters_to_hash(self) -> list[PosterFile]:
        """Readable poster files that have no perceptual hash yet, by movie id."""
        query = (
            select(PosterRow.movie_id, PosterRow.path, PosterRow.sha256)
            .where(PosterRow.sha256.is_not(None), PosterRow.phash.is_(None), PosterRow.error.is_(None))
            .order_by(PosterRow.movie_id)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [PosterFile(one, str(self.home / path), sha256) for one, path, sha256 in rows if path]

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

    def hashes(self) -> dict[str, str]:
        """Perceptual hash of every poster that has one, by movie id, sorted."""
        query = select(PosterRow.movie_id, PosterRow.phash).where(PosterRow.phash.is_not(None))
        with self._reading() as connection:
            rows = connection.execute(query.order_by(PosterRow.movie_id))
            return {movie_id: phash for movie_id, phash in rows if phash}

    def artwork_groups(self) -> dict[str, int]:
        """Group of every movie that shares its artwork with another."""
        query = select(PosterRow.movie_id, PosterRow.artwork_group)
        with self._reading() as connection:
            rows = connection.execute(query.where(PosterRow.artwork_group.is_not(None)))
            return {movie_id: group for movie_id, group in rows if group is not None}

    def save_artwork_groups(self, groups: Mapping[str, int]) -> int:
        """Replace all groups; movies that are not named stand alone.

        Returns:
            How many movies changed their group; only those take the revision.
        """
        with self.transaction() as transaction:
            before = self.artwork_groups()
            moved = [
                (movie_id, groups.get(movie_id))
                for movie_id in sorted({*before, *groups})
                if before.get(movie_id) != groups.get(movie_id)
            ]
            if not moved:
                return 0
            columns = {"movie_id": "text", "artwork_group": "int"}
            with bulk.staged(transaction.connection, "moved", columns, moved) as stage:
                transaction.connection.execute(
                    update(PosterRow)
                    .where(PosterRow.movie_id == stage.c.movie_id)
                    .values(artwork_group=stage.c.artwork_group)
                )
                self._stamp(transaction, select(stage.c.movie_id))
        return len(moved)
