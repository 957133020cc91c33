"""The three blocks of a row, [ visual | genre | taste ], joined and taken apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows

Widths = tuple[int, int, int]


def join(rows: Rows) -> NDArray[np.float32]:
    """Set the blocks of each row side by side.

    Returns:
        float32, shape (n, visual_dim + n_genres + taste_dim).
    """
    return np.concatenate([rows.visual, rows.genre, rows.taste], axis=1, dtype=np.float32)


def slices(widths: Widths) -> tuple[slice, slice, slice]:
    """Columns of the visual, genre and taste block in a joined row.

    Example:
        >>> slices((256, 24, 64))
        (slice(0, 256, None), slice(256, 280, None), slice(280, 344, None))
    """
    visual, genre, taste = widths
    return slice(0, visual), slice(visual, visual + genre), slice(visual + genre, visual + genre + taste)


def split(
    joined: NDArray[np.float32], widths: Widths
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Take joined rows apart; the blocks are views, shape (n, width) each."""
    visual, genre, taste = (joined[:, part] for part in slices(widths))
    return visual, genre, taste


def widths_of(rows: Rows) -> Widths:
    """Widths of the blocks visual, genre, taste."""
    return rows.visual.shape[1], rows.genre.shape[1], rows.taste.shape[1]


SIMD_WIDTH = 16
"""FAISS takes its quick path for rows whose width is a multiple of this; others are ten times slower."""


def padded_width(dim: int) -> int:
    """The least multiple of ``SIMD_WIDTH`` that holds ``dim`` numbers.

    Example:
        >>> padded_width(343)
        352
    """
    return dim + (-dim) % SIMD_WIDTH


def pad(joined: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with zeros appended up to ``padded_width``, float32, contiguous."""
    dim = joined.shape[1]
    if padded_width(dim) == dim:
        return np.ascontiguousarray(joined, dtype=np.float32)
    padded = np.zeros((len(joined), padded_width(dim)), dtype=np.float32)
    padded[:, :dim] = joined
    return padded
