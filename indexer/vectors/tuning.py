"""How far to look for a blend, and along which graph, found by trying it on rows of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.base import rank_vectors
from indexer.vectors.blends import Blend, queries_for
from indexer.vectors.blocks import Widths, slices

Walk = Callable[[int, NDArray[np.float32], int], NDArray[np.int64]]
"""(graph, query, beam) to the rows that a walk along that graph leaves to be ranked for the ten best."""

N_QUERIES = 192
RECALL = 0.992
"""What must be reached on the tried queries, so that 0.99 is reached on others."""
BEAMS = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072)
NOT_ENOUGH = 1 << 20
"""Stands for a graph that no beam makes good enough, or only one far wider than another graph needs."""
_FAR_WIDER = 2
_STEPS = 5
_DISTURBANCE = 1 / 3
_BETWEEN = 1.5
"""How much wider a beam is where a blend lies between those that were tried."""
_K = 10
_CHUNK = 65_536


@dataclass(frozen=True)
class Effort:
    """Beams that find the ten best of a blend, one per graph."""

    blend: Blend
    beams: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """How to search for any blend.

    Args:
        spreads: Standard deviation of each block's inner product over random pairs, (3,).
        lengths: Usual length of a row's blocks, (3,).
        efforts: What was found for the blends that were tried.
    """

    spreads: NDArray[np.float64]
    lengths: NDArray[np.float64]
    efforts: tuple[Effort, ...]


def tried_blends() -> list[Blend]:
    """Where it is tried: the weight simplex in steps of a fifth, near its corners, its middle."""
    steps = range(_STEPS + 1)
    grid = [
        (a / _STEPS, b / _STEPS, 1 - (a + b) / _STEPS) for a, b in product(steps, repeat=2) if a + b <= _STEPS
    ]
    near = [(0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9), (1 / 3, 1 / 3, 1 / 3)]
    return [*grid, *near]


def effort_for(plan: Plan, blend: NDArray[np.float64]) -> tuple[int, int]:
    """Which graph to walk for a blend and with what beam: enough for both of the two nearest tried blends."""
    if not plan.efforts:
        return 0, BEAMS[-1]
    away = [float(np.abs(np.array(one.blend) - blend).sum()) for one in plan.efforts]
    order = np.argsort(away, kind="stable")
    tried = away[int(order[0])] < 1e-6
    beams = np.max([plan.efforts[int(i)].beams for i in order[: 1 if tried else 2]], axis=0)
    graph = int(np.argmin(beams))
    return graph, int(beams[graph] * (1 if tried else _BETWEEN))


def tune(joined: NDArray[np.float32], widths: Widths, plan: Plan, n_graphs: int, walk: Walk) -> Plan:
    """Find, per blend and graph, the narrowest beam that finds nearly all of the ten best.

    Args:
        joined: float32, (n, dim), the rows.
        widths: Of their blocks.
        plan: Spreads and lengths of the blocks.
        n_graphs: How many graphs there are to walk.
        walk: Walks one of them.
    """
    rng = np.random.default_rng(0)
    sample = joined[np.sort(rng.choice(len(joined), min(N_QUERIES, len(joined)), replace=False))]
    sample = _disturbed(sample, widths, rng)
    efforts = []
    for blend in tried_blends():
        queries = queries_for(sample, blend, widths, plan.spreads)
        trial = _Trial(joined, queries, kth_scores(joined, queries, _K), walk)
        efforts.append(Effort(blend, trial.least_beams(n_graphs)))
    return replace(plan, efforts=tuple(efforts))


def _disturbed(rows: NDArray[np.float32], widths: Widths, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows moved by a third of each block's length: a walk finds a row itself sooner than what is like it."""
    moved = rows.copy()
    for part in slices(widths):
        noise = rng.standard_normal(rows[:, part].shape) / max(1, rows[:, part].shape[1]) ** 0.5
        lengths = np.linalg.norm(rows[:, part], axis=1, keepdims=True)
        moved[:, part] += (_DISTURBANCE * lengths * noise).astype(np.float32)
    return moved


@dataclass(frozen=True)
class _Trial:
    """Queries of one blend, the scores of their true tenth rows, and what is tried."""

    joined: NDArray[np.float32]
    queries: NDArray[np.float32]
    tenth: NDArray[np.float32]
    walk: Walk

    def least_beams(self, n_graphs: int) -> tuple[int, ...]:
        """The narrowest beam of each graph; a graph that needs far more than another is given up."""
        least = [NOT_ENOUGH] * n_graphs
        for beam in BEAMS:
            if beam > _FAR_WIDER * min(least):
                break
            for graph, known in enumerate(least):
                if known == NOT_ENOUGH and self._is_enough(graph, beam):
                    least[graph] = beam
        return tuple(least)

    def _is_enough(self, graph: int, beam: int) -> bool:
        # Ranked by the rows themselves: what coding costs, no wider beam would win back.
        walked = [(query, self.walk(graph, query, beam)) for query in self.queries]
        found = [rank_vectors(query, self.joined[rows], rows, _K).rows for query, rows in walked]
        return recall(self.joined, self.queries, self.tenth, found) >= RECALL


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
