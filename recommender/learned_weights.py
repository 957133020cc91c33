"""Default weights that a catalog learns from its own ratings, by how much is known of the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.affinities import Affinities
from indexer.types import Ratings, Rows
from recommender.affinity import LIFT
from recommender.affinity_model import AffinityModel
from recommender.defaults import WELL_RATED, rest_of, untold_of
from recommender.evaluation.data import with_genres, with_taste
from recommender.evaluation.lift import Lift
from recommender.evaluation.matched import Matched, MatchRules, draw_matched
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
        return f"weights-10 {settings} {self._taste.identity} {self._affinity.identity}"

    def fit(self, ratings: Ratings, rows: Rows, predicted_genres: NDArray[np.float32]) -> dict[str, Shares]:
        """Learn weights by what is known of a query.

        Args:
            ratings: Everybody's.
            rows: Every movie; a taste block in it is not looked at, because it knows everybody.
            predicted_genres: float32, (n, n_genres), what posters say: the genres of a query of which
                none are known.

        Returns:
            Weights visual, genre, taste of the opening by ``defaults.KNOWLEDGE``, and of what follows
            it by ``defaults.rest_of`` the same; without an entry for a kind of query that too few
            ratings ask about.
        """
        learned: dict[str, Shares] = {}
        for taught in self.lessons(ratings, rows, predicted_genres):
            knowledge = taught.lesson.knowledge
            if len(taught.lesson.questions) >= _LEAST_QUESTIONS:
                opening, rest = learned_orders(taught.lesson, taught.rows, taught.lift)
                learned |= {knowledge: opening, rest_of(knowledge): rest}
        return learned

    def lessons(
        self, ratings: Ratings, rows: Rows, predicted_genres: NDArray[np.float32]
    ) -> Iterator[Taught]:
        """Questions of held-out people, warm and cold; each also as if nobody had told the genres."""
        untold = with_genres(rows, predicted_genres)
        everybody = People.of_ratings(ratings, rows.movie_ids)
        fitted, asked = split_people(everybody, (0.75, 0.25), self._seed)
        asked = asked.take(np.arange(min(len(asked), _MOST_PEOPLE)))
        rng = np.random.default_rng(self._seed)
        rules = MatchRules(per_person=max(1, _PAIRS // max(1, len(asked))))
        warm = self._placed(fitted, [rows, untold])
        if not warm:
            return
        allowed = rows.known[:, 0] & (everybody.n_ratings > 0)
        films = np.arange(len(rows), dtype=np.int64)
        questions = draw_matched(asked, fitted.n_ratings, films, allowed, rng, rules)
        well = fitted.n_ratings[questions.queries] >= WELL_RATED
        affinities = self._agreed(fitted, rows)
        for kind, asks in (("rated", well), ("few", ~well)):
            yield _taught(kind, warm[0], affinities, questions.take(asks))
            yield _taught(untold_of(kind), warm[0], affinities, questions.take(asks), warm[1])
        hidden = allowed & (rng.random(len(rows)) < COLD_SHARE)
        others = fitted.without_movies(hidden)
        cold = self._placed(others, [rows, untold, replace(untold, years=None)])
        if not cold:
            return
        questions = draw_matched(asked, fitted.n_ratings, films, hidden, rng, rules)
        affinities = self._agreed(others, rows)
        yield _taught("unrated", cold[0], affinities, questions)
        for kind, askers in ((untold_of("unrated"), cold[1]), ("poster", cold[2])):
            yield _taught(kind, cold[0], affinities, questions, askers)

    def _agreed(self, people: People, rows: Rows) -> Affinities:
        return self._affinity.fit(people.as_ratings(rows.movie_ids), rows.movie_ids)

    def _placed(self, people: People, ways: Sequence[Rows]) -> list[Rows]:
        """The movies placed by taste, for each way in which they may be known; none of too few ratings."""
        ratings = people.as_ratings(ways[0].movie_ids)
        placed = self._taste.fit_ways(ratings, ways)
        return [with_taste(rows, taste) for rows, taste in zip(ways, placed, strict=bool(placed))]


def _taught(
    knowledge: str, rows: Rows, affinities: Affinities, questions: Matched, askers: Rows | None = None
) -> Taught:
    lesson = make_lesson(knowledge, rows, questions, askers)
    return Taught(lesson, rows, Lift(rows, affinities, askers))
