"""Default weights that a catalog learns from its own ratings, by how much is known of the query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from indexer.types import Ratings, Rows, TasteFactors
from recommender.affinity import LIFT
from recommender.affinity_model import AffinityModel
from recommender.defaults import WELL_RATED, rest_of
from recommender.evaluation.data import with_taste
from recommender.evaluation.lift import Lift
from recommender.evaluation.matched import MatchRules, draw_matched
from recommender.evaluation.people import People, split_people
from recommender.opening import PRICE, learned_orders
from recommender.taste import TasteModel
from recommender.weight_choice import GRID_STEP, Lesson, Shares, make_lesson

COLD_SHARE = 0.25
_LEAST_QUESTIONS = 200
_MOST_PEOPLE = 2_000
_PAIRS = 20_000
"""Pairs of liked movies that are drawn over all people: what a share of the kind costs is known by many."""
_SEED = 20_004


@dataclass(frozen=True)
class Taught:
    """A lesson, the rows that it was made with, and the lift by the same people."""

    lesson: Lesson
    rows: Rows
    lift: Lift


class WeightLearner:
    """Finds the weights under which held-out people find what they liked, among movies of like fame.

    Args:
        taste: How taste is fitted to the other people.
        seed: Of the split.
    """

    def __init__(self, taste: TasteModel | None = None, seed: int = _SEED) -> None:
        self._taste = taste or TasteModel()
        self._affinity = AffinityModel()
        self._seed = seed

    @property
    def identity(self) -> str:
        """Names this method, its version and its settings."""
        settings = f"{self._seed} {GRID_STEP} {PRICE} {LIFT}"
        return f"weights-8 {settings} {self._taste.identity} {self._affinity.identity}"

    def fit(self, ratings: Ratings, rows: Rows) -> dict[str, Shares]:
        """Learn weights by what is known of a query.

        Args:
            ratings: Everybody's.
            rows: Every movie; a taste block in it is not looked at, because it knows everybody.

        Returns:
            Weights visual, genre, taste of the opening by ``defaults.KNOWLEDGE``, and of what follows
            it by ``defaults.rest_of`` the same; without an entry for a kind of query that too few
            ratings ask about.
        """
        learned: dict[str, Shares] = {}
        for taught in self.lessons(ratings, rows):
            knowledge = taught.lesson.knowledge
            if len(taught.lesson.questions) >= _LEAST_QUESTIONS:
                opening, rest = learned_orders(taught.lesson, taught.rows, taught.lift)
                learned |= {knowledge: opening, rest_of(knowledge): rest}
        return learned

    def lessons(self, ratings: Ratings, rows: Rows) -> Iterator[Taught]:
        """Questions of held-out people, warm and cold."""
        everybody = People.of_ratings(ratings, rows.movie_ids)
        fitted, asked = split_people(everybody, (0.75, 0.25), self._seed)
        asked = asked.take(np.arange(min(len(asked), _MOST_PEOPLE)))
        rng = np.random.default_rng(self._seed)
        rules = MatchRules(per_person=max(1, _PAIRS // max(1, len(asked))))
        warm = self._fit(fitted, rows)
        if warm is None:
            return
        allowed = rows.known[:, 0] & (everybody.n_ratings > 0)
        films = np.arange(len(rows), dtype=np.int64)
        questions = draw_matched(asked, fitted.n_ratings, films, allowed, rng, rules)
        placed, lift = with_taste(rows, warm), self._lift(fitted, rows)
        well = fitted.n_ratings[questions.queries] >= WELL_RATED
        yield Taught(make_lesson("rated", placed, questions.take(well)), placed, lift)
        yield Taught(make_lesson("few", placed, questions.take(~well)), placed, lift)
        hidden = allowed & (rng.random(len(rows)) < COLD_SHARE)
        others = fitted.without_movies(hidden)
        cold = self._fit(others, rows)
        if cold is None:
            return
        questions = draw_matched(asked, fitted.n_ratings, films, hidden, rng, rules)
        placed = with_taste(rows, cold)
        yield Taught(make_lesson("unrated", placed, questions), placed, self._lift(others, rows))

    def _lift(self, people: People, rows: Rows) -> Lift:
        return Lift(rows, self._affinity.fit(people.as_ratings(rows.movie_ids), rows.movie_ids))

    def _fit(self, people: People, rows: Rows) -> TasteFactors | None:
        return self._taste.fit(people.as_ratings(rows.movie_ids), rows)
