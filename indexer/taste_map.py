"""The map that predicts taste for movies nobody rated: from poster, genres and year.

It stands here because a movie that is put in gets its place at once, without
the library that fits taste.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ERA_CENTRES = np.arange(1910, 2030, 10, dtype=np.float32)
ERA_DIM = len(ERA_CENTRES)
ERA_WIDTH_YEARS = 7.0
PREDICTED_LENGTH = 0.2
"""Length of a predicted row, which is that of a movie liked as well as others of its fame.

A taste row is as long as people's liking carries, at most 1: a movie that is
liked better than others rated as often is a safer answer. Fame itself, which
says little of likeness, lengthens a row only a little.
"""

EVEN_RATINGS = 5.0
"""Ratings at which a movie's own taste and the predicted one count alike; fewer leave it mostly predicted."""


def era_inputs(years: NDArray[np.int16]) -> NDArray[np.float32]:
    """How near each year is to each decade, so that a linear map can bend along time.

    Returns:
        float32, (n, ERA_DIM), in [0, 1]; zero where the year is 0, that is unknown.

    Example:
        >>> era_inputs(np.array([1990, 0], dtype=np.int16)).argmax(axis=1).tolist()
        [8, 0]
    """
    away = (years.astype(np.float32)[:, None] - ERA_CENTRES) / ERA_WIDTH_YEARS
    return np.where(years[:, None] > 0, np.exp(-0.5 * away**2), 0).astype(np.float32)


def map_inputs(
    visual: NDArray[np.float32], genre: NDArray[np.float32], years: NDArray[np.int16]
) -> NDArray[np.float32]:
    """What the map reads: [visual | genre | era | 1], float32, (n, visual_dim + n_genres + ERA_DIM + 1)."""
    ones = np.ones((len(visual), 1), dtype=np.float32)
    return np.concatenate([visual, genre, era_inputs(years), ones], axis=1)


def predict_taste(
    visual: NDArray[np.float32],
    genre: NDArray[np.float32],
    taste_map: NDArray[np.float32],
    years: NDArray[np.int16] | None = None,
) -> NDArray[np.float32]:
    """Taste of movies nobody rated, from poster, genres and year.

    Args:
        visual: Unit rows, zero where unknown, (n, visual_dim).
        genre: Unit rows, zero where unknown, (n, n_genres).
        taste_map: (visual_dim + n_genres + ERA_DIM + 1, taste_dim).
        years: int16, (n,), 0 where unknown; None where no year is known.

    Returns:
        float32, (n, taste_dim), rows of length ``PREDICTED_LENGTH``; zero for a movie with neither
        poster nor genres.
    """
    inputs = map_inputs(visual, genre, np.zeros(len(visual), dtype=np.int16) if years is None else years)
    placed = np.any(visual != 0, axis=1) | np.any(genre != 0, axis=1)
    return np.where(placed[:, None], PREDICTED_LENGTH * unit_rows(inputs @ taste_map), 0).astype(np.float32)


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a zero row stays zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1), dtype=np.float32)
