"""Scores people can read: the share of random pairs of the catalog that are less alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows
from recommender.blend import UNLIKE_SHARE, Scale, blend, cosines
from recommender.types import Weights

_SET_SEED = 20_001
_N_SETS = 200


@dataclass(frozen=True)
class Percentiles:
    """A strictly increasing map from blended score to the share of random pairs that score lower.

    Between the scores of the sample it is linear; above the highest it rises
    to 1 at the score of a movie with itself.

    Args:
        knots: float64, (m,), distinct scores, ascending.
        shares: float64, (m,), in [0, 1], ascending.
    """

    knots: NDArray[np.float64]
    shares: NDArray[np.float64]

    @classmethod
    def of_scores(cls, scores: NDArray[np.float64], highest: float) -> Percentiles:
        """Build the map from the scores of random pairs.

        Args:
            scores: Blended scores of random pairs, (m,); NaN is left out.
            highest: The score of an identical pair; ``-highest`` is where the share reaches 0.
        """
        unknown = np.isnan(scores)
        known = np.sort(scores[~unknown] if unknown.any() else scores)
        # Every question at new weights comes here: np.unique would sort once more.
        lower = np.flatnonzero(np.concatenate([[True], known[1:] != known[:-1]])[: len(known)])
        knots, shares = known[lower], (lower.astype(np.float64) + 1) / (len(known) + 2)
        if not len(knots) or knots[0] > -highest:
            knots, shares = np.append(-highest, knots), np.append(0.0, shares)
        if knots[-1] < highest:
            knots, shares = np.append(knots, highest), np.append(shares, 1.0)
        return cls(knots, shares)

    def share_below(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of random pairs that score lower, float64 in [0, 1], the shape of ``scores``."""
        return np.interp(scores, self.knots, self.shares)

    def score_at(self, share: float) -> float:
        """The blended score that this share of random pairs stays below: the inverse of the map."""
        return float(np.interp(share, self.shares, self.knots))


def pair_percentiles(pairs: NDArray[np.float32], weights: Weights, scale: Scale) -> Percentiles:
    """The map for one liked movie, from cosines of random pairs, float32 (m, 3), NaN where unknown."""
    return Percentiles.of_scores(blend(pairs, weights, scale), _identical(weights, scale))


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
    highest = _identical(weights, scale) * (1 + shape.unlike_share * (shape.n_unlike > 0))
    return Percentiles.of_scores(np.concatenate(scores), highest)


def _identical(weights: Weights, scale: Scale) -> float:
    """The score of a movie with itself: every cosine is 1."""
    return float((np.asarray(weights.as_tuple()) / scale.spreads).sum())
