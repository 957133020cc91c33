"""Taste factors and the map that predicts them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, func, select, update

from indexer.catalog import bulk
from indexer.catalog.base import CatalogBase, in_catalog, read_meta
from indexer.models import MovieRow, TasteFactorRow, TasteMapRow
from indexer.types import TasteFactors

_COLUMNS = {"movie_id": "text", "factor": "blob", "n_ratings": "int", "predicted": "bool"}


class Taste(CatalogBase):
    """Taste factors, by movie and model."""

    def save_taste(self, taste: TasteFactors) -> int:
        """Save factors of a model, and its map when it is new; other models stay as they are.

        Returns:
            How many factors were new or different; only those change their movies' revision, and
            only where the model is the one in use.
        """
        factors = taste.factors.astype("<f2")
        counts = taste.n_ratings.tolist()
        rows = [
            (movie_id, factor.tobytes(), n, n == 0)
            for movie_id, factor, n in zip(taste.movie_ids, factors, counts, strict=True)
        ]
        with (
            self.transaction() as transaction,
            bulk.staged(transaction.connection, "new_factors", _COLUMNS, rows) as stage,
        ):
            connection = transaction.connection
            same = select(TasteFactorRow.movie_id).where(
                TasteFactorRow.movie_id == stage.c.movie_id,
                TasteFactorRow.model_id == taste.model_id,
                TasteFactorRow.factor == stage.c.factor,
                TasteFactorRow.n_ratings == stage.c.n_ratings,
            )
            new = and_(in_catalog(stage), ~same.exists())
            ids = select(stage.c.movie_id).where(new)
            n_new = connection.scalar(select(func.count()).select_from(ids.subquery())) or 0
            if n_new and read_meta(connection, "taste_model") == taste.model_id:
                # Before they are saved: afterwards all of them are the same.
                connection.execute(
                    update(MovieRow).where(MovieRow.movie_id.in_(ids)).values(revision=transaction.revision())
                )
            constants = {"model_id": taste.model_id}
            bulk.upsert_from(connection, TasteFactorRow, select(stage).where(new), constants)
            known = select(TasteMapRow.model_id).where(TasteMapRow.model_id == taste.model_id)
            if connection.scalar(known) is None:
                connection.execute(
                    TasteMapRow.__table__.insert(),  # type: ignore[attr-defined]
                    [
                        {
                            "model_id": taste.model_id,
                            "map": taste.map.astype("<f4").tobytes(),
                            "n_rows": taste.map.shape[0],
                            "n_columns": taste.map.shape[1],
                        }
                    ],
                )
        return n_new

    def has_unfitted(self, model_id: str | None, movie_ids: Sequence[str]) -> bool:
        """Whether one of the movies was rated and its factor under a model is not from its ratings."""
        fitted = select(TasteFactorRow.movie_id).where(
            TasteFactorRow.movie_id == MovieRow.movie_id,
            TasteFactorRow.model_id == (model_id or ""),
            TasteFactorRow.predicted.is_(False),
        )
        key = MovieRow.movie_id
        with self._reading() as connection, bulk.among(connection, key, movie_ids) as chosen:
            rated = select(key).where(chosen, MovieRow.n_ratings > 0, ~fitted.exists())
            return connection.scalar(rated.limit(1)) is not None

    def find_map(self, model_id: str) -> NDArray[np.float32] | None:
        """The map of a model, float32, (visual_dim + n_genres + 1, taste_dim); None where unknown."""
        query = select(TasteMapRow.map, TasteMapRow.n_rows, TasteMapRow.n_columns)
        with self._reading() as connection:
            row = connection.execute(query.where(TasteMapRow.model_id == model_id)).one_or_none()
        if row is None:
            return None
        return np.frombuffer(row[0], "<f4").astype(np.float32).reshape(row[1], row[2])
