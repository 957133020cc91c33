"""Which weights a lesson teaches: questions answered by each signal alone, and what is chosen from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.pairs import random_pairs
from indexer.types import Rows
from recommender.blend import Scale
from recommender.evaluation.matched import Matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.scorers import Blend

GRID_STEP = 0.05
_SEED = 20_004

Shares = tuple[float, float, float]
"""Weights of visual, genre, taste that sum to 1."""


@dataclass(frozen=True)
class Lesson:
    """Questions about queries of one kind, and each signal's answers.

    Args:
        knowledge: Which kind: one of ``defaults.KNOWLEDGE``.
        questions: m questions.
        signals: float64, (3, m, 100), scores over spreads; the movie to be found stands first.
        askers: All movies as they are known when they ask, where that is less than when they answer.
    """

    knowledge: str
    questions: Matched
    signals: NDArray[np.float64]
    askers: Rows | None = None


def scale_of(rows: Rows) -> Scale:
    """Means and spreads of random pairs, measured as for a snapshot."""
    return Scale.of_pairs(random_pairs(rows, np.random.default_rng(_SEED)))


def make_lesson(knowledge: str, rows: Rows, questions: Matched, askers: Rows | None = None) -> Lesson:
    """Let each signal alone answer the questions."""
    signals = [one.pairs(questions.queries, questions.candidates) for one in each_signal(rows, askers)]
    return Lesson(knowledge, questions, np.stack(signals), askers)


def each_signal(rows: Rows, askers: Rows | None = None) -> list[Blend]:
    """Look, genre and taste, each alone, on the scale of a blend.

    Args:
        rows: All movies.
        askers: The same movies as they are known when they ask; None as when they answer.
    """
    scale = scale_of(rows)
    return [Blend(rows, scale, one, redistribute=False, askers=askers) for one in np.eye(3)]


def weight_grid(step: float = GRID_STEP) -> NDArray[np.float64]:
    """Every weighting whose shares are multiples of ``step``: float64, (n, 3), rows that sum to 1."""
    n = round(1 / step)
    points = [(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]
    return np.array(points, dtype=np.float64) / n


def ndcg_by_person(lesson: Lesson, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """nDCG@10 of each weighting for each person, mean over their questions: float64, (n, n_people)."""
    _, index = np.unique(lesson.questions.people, return_inverse=True)
    n_questions = np.bincount(index)
    signals = lesson.signals.astype(np.float32)
    found = [
        np.bincount(index, ndcg_of_rank(rank_of_first(np.tensordot(row.astype(np.float32), signals, 1))))
        for row in weights
    ]
    return np.stack(found) / n_questions


def best_weights(lesson: Lesson) -> Shares:
    """The weighting in the middle of the best region, so that chance in one figure does not decide.

    Each weighting is judged by the mean over itself and its neighbours on the grid.
    """
    grid = weight_grid()
    figures = ndcg_by_person(lesson, grid).mean(axis=1)
    near = np.abs(grid[:, None] - grid[None]).max(axis=2) <= GRID_STEP + 1e-9
    smooth = near @ figures / near.sum(axis=1)
    return _shares(grid[int(np.argmax(smooth))])


def _shares(weights: NDArray[np.float64]) -> Shares:
    visual, genre, taste = weights.round(4).tolist()
    return visual, genre, taste
