"""Genres of movies: the known ones, else those that were chosen from the poster."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Select, delete, exists, func, insert, select

from indexer.catalog import bulk
from indexer.catalog.base import CatalogBase, read_meta
from indexer.models import EmbeddingRow, EncoderRow, GenreRow, MovieGenreRow

Ids = Select[Any]
"""A query whose one column is movie ids."""


class Predicted(NamedTuple):
    """What the encoder in use says of a poster."""

    probs: dict[str, float]
    chosen: tuple[str, ...]


class Genres(CatalogBase):
    """The vocabulary of the catalog."""

    def genre_counts(self) -> dict[str, int]:
        """How many movies carry each genre (known, else predicted), most frequent first."""
        with self._reading() as connection:
            count = func.count().label("n")
            rows = connection.execute(
                select(GenreRow.name, count)
                .join(MovieGenreRow, MovieGenreRow.genre_id == GenreRow.genre_id)
                .group_by(GenreRow.name)
            )
            return dict(sorted(((name, n) for name, n in rows), key=lambda one: (-one[1], one[0])))


def known_of(connection: Connection, ids: Ids) -> dict[str, list[str]]:
    """Known genres of those movies that have any."""
    rows = connection.execute(
        select(MovieGenreRow.movie_id, GenreRow.name)
        .join(GenreRow, GenreRow.genre_id == MovieGenreRow.genre_id)
        .where(MovieGenreRow.movie_id.in_(ids), ~MovieGenreRow.predicted)
    )
    found: dict[str, list[str]] = {}
    for movie_id, name in rows:
        found.setdefault(movie_id, []).append(name)
    return found


def encoder_genres(connection: Connection, fingerprint: str) -> tuple[str, ...] | None:
    """Genres of an encoder in column order; None where it never embedded a poster of this catalog."""
    text = connection.scalar(select(EncoderRow.genres).where(EncoderRow.fingerprint == fingerprint))
    return None if text is None else tuple(json.loads(text))


def predicted_of(connection: Connection, ids: Ids) -> dict[str, Predicted]:
    """What the encoder in use says of those movies that it has seen."""
    fingerprint = read_meta(connection, "fingerprint")
    names = encoder_genres(connection, fingerprint) if fingerprint else None
    if not names:
        return {}
    rows = connection.execute(
        select(EmbeddingRow.movie_id, EmbeddingRow.genre_probs, EmbeddingRow.chosen).where(
            EmbeddingRow.movie_id.in_(ids), EmbeddingRow.fingerprint == fingerprint
        )
    )
    return {
        movie_id: Predicted(
            {name: float(prob) for name, prob in zip(names, np.frombuffer(probs, "<f2"), strict=True)},
            chosen_names(names, chosen),
        )
        for movie_id, probs, chosen in rows
    }


def chosen_names(names: tuple[str, ...], chosen: bytes) -> tuple[str, ...]:
    """Names of the bits that are set, in column order."""
    bits = np.unpackbits(np.frombuffer(chosen, np.uint8), count=len(names))
    return tuple(name for name, bit in zip(names, bits, strict=True) if bit)


def replace_known(connection: Connection, known: dict[str, tuple[str, ...]]) -> None:
    """Set the known genres of movies; a movie that loses its last one gets the predicted ones back."""
    ids = [(movie_id,) for movie_id in known]
    with bulk.staged(connection, "regenred", {"movie_id": "text"}, ids) as stage:
        wanted = select(stage.c.movie_id)
        connection.execute(delete(MovieGenreRow).where(MovieGenreRow.movie_id.in_(wanted)))
        _insert(connection, [(one, name, False) for one, names in known.items() for name in names])
        if not all(known.values()):
            refresh_predicted(connection, wanted)


def refresh_predicted(connection: Connection, ids: Ids) -> None:
    """Give movies without a known genre the ones that the encoder in use chose from their posters."""
    lacking = ids.where(
        ~exists().where(MovieGenreRow.movie_id == ids.selected_columns[0], ~MovieGenreRow.predicted)
    )
    predicted = predicted_of(connection, lacking)
    connection.execute(
        delete(MovieGenreRow).where(MovieGenreRow.movie_id.in_(lacking), MovieGenreRow.predicted)
    )
    rows = [(movie_id, name, True) for movie_id, one in predicted.items() for name in one.chosen]
    _insert(connection, rows)


def _insert(connection: Connection, rows: Sequence[tuple[str, str, bool]]) -> None:
    if not rows:
        return
    number = _genre_ids(connection, {name for _, name, _ in rows})
    numbered = [(movie_id, number[name], predicted) for movie_id, name, predicted in rows]
    columns = {"movie_id": "text", "genre_id": "int", "predicted": "bool"}
    with bulk.staged(connection, "new_genres", columns, numbered) as stage:
        bulk.upsert_from(connection, MovieGenreRow, select(stage))


def _genre_ids(connection: Connection, names: set[str]) -> dict[str, int]:
    known = {name: number for name, number in connection.execute(select(GenreRow.name, GenreRow.genre_id))}
    missing = sorted(names - set(known))
    if missing:
        connection.execute(insert(GenreRow), [{"name": name} for name in missing])
        return _genre_ids(connection, names)
    return known
