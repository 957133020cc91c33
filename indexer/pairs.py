"""How alike two random movies are, per signal: the scale that scores are read on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows

N_PAIRS = 20_000


def random_pairs(rows: Rows, rng: np.random.Generator, n_pairs: int = N_PAIRS) -> NDArray[np.float32]:
    """Cosines of random pairs of different movies.

    Returns:
        float32, shape (n_pairs, 3), signals visual, genre, taste; NaN where one
        of the two lacks the signal. Shape (0, 3) for fewer than two movies.
    """
    if len(rows) < 2:
        return np.empty((0, 3), dtype=np.float32)
    left = rng.integers(0, len(rows), n_pairs)
    right = (left + rng.integers(1, len(rows), n_pairs)) % len(rows)
    pairs = np.empty((n_pairs, 3), dtype=np.float32)
    for signal, block in enumerate((rows.visual, rows.genre, rows.taste)):
        cosines = np.einsum("ij,ij->i", block[left].astype(np.float64), block[right].astype(np.float64))
        both = rows.known[left, signal] & rows.known[right, signal]
        pairs[:, signal] = np.where(both, cosines, np.nan)
    return pairs


def spreads(pairs: NDArray[np.float32]) -> tuple[float, float, float]:
    """Standard deviation of each signal's cosine over the pairs; 1 where it cannot be measured."""
    found = []
    for column in pairs.T:
        values = column[~np.isnan(column)].astype(np.float64)
        spread = float(values.std()) if len(values) > 1 else 0.0
        found.append(spread if spread > 1e-6 else 1.0)
    return found[0], found[1], found[2]
