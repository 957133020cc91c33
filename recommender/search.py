"""From a query to scored candidates: one search, exact scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.reader import IndexView
from indexer.types import Facts, Rows
from recommender.affinity import lift_of
from recommender.blend import (
    UNLIKE_SHARE,
    Scale,
    blend,
    cosines,
    identical_score,
    known_signals,
    query_row,
)
from recommender.types import Weights

_SIGNAL_BITS = np.array([1, 2, 4], dtype=np.uint8)
# Equal movies differ by float noise in the seventh digit, which must not decide their order.
_SCORE_DIGITS = 6


@dataclass(frozen=True)
class Query:
    """What is searched for: liked and unliked rows under weights in force.

    Args:
        like: Rows to be similar to, at least one.
        unlike: Rows to be dissimilar to; None for none.
        weights: Weights in force.
        scale: Means and spreads of the catalog.
        unlike_share: How much the unliked rows count beside the liked ones.
        rated_alike: Movies that people rate like the liked ones, with their strengths (``affinity.py``).
        copies: Movies whose poster the picture that asks is, with the cosine of their looks (``copies.py``).
        knowledge: How much is known of it: one of ``defaults.KNOWLEDGE``.
    """

    like: Rows
    unlike: Rows | None
    weights: Weights
    scale: Scale
    unlike_share: float = UNLIKE_SHARE
    rated_alike: Mapping[str, float] = field(default_factory=dict)
    copies: Mapping[str, float] = field(default_factory=dict)
    knowledge: str = ""

    def row(self) -> NDArray[np.float32]:
        """The query row, float32, (dim,)."""
        return query_row(self.like, self.unlike, self.weights, self.scale, self.unlike_share)

    def columns(self, candidates: Rows) -> NDArray[np.float32]:
        """Cosines of some movies to the liked rows by signal, (n, 3), NaN where unknown."""
        return cosines(self.like, candidates)

    def score(self, candidates: Rows, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Blended scores of some movies, (n,), whose ``columns`` are known."""
        scores = blend(columns, self.weights, self.scale)
        if self.unlike is not None:
            unliked = blend(cosines(self.unlike, candidates), self.weights, self.scale)
            scores = scores - self.unlike_share * np.where(np.isnan(unliked), self._mean(), unliked)
        if self.rated_alike:
            scores = scores + lift_of(self.rated_alike, candidates.movie_ids, columns)
        if self.copies:
            scores = np.fmax(scores, self._as_itself(candidates.movie_ids))
        return np.round(scores, _SCORE_DIGITS)

    @property
    def lifted(self) -> Set[str]:
        """Movies that may score higher than their blocks say."""
        return {*self.rated_alike, *self.copies}

    def _as_itself(self, movie_ids: Sequence[str]) -> NDArray[np.float64]:
        """What a movie scores with itself, as far as looks agree, for copies; NaN for all others."""
        looks = np.array([self.copies.get(movie_id, np.nan) for movie_id in movie_ids])
        return looks * identical_score(self.weights, self.scale)

    def imputed(self, missing: NDArray[np.bool_]) -> float:
        """What the missing blocks of a movie, bool (3,), add to its score: the mean of random pairs."""
        shares = np.asarray(self.weights.as_tuple()) / self.scale.spreads
        times = np.ones(3) if self.unlike is None else 1 - self.unlike_share * known_signals(self.unlike)
        return float((shares * self.scale.means * times)[missing].sum())

    def _mean(self) -> float:
        return float((np.asarray(self.weights.as_tuple()) / self.scale.spreads) @ self.scale.means)


@dataclass(frozen=True)
class Candidates:
    """Movies that may be answered, best first, equal scores by movie id.

    Args:
        rows: Their blocks.
        columns: float32, (n, 3), cosines to the query by signal, NaN where unknown.
        scores: float64, (n,), blended scores.
    """

    rows: Rows
    columns: NDArray[np.float32]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    def at(self, positions: Sequence[int]) -> Candidates:
        """The candidates at some positions, in that order."""
        if list(positions) == list(range(len(self))):
            return self
        index = np.asarray(positions, dtype=np.int64)
        return Candidates(self.rows.take(index), self.columns[index], self.scores[index])

    def joined(self, other: Candidates) -> Candidates:
        """These candidates and then the other ones."""
        return Candidates(
            self.rows.joined(other.rows),
            np.concatenate([self.columns, other.columns]),
            np.concatenate([self.scores, other.scores]),
        )


@dataclass(frozen=True)
class Pool:
    """Movies that may be answered, scored for both parts of a list.

    Args:
        rows: Their blocks: the nearest for the rest first, then others that are lifted into the opening.
        columns: float32, (n, 3), cosines to the query by signal, NaN where unknown.
        scores: float64, (n,) each, blended scores for the opening and for the rest.
        n_near: How many are the nearest.
    """

    rows: Rows
    columns: NDArray[np.float32]
    scores: tuple[NDArray[np.float64], NDArray[np.float64]]
    n_near: int


