"""From a query to scored candidates: which rows may answer, one search, exact scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.reader import IndexView
from indexer.types import Facts, Rows
from recommender.affinity import lift_of
from recommender.blend import UNLIKE_SHARE, Scale, blend, cosines, known_signals, query_row
from recommender.types import Filters, Weights

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
    """

    like: Rows
    unlike: Rows | None
    weights: Weights
    scale: Scale
    unlike_share: float = UNLIKE_SHARE
    rated_alike: Mapping[str, float] = field(default_factory=dict)

    def row(self) -> NDArray[np.float32]:
        """The query row, float32, (dim,)."""
        return query_row(self.like, self.unlike, self.weights, self.scale, self.unlike_share)

    def score(self, candidates: Rows) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Cosines to the liked rows, (n, 3), and blended scores, (n,), of some movies."""
        columns = cosines(self.like, candidates)
        scores = blend(columns, self.weights, self.scale)
        if self.unlike is not None:
            unliked = blend(cosines(self.unlike, candidates), self.weights, self.scale)
            scores = scores - self.unlike_share * np.where(np.isnan(unliked), self._mean(), unliked)
        if self.rated_alike:
            scores = scores + lift_of(self.rated_alike, candidates.movie_ids, columns)
        return columns, np.round(scores, _SCORE_DIGITS)

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
    row = query.row()
    found: list[tuple[float, str, int]] = []
    for missing, mask in _groups(view.facts, query.weights, allowed):
        near = view.search(row, n, mask, exclude)
        offset = query.imputed(missing) if missing.any() else 0.0
        found += zip((near.scores + offset).tolist(), near.movie_ids, near.rows.tolist(), strict=True)
    best = sorted((-round(score, _SCORE_DIGITS), movie_id, row) for score, movie_id, row in found)[:n]
    rows = {movie_id: row for _, movie_id, row in best}
    if query.rated_alike:
        # Only these are lifted: whatever else is among the n best is among the n best without a lift.
        rows |= _lifted(view, query, allowed, exclude)
    numbers = np.array(list(rows.values()), dtype=np.int64)
    candidates = _scored(query, view.read_rows(numbers, tuple(rows)))
    return candidates.at(range(min(n, len(candidates))))


def _lifted(
    view: IndexView, query: Query, allowed: NDArray[np.bool_] | None, exclude: Sequence[str]
) -> dict[str, int]:
    """Rows of the movies that people rate like the query's, as far as they may answer."""
    names = [movie_id for movie_id in query.rated_alike if movie_id not in exclude]
    numbers = view.row_numbers(names)
    usable = numbers >= 0 if allowed is None else (numbers >= 0) & allowed[numbers]
    return {names[i]: int(numbers[i]) for i in np.flatnonzero(usable).tolist()}


def score_movies(view: IndexView, query: Query, movie_ids: Sequence[str]) -> Candidates:
    """Score movies of the index that were found by other means, best first."""
    return _scored(query, view.find_rows(movie_ids))


def _scored(query: Query, rows: Rows) -> Candidates:
    columns, scores = query.score(rows)
    known = np.flatnonzero(~np.isnan(scores)).tolist()
    order = sorted(known, key=lambda i: (-scores[i], rows.movie_ids[i]))
    return Candidates(rows, columns, scores).at(order)


def allowed_rows(facts: Facts, genres: Sequence[str], filters: Filters) -> NDArray[np.bool_] | None:
    """Rows that pass the filters on genres and years.

    Args:
        facts: Columns of the view.
        genres: The index's genres, in column order.
        filters: What is asked; ids and scores are not looked at here.

    Returns:
        bool, (n_rows,); None when every row may answer. A movie of unknown year passes no year filter.

    Raises:
        InvalidRequestError: A genre is not in the index, or the years are the wrong way round.
    """
    if filters.year_min is not None and filters.year_max is not None and filters.year_min > filters.year_max:
        raise InvalidRequestError(
            f"the years {filters.year_min}-{filters.year_max} end before they begin; swap them.",
            field="years",
        )
    if not filters.genres and filters.year_min is None and filters.year_max is None:
        return None
    bits = _genre_bits(genres, filters.genres).astype(facts.genre_bits.dtype)
    mask: NDArray[np.bool_] = facts.live & (np.bitwise_and(facts.genre_bits, bits) == bits)
    if filters.year_min is not None or filters.year_max is not None:
        mask &= facts.years != 0
    if filters.year_min is not None:
        mask &= facts.years >= filters.year_min
    if filters.year_max is not None:
        mask &= facts.years <= filters.year_max
    return mask


def _genre_bits(genres: Sequence[str], wanted: Sequence[str]) -> np.uint64:
    columns = {genre.casefold(): i for i, genre in enumerate(genres)}
    bits = 0
    for genre in wanted:
        if genre.casefold() not in columns:
            raise InvalidRequestError(
                f"no genre is called {genre!r} here; the genres are {', '.join(genres)}.", field="genres"
            )
        bits |= 1 << columns[genre.casefold()]
    return np.uint64(bits)


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
