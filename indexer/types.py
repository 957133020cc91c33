"""Result types of the store: an array never travels without the ids of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Movie:
    """One movie of the catalog.

    Args:
        movie_id: Public id, such as ``tt0133093``.
        title: Its title; the id where none is known.
        year: Year of release, where known.
        genres: Known genres, sorted; empty where none are known.
        predicted_genres: Genre to calibrated probability, from its poster; empty without one.
        chosen_genres: The predicted genres above their thresholds.
        n_ratings: How many people rated it.
        poster: Path of its poster file, absolute; None without one.
        poster_hash: SHA-256 of the poster's bytes; None without one.
        artwork_group: Movies with the same number have near-identical posters; None for its own.
        revision: Catalog revision of its last change.
    """

    movie_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    predicted_genres: dict[str, float] = field(default_factory=dict)
    chosen_genres: tuple[str, ...] = ()
    n_ratings: int = 0
    poster: str | None = None
    poster_hash: str | None = None
    artwork_group: int | None = None
    revision: int = 0


@dataclass(frozen=True)
class Ratings:
    """Who rated what and how: four arrays of one length.

    Args:
        user_ids: Text ids.
        movie_ids: Text ids.
        values: float32, 0.5 to 5.
        rated_at: int64, seconds since 1970; 0 where unknown.
    """

    user_ids: NDArray[np.object_]
    movie_ids: NDArray[np.object_]
    values: NDArray[np.float32]
    rated_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Rows:
    """The three blocks of some movies.

    Args:
        movie_ids: n ids.
        visual: float32, (n, visual_dim), unit rows, zero where unknown.
        genre: float32, (n, n_genres), unit rows, zero where unknown.
        taste: float32, (n, taste_dim), unit rows, zero where unknown; taste_dim may be 0.
        known: bool, (n, 3), which signal is known, in the order visual, genre, taste.
        n_ratings: int32, (n,).
    """

    movie_ids: tuple[str, ...]
    visual: NDArray[np.float32]
    genre: NDArray[np.float32]
    taste: NDArray[np.float32]
    known: NDArray[np.bool_]
    n_ratings: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.movie_ids)


@dataclass(frozen=True)
class Neighbours:
    """Found movies, nearest first, equal scores by movie id.

    Args:
        movie_ids: n ids.
        scores: float32, (n,), inner products with the query; higher is closer.
    """

    movie_ids: tuple[str, ...]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.movie_ids)


@dataclass(frozen=True)
class TasteFactors:
    """Item factors of a collaborative model, and the map that predicts them.

    Args:
        movie_ids: n ids: every movie that has a row, rated or not.
        factors: float32, (n, taste_dim), unit rows; predicted ones for unrated movies.
        n_ratings: int32, (n,), how many ratings stand behind each row.
        map: float32, (visual_dim + n_genres + 1, taste_dim): [visual | genre | 1] @ map predicts a row.
        model_id: Hash of settings and data the factors came from.
    """

    movie_ids: tuple[str, ...]
    factors: NDArray[np.float32]
    n_ratings: NDArray[np.int32]
    map: NDArray[np.float32]
    model_id: str