def find_candidates(
    view: IndexView,
    query: Query,
    n: int,
    allowed: NDArray[np.bool_] | None = None,
    exclude: Sequence[str] = (),
) -> Candidates:
    """The n best movies for a query.

    Movies that lack a signal with a share stand in their own group: their
    inner product misses the mean of that signal, one number for the group,
    which is added before the groups are merged. A movie that lacks every
    such signal cannot be compared and is never answered.

    Args:
        view: The index.
        query: What is searched for.
        n: How many at most.
        allowed: bool mask over the rows of the view; None allows all.
        exclude: Movie ids left out besides.
    """
    rows = _nearest(view, query, n, allowed, exclude)
    # Only these are lifted: whatever else is among the n best is among the n best without a lift.
    rows |= _lifted(view, query, allowed, {*exclude, *rows})
    return _scored(query, _read(view, rows), n)


def find_pool(
    view: IndexView,
    orders: tuple[Query, Query],
    n: int,
    allowed: NDArray[np.bool_] | None = None,
    exclude: Sequence[str] = (),
) -> Pool:
    """The n best movies for one query, and besides those that another one lifts, scored for both.

    Args:
        view: The index.
        orders: The query that orders the opening of a list, and the one that is searched by.
        n: How many at most, apart from those that are lifted.
        allowed: bool mask over the rows of the view; None allows all.
        exclude: Movie ids left out besides.
    """
    opening, rest = orders
    found = _nearest(view, rest, n, allowed, exclude)
    n_near = len(found)
    rows = _read(view, found | _lifted(view, opening, allowed, {*exclude, *found}))
    columns = opening.columns(rows)
    return Pool(rows, columns, (opening.score(rows, columns), rest.score(rows, columns)), n_near)


def _nearest(
    view: IndexView, query: Query, n: int, allowed: NDArray[np.bool_] | None, exclude: Sequence[str]
) -> dict[str, int]:
    """Row numbers of the n best by id, best first, without any lift."""
    row = query.row()
    groups = _groups(view.facts, query.weights, allowed)
    if len(groups) == 1:
        near = view.search(row, n, groups[0][1], exclude)
        return dict(zip(near.movie_ids, near.rows.tolist(), strict=True))
    found: list[tuple[float, str, int]] = []
    for missing, mask in groups:
        near = view.search(row, n, mask, exclude)
        scores = near.scores.astype(np.float64) + query.imputed(missing)
        keys = (-scores.round(_SCORE_DIGITS)).tolist()
        found += zip(keys, near.movie_ids, near.rows.tolist(), strict=True)
    return {movie_id: row for _, movie_id, row in sorted(found)[:n]}


def _lifted(
    view: IndexView, query: Query, allowed: NDArray[np.bool_] | None, exclude: Set[str]
) -> dict[str, int]:
    """Rows of the other movies that a query lifts, as far as they may answer."""
    names = sorted(query.lifted - exclude)
    if not names:
        return {}
    numbers = view.row_numbers(names)
    usable = numbers >= 0 if allowed is None else (numbers >= 0) & allowed[numbers]
    return {names[i]: int(numbers[i]) for i in np.flatnonzero(usable).tolist()}


def score_movies(view: IndexView, query: Query, movie_ids: Sequence[str]) -> Candidates:
    """Score movies of the index that were found by other means, best first."""
    return _scored(query, view.find_rows(movie_ids), len(movie_ids))


def _read(view: IndexView, rows: Mapping[str, int]) -> Rows:
    return view.read_rows(np.array(list(rows.values()), dtype=np.int64), tuple(rows))


def _scored(query: Query, rows: Rows, n: int) -> Candidates:
    columns = query.columns(rows)
    scores = query.score(rows, columns)
    return Candidates(rows, columns, scores).at(best_first(scores, rows.movie_ids)[:n])


def best_first(scores: NDArray[np.float64], movie_ids: Sequence[str]) -> list[int]:
    """Positions by score, equal scores by movie id; without those of unknown score."""
    keys = zip((-scores).tolist(), movie_ids, range(len(movie_ids)), strict=True)
    # NaN is the one number that is not equal to itself.
    return [i for _, _, i in sorted(key for key in keys if key[0] == key[0])]


def _groups(
    facts: Facts, weights: Weights, allowed: NDArray[np.bool_] | None
) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_] | None]]:
    """Rows by the signals with a share that they lack: (missing (3,), mask or None for all rows)."""
    nothing_missing = np.zeros(3, dtype=bool)
    if facts.known is None:
        return [(nothing_missing, allowed)]
    shares = np.asarray(weights.as_tuple()) > 0
    wanted = np.uint8(_SIGNAL_BITS[shares].sum())
    has = facts.known & wanted
    if bool((has == wanted).all()):
        return [(nothing_missing, allowed)]
    usable = facts.live if allowed is None else facts.live & allowed
    groups = []
    for pattern in np.unique(has[usable]).tolist():
        if pattern:
            missing = shares & ((_SIGNAL_BITS & pattern) == 0)
            groups.append((missing, usable & (has == pattern)))
    return groups
