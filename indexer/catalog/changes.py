"""What changed since a revision, and which encoder and taste model are in use."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from indexer.catalog import bulk, genres
from indexer.catalog.base import CatalogBase, read_meta, write_meta
from indexer.catalog.records import Active, Changes
from indexer.models import EmbeddingRow, EncoderRow, MovieRow, RemovalRow, TasteFactorRow, TasteMapRow


class ChangeLog(CatalogBase):
    """The revisions that an index follows."""

    def changes_since(self, revision: int) -> Changes:
        """Movies whose row changed, and movies that left, after ``revision``."""
        with self.consistent_read(), self._reading() as connection:
            changed = connection.scalars(select(MovieRow.movie_id).where(MovieRow.revision > revision))
            removed = connection.scalars(select(RemovalRow.movie_id).where(RemovalRow.revision > revision))
            return Changes(self.revision(), tuple(sorted(changed)), tuple(sorted(removed)))

    def activate(self, fingerprint: str | None, taste_model: str | None) -> Active:
        """Say which encoder and taste model the snapshot just published stands on.

        Changes under other encoders and models take no revision: until this call they are only
        being prepared. The predicted genres of movies follow the encoder.

        Returns:
            What was active before.
        """
        with self.transaction() as transaction:
            connection = transaction.connection
            before = self.active()
            if before == Active(fingerprint, taste_model):
                return before
            transaction.revision()
            for key, value in (("fingerprint", fingerprint), ("taste_model", taste_model)):
                if value is not None and read_meta(connection, key) != value:
                    write_meta(connection, key, value)
            if fingerprint is not None and fingerprint != before.fingerprint:
                genres.refresh_predicted(connection, select(MovieRow.movie_id))
        return before

    def forget_inactive(self) -> int:
        """Delete what encoders and taste models that are no longer in use left behind.

        Returns:
            How many embeddings were deleted.
        """
        with self.transaction() as transaction:
            connection = transaction.connection
            now = self.active()
            n_deleted = 0
            if now.fingerprint is not None:
                for stale in _others(EmbeddingRow.fingerprint, now.fingerprint):
                    n_deleted += connection.execute(delete(EmbeddingRow).where(stale)).rowcount
                connection.execute(delete(EncoderRow).where(EncoderRow.fingerprint != now.fingerprint))
            if now.taste_model is not None:
                for stale in _others(TasteFactorRow.model_id, now.taste_model):
                    connection.execute(delete(TasteFactorRow).where(stale))
                connection.execute(delete(TasteMapRow).where(TasteMapRow.model_id != now.taste_model))
        return n_deleted

    def removed_ids(self, movie_ids: Sequence[str]) -> set[str]:
        """Those of the ids that were in the catalog once and were taken out."""
        key = RemovalRow.movie_id
        with self._reading() as connection, bulk.among(connection, key, movie_ids) as chosen:
            return set(connection.scalars(select(key).where(chosen)))


def _others(key: InstrumentedAttribute[str], value: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions for every other value, each of which an index answers; ``!=`` would read the whole table."""
    return key < value, key > value
