"""Default weights that a catalog learns from its own ratings, by how much is known of the query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.types import Ratings, Rows, TasteFactors
from recommender.defaults import WELL_RATED
from recommender.evaluation.data import with_taste
from recommender.evaluation.matched import Matched, MatchRules, draw_matched
from recommender.evaluation.people import People, split_people
from recommender.taste import TasteModel
from recommender.weight_choice import GRID_STEP, Lesson, kindred_weights, make_lesson

COLD_SHARE = 0.25
_LEAST_QUESTIONS = 200
_MOST_PEOPLE = 2_000
_SEED = 20_004


@dataclass(frozen=True)
class Taught:
    """A lesson and the rows that it was made with."""

    lesson: Lesson
    rows: Rows


class WeightLearner:
    """Finds the weights under which held-out people find what they liked, among movies of like fame and age.

    Fame and period are matched because people rate what is shown to them:
    without that, the best answer to every question would be another movie of
    the same years, whatever it is about.

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
        return f"weights-2 {self._seed} {GRID_STEP} {self._taste.identity}"

    def fit(self, ratings: Ratings, rows: Rows) -> dict[str, tuple[float, float, float]]:
        """Learn weights by what is known of a query.

        Args:
            ratings: Everybody's.
            rows: Every movie; a taste block in it is not looked at, because it knows everybody.

        Returns:
            Weights visual, genre, taste by ``defaults.KNOWLEDGE``; without an entry for a kind of
            query that too few ratings ask about.
        """
        return {
            taught.lesson.knowledge: kindred_weights(taught.lesson, taught.rows)
            for taught in self.lessons(ratings, rows)
            if len(taught.lesson.people) >= _LEAST_QUESTIONS
        }

    def lessons(self, ratings: Ratings, rows: Rows) -> Iterator[Taught]:
        """Questions of held-out people, warm and cold."""
        everybody = People.of_ratings(ratings, rows.movie_ids)
        fitted, asked = split_people(everybody, (0.75, 0.25), self._seed)
        asked = asked.take(np.arange(min(len(asked), _MOST_PEOPLE)))
        rng = np.random.default_rng(self._seed)
        warm = self._fit(fitted, rows)
        if warm is None:
            return
        allowed = rows.known[:, 0] & (everybody.n_ratings > 0)
        questions = _questions(asked, fitted.n_ratings, rows, allowed, rng)
        placed = with_taste(rows, warm)
        well = fitted.n_ratings[questions.queries] >= WELL_RATED
        yield Taught(make_lesson("rated", placed, questions.take(well)), placed)
        yield Taught(make_lesson("few", placed, questions.take(~well)), placed)
        hidden = allowed & (rng.random(len(rows)) < COLD_SHARE)
        cold = self._fit(fitted.without_movies(hidden), rows)
        if cold is None:
            return
        questions = _questions(asked, fitted.n_ratings, rows, hidden, rng)
        placed = with_taste(rows, cold)
        yield Taught(make_lesson("unrated", placed, questions), placed)

    def _fit(self, people: People, rows: Rows) -> TasteFactors | None:
        return self._taste.fit(people.as_ratings(rows.movie_ids), rows)


def _questions(
    asked: People,
    popularity: NDArray[np.int64],
    rows: Rows,
    allowed: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Matched:
    """Questions among movies of like fame and age; of like fame alone where a catalog has too few of both."""
    films = np.arange(len(rows), dtype=np.int64)
    rules = MatchRules(years=rows.years_or_zero())
    found = draw_matched(asked, popularity, films, allowed, rng, rules)
    if len(found) >= _LEAST_QUESTIONS:
        return found
    return draw_matched(asked, popularity, films, allowed, rng, replace(rules, years=None))
