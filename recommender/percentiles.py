"""Scores people can read: the share of random pairs of the catalog that are less alike."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows
from recommender.blend import UNLIKE_SHARE, Scale, blend, cosines, identical_score
from recommender.types import Weights

_SET_SEED = 20_001
_N_SETS = 200

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Distinct scores and the share of pairs below each, both ascending."""


class Percentiles:
    """A strictly increasing map from blended score to the share of random pairs that score lower.

    Between the scores of the sample it is linear; above the highest it rises
    to 1 at the score of a movie with itself. Every question at new weights
    makes one, and asks it once, about scores at the top: only those of the
    sample that lie there are put in order then, all of them when it is asked again.

    Args:
        scores: Blended scores of random pairs, float64, (m,); NaN is left out.
        highest: The score of an identical pair; ``-highest`` is where the share reaches 0.
    """

    def __init__(self, scores: NDArray[np.float64], highest: float) -> None:
        unknown = np.isnan(scores)
        self._scores = scores[~unknown] if unknown.any() else scores
        self._highest = highest
        self._was_asked = False

    @property
    def knots(self) -> NDArray[np.float64]:
        """Distinct scores, float64, ascending."""
        return self._curve[0]

    def share_below(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of random pairs that score lower, float64 in [0, 1], the shape of ``scores``."""
        curve = None if self._was_asked else self._top_curve(scores)
        self._was_asked = True
        return np.interp(scores, *(curve or self._curve))

    def score_at(self, share: float) -> float:
        """The blended score that this share of random pairs stays below: the inverse of the map."""
        knots, shares = self._curve
        return float(np.interp(share, shares, knots))

    @functools.cached_property
    def _curve(self) -> Curve:
        return self._curve_of(np.sort(self._scores))

    def _top_curve(self, scores: NDArray[np.float64]) -> Curve | None:
        """The part of the curve that has these scores; None where that is all of it."""
        lower = self._scores[self._scores <= np.min(scores, initial=np.inf)]
        if not len(lower) or len(lower) == len(self._scores):
            return None
        return self._curve_of(np.sort(self._scores[self._scores >= lower.max()]))

    def _curve_of(self, top: NDArray[np.float64]) -> Curve:
        """Knots and their shares, of the scores from some one of them up, in order."""
        n_all, highest = len(self._scores), self._highest
        first = np.flatnonzero(np.concatenate([[True], top[1:] != top[:-1]])[: len(top)])
        knots = top[first]
        shares = (first + (n_all - len(top)) + 1.0) / (n_all + 2)
        if not len(knots) or knots[0] > -highest:
            knots, shares = np.append(-highest, knots), np.append(0.0, shares)
        if knots[-1] < highest:
            knots, shares = np.append(knots, highest), np.append(shares, 1.0)
        return knots, shares


def pair_percentiles(pairs: NDArray[np.floating], weights: Weights, scale: Scale) -> Percentiles:
    """The map for one liked movie, from cosines of random pairs, (m, 3), NaN where unknown."""
    return Percentiles(blend(pairs, weights, scale), identical_score(weights, scale))


@dataclass(frozen=True)
class SetShape:
    """How many movies a query likes and does not, and how much the latter count."""

    n_like: int
    n_unlike: int = 0
    unlike_share: float = UNLIKE_SHARE


def set_percentiles(sample: Rows, shape: SetShape, weights: Weights, scale: Scale) -> Percentiles:
    """The map for several movies: random sets of as many liked and unliked movies against random movies.

    Means over several movies spread less than single pairs do, so the pairs'
    own map would call half the catalog remarkable.

    Args:
        sample: Random movies of the catalog, at least one.
        shape: Of the query; at least one liked movie.
        weights: Weights in force.
        scale: Scale of the catalog.
    """
    rng = np.random.default_rng(_SET_SEED)
    scores = []
    for _ in range(_N_SETS):
        drawn = rng.integers(len(sample), size=shape.n_like + shape.n_unlike)
        against = rng.integers(len(sample), size=min(100, len(sample)))
        others = sample.take(against)
        columns = cosines(sample.take(drawn[: shape.n_like]), others)
        score = blend(columns, weights, scale)
        if shape.n_unlike:
            unliked = blend(cosines(sample.take(drawn[shape.n_like :]), others), weights, scale)
            score = score - shape.unlike_share * np.nan_to_num(unliked)
        scores.append(score)
    highest = identical_score(weights, scale) * (1 + shape.unlike_share * (shape.n_unlike > 0))
    return Percentiles(np.concatenate(scores), highest)
