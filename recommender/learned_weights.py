"""Default weights that a catalog learns from its own ratings, by how much is known of the query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.pairs import random_pairs
from indexer.types import Ratings, Rows, TasteFactors
from recommender.blend import Scale
from recommender.defaults import WELL_RATED
from recommender.evaluation.data import with_taste
from recommender.evaluation.matched import Matched, draw_matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.people import People, split_people
from recommender.evaluation.scorers import Blend
from recommender.taste import TasteModel

GRID_STEP = 0.05
COLD_SHARE = 0.25
_LEAST_QUESTIONS = 200
_SEED = 20_004


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


class WeightLearner:
    """Finds the weights under which held-out people find what they liked, among movies of like fame.

    Args:
        taste: How taste is fitted to the other people.
        seed: Of the split.
    """

    def __init__(self, taste: TasteModel | None = None, seed: int = _SEED) -> None:
        self._taste = taste or TasteModel()
        self._seed = seed

    @property
    def identity(self) -> str:
        """Names this method, its version and its settings."""
        return f"weights-1 {self._seed} {GRID_STEP} {self._taste.identity}"

    def fit(self, ratings: Ratings, rows: Rows) -> dict[str, tuple[float, float, float]]:
        """Learn weights by what is known of a query.

        Args:
            ratings: Everybody's.
            rows: Every movie; a taste block in it is not looked at, because it knows everybody.

        Returns:
            Weights visual, genre, taste by ``defaults.KNOWLEDGE``; without an entry for a kind of
            query that too few ratings ask about.
        """
        learned = {}
        for lesson in self.lessons(ratings, rows):
            if len(lesson.people) >= _LEAST_QUESTIONS:
                learned[lesson.knowledge] = even_weights(lesson)
        return learned

    def lessons(self, ratings: Ratings, rows: Rows) -> Iterator[Lesson]:
        """Questions of held-out people, warm and cold."""
        everybody = People.of_ratings(ratings, rows.movie_ids)
        fitted, asked = split_people(everybody, (0.75, 0.25), self._seed)
        rng = np.random.default_rng(self._seed)
        films = np.arange(len(rows), dtype=np.int64)
        warm = self._fit(fitted, rows)
        if warm is None:
            return
        allowed = rows.known[:, 0] & (everybody.n_ratings > 0)
        questions = draw_matched(asked, fitted.n_ratings, films, allowed, rng)
        placed = with_taste(rows, warm)
        well = fitted.n_ratings[questions.queries] >= WELL_RATED
        yield make_lesson("rated", placed, questions.take(well))
        yield make_lesson("few", placed, questions.take(~well))
        hidden = allowed & (rng.random(len(rows)) < COLD_SHARE)
        cold = self._fit(fitted.without_movies(hidden), rows)
        if cold is None:
            return
        questions = draw_matched(asked, fitted.n_ratings, films, hidden, rng)
        placed = with_taste(rows, cold)
        yield make_lesson("unrated", placed, questions)

    def _fit(self, people: People, rows: Rows) -> TasteFactors | None:
        return self._taste.fit(people.as_ratings(rows.movie_ids), rows)


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


def even_weights(lesson: Lesson) -> tuple[float, float, float]:
    """The most even weighting that the lesson cannot tell from the best one.

    Ratings say what people watch, not what they would call alike: where
    several weightings answer equally well, within one standard error of the
    paired difference to the best, the one that listens to all three signals
    gives lists that people can follow.

    Source:
        L. Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3.
    """
    grid = weight_grid()
    by_person = ndcg_by_person(lesson, grid)
    behind = by_person[int(np.argmax(by_person.mean(axis=1)))] - by_person
    error = behind.std(axis=1) / np.sqrt(behind.shape[1])
    good = np.flatnonzero(behind.mean(axis=1) <= error)
    unevenness = (grid[good] ** 2).sum(axis=1)
    visual, genre, taste = grid[good[int(np.argmin(unevenness))]].round(4).tolist()
    return visual, genre, taste


def best_weights(lesson: Lesson) -> tuple[float, float, float]:
    """The weighting in the middle of the best region, so that chance in one figure does not decide.

    Each weighting is judged by the mean over itself and its neighbours on the grid.
    """
    grid = weight_grid()
    figures = ndcg_by_person(lesson, grid).mean(axis=1)
    near = np.abs(grid[:, None] - grid[None]).max(axis=2) <= GRID_STEP + 1e-9
    smooth = near @ figures / near.sum(axis=1)
    visual, genre, taste = grid[int(np.argmax(smooth))].round(4).tolist()
    return visual, genre, taste
