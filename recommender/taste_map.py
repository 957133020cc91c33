"""The map that predicts taste for movies nobody rated, apart from the library that fits it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def map_inputs(visual: NDArray[np.float32], genre: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the map reads: [visual | genre | 1], float32, (n, visual_dim + n_genres + 1)."""
    ones = np.ones((len(visual), 1), dtype=np.float32)
    return np.concatenate([visual, genre, ones], axis=1)


def predict_taste(
    visual: NDArray[np.float32], genre: NDArray[np.float32], taste_map: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Taste of movies nobody rated, from poster and genres.

    Args:
        visual: Unit rows, zero where unknown, (n, visual_dim).
        genre: Unit rows, zero where unknown, (n, n_genres).
        taste_map: (visual_dim + n_genres + 1, taste_dim).

    Returns:
        float32, (n, taste_dim), unit rows; zero for a movie with neither poster nor genres.
    """
    inputs = map_inputs(visual, genre)
    known = np.any(inputs[:, :-1] != 0, axis=1, keepdims=True)
    return np.where(known, unit_rows(inputs @ taste_map), 0).astype(np.float32)


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a zero row stays zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1), dtype=np.float32)
