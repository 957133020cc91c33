"""Which weights open a default list, and which order what follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows
from recommender.affinity import MOST_LIFTED
from recommender.defaults import OPENING, POOL
from recommender.evaluation.judge import mean_by_person
from recommender.evaluation.lift import Lift
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first, top
from recommender.evaluation.scorers import Blend
from recommender.weight_choice import Lesson, Shares, best_weights, each_signal, scale_of

PRICE = 0.01
"""Share of the figure that a list may cost so that its opening is of a kind."""
KIND = (0.2, 0.8, 0.0)
"""Weights by which movies are of a kind: genre, and something of the look."""
_PARTS = (0.4, 0.3, 0.2, 0.1)
"""How much of the weights may go to the kind, most first; half of them cost more than they gave (docs)."""
_MOST_ASKING = 2_000
_MOST_ANSWERS = 50_000
_ASKING_AT_ONCE = 100
_QUESTIONS_AT_ONCE = 1_000
_SEED = 20_005
_ABOVE = 1e6


def learned_orders(lesson: Lesson, rows: Rows, lift: Lift) -> tuple[Shares, Shares]:
    """Weights of the opening of a default list and of what follows it.

    What follows is where a movie stands that is not among the first: there
    the weights count that find best what people liked. The opening is what is
    read, and is to be of the kind that was asked for: as much of those weights
    goes to the kind as costs the whole order at most ``PRICE`` of its figure.
    Affinity lifts the opening with or without it, and is no part of that price.

    Args:
        lesson: Questions and each signal's answers.
        rows: The movies that the lesson was made with.
        lift: What affinity adds to the scores of an opening.

    Returns:
        Opening and rest, each weights of visual, genre, taste.
    """
    rest = best_weights(lesson)
    openings = _Openings(lesson, rows, np.array(rest), lift)
    least = (1 - PRICE) * openings.figure(np.array(rest))
    for part in _PARTS:
        opening = (1 - part) * np.array(rest) + part * np.array(KIND)
        if openings.figure(opening) >= least:
            visual, genre, taste = opening.round(4).tolist()
            return (visual, genre, taste), rest
    return rest, rest


class _Openings:
    """Figures of whole orders that differ in their opening.

    Args:
        lesson: Questions; of a part of the movies that ask, where there are many.
        rows: Movies; a sample answers, where there are many.
        rest: Weights behind the opening, (3,).
        lift: What affinity adds to the scores of the opening.
    """

    def __init__(self, lesson: Lesson, rows: Rows, rest: NDArray[np.float64], lift: Lift) -> None:
        rng = np.random.default_rng(_SEED)
        asking = np.unique(lesson.questions.queries)
        asking = np.sort(rng.permutation(asking)[:_MOST_ASKING])
        kept = np.isin(lesson.questions.queries, asking)
        questions = lesson.questions.take(kept)
        self._people = questions.people
        self._asks = np.searchsorted(asking, questions.queries)
        self._behind = np.tensordot(rest.astype(np.float32), lesson.signals[:, kept].astype(np.float32), 1)
        others = rng.permutation(np.setdiff1d(np.arange(len(rows)), asking))[:_MOST_ANSWERS]
        answering = np.concatenate([asking, others])
        share = len(answering) / len(rows)
        self._n = max(1, round(OPENING * share))
        askers = None if lesson.askers is None else lesson.askers.take(answering)
        by_rest = Blend(rows.take(answering), scale_of(rows), rest, redistribute=False, askers=askers)
        near = answering[_nearest(by_rest, len(asking), max(self._n, round(POOL * share)))]
        pool = _with_lifted(near, lift.others(asking))
        self._signals = _signals(each_signal(rows, lesson.askers), lift, asking, pool)
        self._places = _places(pool, self._asks, questions.candidates)

    def figure(self, opening: NDArray[np.float64]) -> float:
        """nDCG@10 over people of the order whose opening has these weights."""
        first = np.tensordot(np.append(opening, 1.0).astype(np.float32), self._signals, 1)
        least = np.partition(first, -self._n, axis=1)[:, -self._n]
        mine = first[self._asks[:, None], self._places]
        opens = (self._places >= 0) & (mine >= least[self._asks, None])
        scores = np.where(opens, mine + _ABOVE, self._behind)
        return float(mean_by_person(ndcg_of_rank(rank_of_first(scores)), self._people).mean())


def _nearest(scorer: Blend, n_asking: int, n: int) -> NDArray[np.int64]:
    """The n nearest of each of the first movies, without itself: (n_asking, n)."""
    parts = []
    for start in range(0, n_asking, _ASKING_AT_ONCE):
        asking = np.arange(start, min(start + _ASKING_AT_ONCE, n_asking))
        scores = scorer.everything(asking)
        scores[np.arange(len(asking)), asking] = -np.inf
        parts.append(top(scores, min(n, scores.shape[1] - 1)))
    return np.concatenate(parts)


def _with_lifted(near: NDArray[np.int64], lifted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Who may open each list: the nearest, then those that only the lift brings in; -1 fills."""
    again = (lifted[:, :, None] == near[:, None]).any(axis=2)
    return np.concatenate([near, np.where(again, -1, lifted)[:, :MOST_LIFTED]], axis=1)


def _signals(
    signals: list[Blend], lift: Lift, asking: NDArray[np.int64], pool: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Each signal's scores of the pools, and the lift, lowest for what fills a pool: (4, m, width)."""
    there = np.maximum(pool, 0)
    scores = [one.pairs(asking, there) for one in signals]
    lifted = np.where(pool >= 0, lift.pairs(asking, there), -_ABOVE)
    return np.stack([*scores, lifted]).astype(np.float32)


def _places(
    pool: NDArray[np.int64], asks: NDArray[np.int64], candidates: NDArray[np.int64]
) -> NDArray[np.int16]:
    """Place of each candidate in the pool of the movie that asks, (q, 100); -1 where it has none."""
    found = np.full(candidates.shape, -1, dtype=np.int16)
    for start in range(0, len(candidates), _QUESTIONS_AT_ONCE):
        part = slice(start, start + _QUESTIONS_AT_ONCE)
        same = candidates[part, :, None] == pool[asks[part], None]
        found[part] = np.where(same.any(axis=2), same.argmax(axis=2), -1)
    return found
