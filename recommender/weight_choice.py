"""Which weights a lesson teaches: questions answered by each signal alone, and what is chosen from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.pairs import random_pairs
from indexer.taste_map import unit_rows
from indexer.types import Rows
from recommender.blend import Scale, blocks_of
from recommender.evaluation.matched import Matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.scorers import Blend

GRID_STEP = 0.05
_SEED = 20_004
_LISTS = 200
_MOST_ANSWERS = 5_000
_LIST_LENGTH = 10
_TOLERANCE = 0.5
_HARDLY_LESS = 0.03
"""Mean genre cosine by which nobody could tell two lists apart."""


@dataclass(frozen=True)
class Lesson:
    """Questions about queries of one kind, and each signal's answers.

    Args:
        knowledge: Which kind: one of ``defaults.KNOWLEDGE``.
        people: int64, (m,), who asks.
        signals: float64, (3, m, 100), scores over spreads; the movie to be found stands first.
    """

    knowledge: str
    people: NDArray[np.int64]
    signals: NDArray[np.float64]


def scale_of(rows: Rows) -> Scale:
    """Means and spreads of random pairs, measured as for a snapshot."""
    return Scale.of_pairs(random_pairs(rows, np.random.default_rng(_SEED)))


def make_lesson(knowledge: str, rows: Rows, questions: Matched) -> Lesson:
    """Let each signal alone answer the questions."""
    scale = scale_of(rows)
    signals = [
        Blend(rows, scale, np.eye(3)[i], redistribute=False).pairs(questions.queries, questions.candidates)
        for i in range(3)
    ]
    return Lesson(knowledge, questions.people, np.stack(signals))


def weight_grid(step: float = GRID_STEP) -> NDArray[np.float64]:
    """Every weighting whose shares are multiples of ``step``: float64, (n, 3), rows that sum to 1."""
    n = round(1 / step)
    points = [(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]
    return np.array(points, dtype=np.float64) / n


def ndcg_by_person(lesson: Lesson, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """nDCG@10 of each weighting for each person, mean over their questions: float64, (n, n_people)."""
    _, index = np.unique(lesson.people, return_inverse=True)
    n_questions = np.bincount(index)
    signals = lesson.signals.astype(np.float32)
    found = [
        np.bincount(index, ndcg_of_rank(rank_of_first(np.tensordot(row.astype(np.float32), signals, 1))))
        for row in weights
    ]
    return np.stack(found) / n_questions


def kindred_weights(lesson: Lesson, rows: Rows) -> tuple[float, float, float]:
    """The weighting whose lists share most genres, of those that the lesson cannot tell from the best.

    Ratings say what people watch, not what they would call alike: where
    several weightings answer equally well, people follow those lists best in
    which the kind of film agrees. Of lists that agree alike, those of the most
    even weighting are taken, so that all three signals have a say. Equally well
    is within half a standard error of the paired difference to the best: a
    whole one, as in the source, gives away twice as much on other people.

    Args:
        lesson: Questions and each signal's answers.
        rows: The movies that the lesson was made with.

    Source:
        L. Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3.
    """
    grid = weight_grid()
    good = grid[_as_good_as_the_best(ndcg_by_person(lesson, grid))]
    agreement = genre_agreement(rows, good)
    kindred = good[agreement >= agreement.max() - _HARDLY_LESS]
    return _shares(kindred[int(np.argmin((kindred**2).sum(axis=1)))])


def best_weights(lesson: Lesson) -> tuple[float, float, float]:
    """The weighting in the middle of the best region, so that chance in one figure does not decide.

    Each weighting is judged by the mean over itself and its neighbours on the grid.
    """
    grid = weight_grid()
    figures = ndcg_by_person(lesson, grid).mean(axis=1)
    near = np.abs(grid[:, None] - grid[None]).max(axis=2) <= GRID_STEP + 1e-9
    smooth = near @ figures / near.sum(axis=1)
    return _shares(grid[int(np.argmax(smooth))])


def genre_agreement(rows: Rows, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How alike in genre the ten nearest of a movie are to it, under each weighting.

    Args:
        rows: Movies; a sample of those with all signals asks and answers.
        weights: Weightings, (n, 3).

    Returns:
        Mean genre cosine, float64, (n,); zeros where too few movies have all signals.
    """
    whole = np.flatnonzero(rows.known.all(axis=1))
    if len(whole) <= _LIST_LENGTH:
        return np.zeros(len(weights))
    answers = rows.take(np.random.default_rng(_SEED).permutation(whole)[:_MOST_ANSWERS])
    asking = answers.take(np.arange(min(_LISTS, len(answers))))
    scale = scale_of(rows)
    blocks = zip(blocks_of(asking), blocks_of(answers), scale.spreads.tolist(), strict=True)
    signals = np.stack([mine @ theirs.T / np.float32(spread) for mine, theirs, spread in blocks])
    alike = unit_rows(asking.genre) @ unit_rows(answers.genre).T
    signals[:, np.arange(len(asking)), np.arange(len(asking))] = -np.inf  # a movie never answers itself
    found = np.empty(len(weights))
    for i, row in enumerate(weights):
        used = row > 0  # 0 times -inf is no number
        scores = np.tensordot(row[used].astype(np.float32), signals[used], 1)
        nearest = np.argpartition(-scores, _LIST_LENGTH - 1, axis=1)[:, :_LIST_LENGTH]
        found[i] = np.take_along_axis(alike, nearest, axis=1).mean()
    return found


def _as_good_as_the_best(by_person: NDArray[np.float64]) -> NDArray[np.int64]:
    """Weightings within half a standard error of the paired difference to the best, as positions."""
    behind = by_person[int(np.argmax(by_person.mean(axis=1)))] - by_person
    error = behind.std(axis=1) / np.sqrt(behind.shape[1])
    return np.flatnonzero(behind.mean(axis=1) <= _TOLERANCE * error)


def _shares(weights: NDArray[np.float64]) -> tuple[float, float, float]:
    visual, genre, taste = weights.round(4).tolist()
    return visual, genre, taste
