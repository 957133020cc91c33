"""From scored candidates to the list that is shown: series, opening and rest, duplicates, diversity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.reader import IndexView
from recommender.defaults import OPENING
from recommender.diversity import blended_similarities, first_of_each, mmr_order
from recommender.percentiles import Percentiles
from recommender.search import Candidates, Query, find_candidates, score_movies
from recommender.types import SimilarRequest

_LEAST_POOL = 100
_POOL_PER_RESULT = 5


@dataclass(frozen=True)
class Order:
    """What movies are ranked by.

    Args:
        query: What is searched for.
        percentiles: From blended score to share of random pairs.
    """

    query: Query
    percentiles: Percentiles


@dataclass(frozen=True)
class Shelf:
    """What the ranking of one request draws from.

    Args:
        view: The index.
        query: What is searched for.
        percentiles: From blended score to share of random pairs.
        allowed: bool mask over the rows of the view; None allows all.
        exclude: Movie ids that are never answered.
        series: Movies of the same series as the query.
        rest: Order of what follows the first ``OPENING`` movies; None where one order holds throughout.
    """

    view: IndexView
    query: Query
    percentiles: Percentiles
    allowed: NDArray[np.bool_] | None = None
    exclude: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    rest: Order | None = None

    @property
    def opening(self) -> Order:
        """Order of the list, or of its opening where ``rest`` follows."""
        return Order(self.query, self.percentiles)


def rank(shelf: Shelf, request: SimilarRequest) -> Candidates:
    """The at most ``request.k`` movies to show, in order.

    Everything that leaves movies out does so before the k are taken, so a
    page is short only where no more movies match. Scores are on the scale of
    ``shelf.opening`` and fall along the list: a movie of the rest has its own
    percentile there, or that of the last movie of the opening where that is
    lower. A list that is made diverse is chosen from the opening's order alone.
    """
    found = _series_first(shelf, request)
    n = min(request.k, len(found) + OPENING) if shelf.rest and request.diversity == 0 else request.k
    found = _continued(shelf, shelf.opening, request, found, n)
    if shelf.rest is None or len(found) < n or n == request.k:
        return found
    whole = _continued(shelf, shelf.rest, request, found, request.k)
    return replace(whole, scores=_falling(shelf.opening, shelf.rest, whole.scores, n))


def _continued(shelf: Shelf, order: Order, request: SimilarRequest, shown: Candidates, k: int) -> Candidates:
    """What is shown, and behind it the nearest of the other movies, k in all."""
    wanted = k - len(shown)
    if wanted <= 0:
        return shown.at(range(k))
    left_out = (*shelf.exclude, *shown.rows.movie_ids, *(shelf.series if request.series != "neutral" else ()))
    n = max(_LEAST_POOL, _POOL_PER_RESULT * wanted) if request.diversity > 0 else wanted
    used = (*request.like, *shown.rows.movie_ids)
    taken = _groups_of(shelf.view, used) if request.collapse_duplicates else set()
    while True:
        found = find_candidates(shelf.view, order.query, n, shelf.allowed, left_out)
        pool = _presentable(shelf, order, request, found, taken)
        # Duplicates that fell out leave room: look further until the page is full or nothing is left.
        if len(pool) >= wanted or len(found) < n or len(_above(order, request, found)) < len(found):
            break
        n *= 2
    return _joined(shown, pool.at(_diverse_order(order.query, pool, request.diversity, wanted)))


def _falling(opening: Order, rest: Order, scores: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The scores behind the first n, which are the rest's, as the opening's; they fall on from the last."""
    moved = [opening.percentiles.score_at(s) for s in rest.percentiles.share_below(scores[n:]).tolist()]
    falling = np.minimum.accumulate(np.minimum(moved, scores[n - 1]))
    return np.concatenate([scores[:n], falling])


def _series_first(shelf: Shelf, request: SimilarRequest) -> Candidates:
    """Movies of the query's series, where those are wanted first."""
    members = [m for m in shelf.series if m not in shelf.exclude] if request.series == "first" else []
    numbers = shelf.view.row_numbers(members)
    in_index = numbers >= 0
    if shelf.allowed is not None:
        in_index &= shelf.allowed[numbers]
    present = [m for m, there in zip(members, in_index.tolist(), strict=True) if there]
    found = score_movies(shelf.view, shelf.opening.query, present)
    return _presentable(shelf, shelf.opening, request, found, _groups_of(shelf.view, request.like))


def _presentable(
    shelf: Shelf, order: Order, request: SimilarRequest, found: Candidates, taken: set[int]
) -> Candidates:
    kept = found.at(_above(order, request, found))
    if not request.collapse_duplicates or not len(kept):
        return kept
    groups = shelf.view.facts.artwork_groups[shelf.view.row_numbers(kept.rows.movie_ids)]
    return kept.at(first_of_each(groups, taken))


def _above(order: Order, request: SimilarRequest, found: Candidates) -> list[int]:
    least = request.filters.min_score
    if least is None:
        return list(range(len(found)))
    return np.flatnonzero(order.percentiles.share_below(found.scores) >= least).tolist()


def _groups_of(view: IndexView, movie_ids: Sequence[str]) -> set[int]:
    numbers = view.row_numbers(movie_ids)
    groups = view.facts.artwork_groups[numbers[numbers >= 0]]
    return {group for group in groups.tolist() if group >= 0}


def _diverse_order(query: Query, pool: Candidates, diversity: float, k: int) -> list[int]:
    if diversity == 0 or len(pool) < 2:
        return list(range(min(k, len(pool))))
    similarities = blended_similarities(pool.rows, query.weights, query.scale)
    identical = float((np.asarray(query.weights.as_tuple()) / query.scale.spreads).sum())
    return mmr_order(pool.scores / identical, similarities, diversity, k)


def _joined(head: Candidates, body: Candidates) -> Candidates:
    if not len(head):
        return body
    return Candidates(
        head.rows.joined(body.rows),
        np.concatenate([head.columns, body.columns]),
        np.concatenate([head.scores, body.scores]),
    )
