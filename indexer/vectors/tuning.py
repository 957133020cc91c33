"""How many rows must be ranked again for a blend, found by trying it on rows of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.blends import Blend, queries_for
from indexer.vectors.blocks import Widths

Ranked = Callable[[NDArray[np.float32], int, int], NDArray[np.int64]]
"""(query, n_ranked, k) to the k best rows among the n_ranked most promising ones."""

N_QUERIES = 96
RECALL = 0.996
"""What must be reached on the tried queries, so that 0.99 is reached on others."""
EFFORTS = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192, 16384)
_K = 10
_CHUNK = 65_536


@dataclass(frozen=True)
class Effort:
    """How many rows are ranked again for a blend, to find its ten best."""

    blend: Blend
    n_ranked: int


def tried_blends() -> list[Blend]:
    """Where it is tried: the weight simplex in steps of a quarter, near its corners, its middle."""
    grid = [(a / 4, b / 4, 1 - (a + b) / 4) for a, b in product(range(5), repeat=2) if a + b <= 4]
    near = [(0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9), (1 / 3, 1 / 3, 1 / 3)]
    return [*grid, *near]


def effort_for(efforts: Sequence[Effort], blend: NDArray[np.float64], k: int) -> int:
    """Rows to rank for the k best of a blend: the greater effort of the two nearest tried blends."""
    if not efforts:
        return EFFORTS[-1]
    away = [float(np.abs(np.array(one.blend) - blend).sum()) for one in efforts]
    order = np.argsort(away, kind="stable")
    near = order[:1] if away[int(order[0])] < 1e-6 else order[:2]
    n_ranked = max(efforts[int(i)].n_ranked for i in near)
    return max(n_ranked, n_ranked * k // _K)


def tune(
    joined: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64], ranked: Ranked
) -> tuple[Effort, ...]:
    """Find, per blend, the least effort that finds nearly all of the ten best.

    Args:
        joined: float32, (n, dim), the rows.
        widths: Of their blocks.
        spreads: Standard deviation of each block's inner product over random pairs, (3,).
        ranked: Searches with an effort.
    """
    rng = np.random.default_rng(0)
    sample = joined[np.sort(rng.choice(len(joined), min(N_QUERIES, len(joined)), replace=False))]
    efforts = []
    for blend in tried_blends():
        queries = queries_for(sample, blend, widths, spreads)
        tenth = kth_scores(joined, queries, _K)
        efforts.append(Effort(blend, _least_effort(joined, queries, tenth, ranked)))
    return tuple(efforts)


def _least_effort(
    joined: NDArray[np.float32], queries: NDArray[np.float32], tenth: NDArray[np.float32], ranked: Ranked
) -> int:
    for n_ranked in EFFORTS:
        found = [ranked(query, n_ranked, _K) for query in queries]
        if recall(joined, queries, tenth, found) >= RECALL:
            return n_ranked
    return EFFORTS[-1]


def recall(
    joined: NDArray[np.float32],
    queries: NDArray[np.float32],
    tenth: NDArray[np.float32],
    found: Sequence[NDArray[np.int64]],
) -> float:
    """Share of the true ten best that were found; a row as good as the tenth is as right as it."""
    slack = 1e-6 * float(np.linalg.norm(queries, axis=1).max())
    right = [
        int((joined[rows] @ query >= least - slack).sum())
        for rows, query, least in zip(found, queries, tenth, strict=True)
    ]
    return sum(right) / (min(_K, len(joined)) * len(queries))


def kth_scores(joined: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Inner product of each query with its k-th best row, by looking at every row; float32, (m,)."""
    best: NDArray[np.float32] = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for start in range(0, len(joined), _CHUNK):
        scores = queries @ joined[start : start + _CHUNK].T
        both = np.concatenate([best, scores], axis=1)
        best = -np.partition(-both, k - 1, axis=1)[:, :k]
    least: NDArray[np.float32] = best.min(axis=1)
    return least
