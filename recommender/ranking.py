"""From scored candidates to the list that is shown: series, duplicates, least score, diversity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.reader import IndexView
from recommender.diversity import blended_similarities, first_of_each, mmr_order
from recommender.percentiles import Percentiles
from recommender.search import Candidates, Query, find_candidates, score_movies
from recommender.types import SimilarRequest

_LEAST_POOL = 100
_POOL_PER_RESULT = 5


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
    """

    view: IndexView
    query: Query
    percentiles: Percentiles
    allowed: NDArray[np.bool_] | None = None
    exclude: tuple[str, ...] = ()
    series: tuple[str, ...] = ()


def rank(shelf: Shelf, request: SimilarRequest) -> Candidates:
    """The at most ``request.k`` movies to show, in order.

    Everything that leaves movies out does so before the k are taken, so a
    page is short only where no more movies match.
    """
    head = _series_first(shelf, request)
    wanted = request.k - (0 if head is None else len(head))
    if head is not None and wanted <= 0:
        return head.at(range(request.k))
    left_out = (*shelf.exclude, *shelf.series) if request.series != "neutral" else shelf.exclude
    n = max(_LEAST_POOL, _POOL_PER_RESULT * wanted) if request.diversity > 0 else wanted
    shown = () if head is None else head.rows.movie_ids
    taken = _groups_of(shelf.view, (*request.like, *shown)) if request.collapse_duplicates else set()
    while True:
        found = find_candidates(shelf.view, shelf.query, n, shelf.allowed, left_out)
        pool = _presentable(shelf, request, found, taken)
        # Duplicates that fell out leave room: look further until the page is full or nothing is left.
        if len(pool) >= wanted or len(found) < n or len(_above(shelf, request, found)) < len(found):
            break
        n *= 2
    body = pool.at(_diverse_order(shelf.query, pool, request.diversity, wanted))
    return body if head is None else _joined(head, body)


def _series_first(shelf: Shelf, request: SimilarRequest) -> Candidates | None:
    """Movies of the query's series, where those are wanted first and there are any."""
    members = [m for m in shelf.series if m not in shelf.exclude] if request.series == "first" else []
    if not members:
        return None
    numbers = shelf.view.row_numbers(members)
    in_index = numbers >= 0
    if shelf.allowed is not None:
        in_index &= shelf.allowed[numbers]
    present = [m for m, there in zip(members, in_index.tolist(), strict=True) if there]
    found = score_movies(shelf.view, shelf.query, present)
    return _presentable(shelf, request, found, _groups_of(shelf.view, request.like))


def _presentable(shelf: Shelf, request: SimilarRequest, found: Candidates, taken: set[int]) -> Candidates:
    kept = found.at(_above(shelf, request, found))
    if not request.collapse_duplicates or not len(kept):
        return kept
    groups = shelf.view.facts.artwork_groups[shelf.view.row_numbers(kept.rows.movie_ids)]
    return kept.at(first_of_each(groups, taken))


def _above(shelf: Shelf, request: SimilarRequest, found: Candidates) -> list[int]:
    least = request.filters.min_score
    if least is None:
        return list(range(len(found)))
    return np.flatnonzero(shelf.percentiles.share_below(found.scores) >= least).tolist()


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
