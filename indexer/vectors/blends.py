"""Weights of a blend as an index sees them: what a query asks, and how rows are asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.blocks import Widths, slices, split

Blend = tuple[float, float, float]

_SAMPLE = 20_000


def measure_spreads(joined: NDArray[np.float32], widths: Widths, seed: int = 0) -> NDArray[np.float64]:
    """Standard deviation of each block's inner product over random pairs, float64, (3,); 1 where it is 0."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, len(joined), (2, _SAMPLE))
    found = [np.einsum("ij,ij->i", joined[left, part], joined[right, part]).std() for part in slices(widths)]
    return np.array([spread if spread > 1e-6 else 1.0 for spread in found])


def usual_lengths(joined: NDArray[np.float32], widths: Widths) -> NDArray[np.float64]:
    """Median length of each block among the rows that have it, float64, (3,); 1 where none has."""
    found = []
    for block in split(joined, widths):
        lengths = np.linalg.norm(block, axis=1)
        known = lengths[lengths > 0]
        found.append(float(np.median(known)) if len(known) else 1.0)
    return np.array(found)


def blend_of(
    query: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64], lengths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shares of the signals that a query asks for, in units of their spread, summing to 1; float64, (3,).

    Args:
        query: float32, (dim,).
        widths: Of the blocks.
        spreads: As ``measure_spreads`` gives them.
        lengths: Usual length of a row's blocks, (3,).
    """
    asked = np.array([np.linalg.norm(query[part]) for part in slices(widths)]) / lengths * spreads
    total = asked.sum()
    return asked / total if total > 0 else np.full(3, 1 / 3)


def queries_for(
    rows: NDArray[np.float32], blend: Blend, widths: Widths, spreads: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Queries that ask rows for a blend, float32, (n, dim), of about unit length."""
    weights = np.array(blend) / spreads
    queries: NDArray[np.float32] = (rows * np.repeat(weights / weights.sum(), widths)).astype(np.float32)
    return queries


def scales(blend: Blend, widths: Widths, spreads: NDArray[np.float64]) -> NDArray[np.float32]:
    """What a row is multiplied by so that inner products of two rows follow a blend; float32, (dim,)."""
    weights = np.array(blend) / spreads
    scale: NDArray[np.float32] = np.repeat(np.sqrt(weights / weights.sum()), widths).astype(np.float32)
    return scale
