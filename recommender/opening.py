"""Which weights open a default list, and which order what follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows
from recommender.defaults import OPENING
from recommender.evaluation.judge import mean_by_person
from recommender.evaluation.lift import Lift
from recommender.evaluation.matched import Matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.scorers import Blend
from recommender.weight_choice import Lesson, Shares, best_weights, scale_of

PRICE = 0.01
"""Share of the figure that a list may cost so that its opening is of a kind."""
KIND = (0.2, 0.8, 0.0)
"""Weights by which movies are of a kind: genre, and something of the look."""
_PARTS = (0.4, 0.3, 0.2, 0.1)
"""How much of the weights may go to the kind, most first; half of them cost more than they gave (docs)."""
_MOST_ASKING = 600
_MOST_ANSWERS = 5_000
_AT_ONCE = 100
_SEED = 20_005
_ABOVE = 1e6


def learned_orders(lesson: Lesson, rows: Rows, lift: Lift) -> tuple[Shares, Shares]:
    """Weights of the opening of a default list and of what follows it.

    What follows is where a movie stands that is not among the first: there
    the weights count that find best what people liked. The opening is what is
    read, and is to be of the kind that was asked for: as much of those weights
    goes to the kind as costs the whole order at most ``PRICE`` of its figure.

    Args:
        lesson: Questions and each signal's answers.
        rows: The movies that the lesson was made with.
        lift: What affinity adds to the scores of an opening.

    Returns:
        Opening and rest, each weights of visual, genre, taste.
    """
    rest = best_weights(lesson)
    openings = _Openings(lesson, rows, np.array(rest), lift)
    least = (1 - PRICE) * openings.figure(None)
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
        self._questions: Matched = lesson.questions.take(kept)
        signals = lesson.signals[:, kept].astype(np.float32)
        lifted = lift.pairs(self._questions.queries, self._questions.candidates)
        self._signals = np.concatenate([signals, lifted[None].astype(np.float32)])
        self._asks = np.searchsorted(asking, self._questions.queries)
        self._behind = np.tensordot(rest.astype(np.float32), signals, 1)
        others = rng.permutation(np.setdiff1d(np.arange(len(rows)), asking))[:_MOST_ANSWERS]
        answering = np.concatenate([asking, others])
        self._answers = _answers(rows, answering, len(asking), lift)
        self._n = max(1, round(OPENING * len(answering) / len(rows)))

    def figure(self, opening: NDArray[np.float64] | None) -> float:
        """nDCG@10 over people of the order with this opening; None has none of its own."""
        scores = self._behind
        if opening is not None:
            share = np.append(opening, 1.0).astype(np.float32)
            first = np.tensordot(share, self._signals, 1)
            opens = first >= self._least(share)[self._asks, None]
            scores = np.where(opens, first + _ABOVE, scores)
        return float(mean_by_person(ndcg_of_rank(rank_of_first(scores)), self._questions.people).mean())

    def _least(self, share: NDArray[np.float32]) -> NDArray[np.float32]:
        """The least score in the opening of each movie that asks."""
        return np.concatenate(
            [
                np.partition(np.tensordot(share, part, 1), -self._n, axis=1)[:, -self._n]
                for part in self._answers
            ]
        )


def _answers(
    rows: Rows, answering: NDArray[np.int64], n_asking: int, lift: Lift
) -> list[NDArray[np.float32]]:
    """Each signal's scores, and the lift, for the first of some movies: parts of (4, up to 100, n_answering).

    A movie never answers itself: it stands lowest.
    """
    scale, answers = scale_of(rows), rows.take(answering)
    signals = [Blend(answers, scale, np.eye(3)[i], redistribute=False) for i in range(3)]
    parts = []
    for start in range(0, n_asking, _AT_ONCE):
        asking = np.arange(start, min(start + _AT_ONCE, n_asking))
        lifted = lift.everything(answering[asking])[:, answering]
        part = np.stack([*(one.everything(asking) for one in signals), lifted]).astype(np.float32)
        part[:, np.arange(len(asking)), asking] = -_ABOVE
        parts.append(part)
    return parts
