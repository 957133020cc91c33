"""Which graph of a portfolio to walk, and with what beam, found by trying it on rows of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.blends import Blend, queries_for
from indexer.vectors.blocks import Widths

Walk = Callable[[NDArray[np.float32], int, int, int], tuple[NDArray[np.int64], int]]
"""(query, graph, beam, n) to the rows found, best first, and how many rows were looked at."""

N_QUERIES = 48
RECALL = 0.995
"""What a beam must reach on the tried queries, so that 0.99 is reached on others."""
BEAMS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
_K = 10
_CHUNK = 65_536


@dataclass(frozen=True)
class Anchor:
    """The best walk found for one blend: number of the graph, width of the beam."""

    blend: Blend
    graph: int
    beam: int


def anchor_blends() -> list[Blend]:
    """Where walks are tried: the weight simplex in steps of a quarter, and near its corners."""
    grid = [(a / 4, b / 4, 1 - (a + b) / 4) for a, b in product(range(5), repeat=2) if a + b <= 4]
    near = [(0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9), (1 / 3, 1 / 3, 1 / 3)]
    return [*grid, *near]


def choose_anchor(anchors: Sequence[Anchor], blend: NDArray[np.float64]) -> Anchor:
    """The nearest anchor's graph, with the wider beam of the two nearest anchors that walk it."""
    away = [float(np.abs(np.array(one.blend) - blend).sum()) for one in anchors]
    order = np.argsort(away, kind="stable")
    nearest = anchors[int(order[0])]
    if away[int(order[0])] < 1e-6:
        return nearest
    beams = [anchors[int(i)].beam for i in order[:3] if anchors[int(i)].graph == nearest.graph]
    return Anchor(nearest.blend, nearest.graph, max(beams))


def tune(
    joined: NDArray[np.float32], widths: Widths, spreads: NDArray[np.float64], walk: Walk, n_graphs: int
) -> tuple[Anchor, ...]:
    """Find, per blend, the walk that looks at the fewest rows among those that find nearly all.

    Args:
        joined: float32, (n, dim), the rows.
        widths: Of their blocks.
        spreads: Standard deviation of each block's inner product over random pairs, (3,).
        walk: Walks one of the graphs.
        n_graphs: How many there are.
    """
    rng = np.random.default_rng(0)
    sample = joined[np.sort(rng.choice(len(joined), min(N_QUERIES, len(joined)), replace=False))]
    return tuple(
        _best_walk(joined, queries_for(sample, blend, widths, spreads), blend, walk, n_graphs)
        for blend in anchor_blends()
    )


def _best_walk(
    joined: NDArray[np.float32], queries: NDArray[np.float32], blend: Blend, walk: Walk, n_graphs: int
) -> Anchor:
    """Try every graph with wider and wider beams, until it finds nearly all or has become too dear."""
    tenth = kth_scores(joined, queries, _K)
    best, cheapest = Anchor(blend, 0, BEAMS[-1]), float("inf")
    for graph in range(n_graphs):
        for beam in BEAMS:
            walked = [walk(query, graph, beam, _K) for query in queries]
            cost = float(np.mean([looked_at for _, looked_at in walked]))
            if cost >= cheapest:
                break
            if _recall(joined, queries, tenth, [rows for rows, _ in walked]) >= RECALL:
                best, cheapest = Anchor(blend, graph, beam), cost
                break
    return best


def _recall(
    joined: NDArray[np.float32],
    queries: NDArray[np.float32],
    tenth: NDArray[np.float32],
    found: Sequence[NDArray[np.int64]],
) -> float:
    """Share of the true k best that were found; a row as good as the k-th is as right as it."""
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
