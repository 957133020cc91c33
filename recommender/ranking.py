"""From scored candidates to the list that is shown: series, opening and rest, duplicates, diversity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.reader import IndexView
from recommender.defaults import OPENING, POOL
from recommender.diversity import blended_similarities, first_of_each, mmr_order
from recommender.percentiles import Percentiles
from recommender.search import Candidates, Pool, Query, best_first, find_candidates, find_pool, score_movies
from recommender.types import SimilarRequest

_LEAST_POOL = 100
_POOL_PER_RESULT = 5
_STEP = 2e-9
"""Between shares that are told apart by nothing else: answers show nine digits."""


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
        rest: Order of the whole list but for its first ``OPENING`` movies; None where one order holds
            throughout.
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
    ``shelf.opening`` and fall along the list, strictly where blended scores do:
    a movie of the rest has its own percentile there, or one just below that of
    the movie before where that is lower. A list that is made diverse is chosen
    from the opening's order alone.
    """
    head = _series_first(shelf, request)
    shown = () if head is None else head.rows.movie_ids
    if head is not None and len(head) >= request.k:
        return head.at(range(request.k))
    left_out = shelf.exclude if request.series == "neutral" else (*shelf.exclude, *shelf.series)
    room = _Room(request, request.k - len(shown), left_out, _groups_of(shelf, request, shown))
    if shelf.rest is None or request.diversity > 0:
        body = _of_one_order(shelf, room)
    else:
        body = _of_two_orders(shelf, shelf.rest, room)
    return body if head is None else head.joined(body)


@dataclass(frozen=True)
class _Room:
    """What is left of a page behind the series.

    Args:
        request: The question.
        wanted: Movies that still fit, at least 1.
        left_out: Movies that are not looked for.
        taken: Groups of artwork that are not shown again.
    """

    request: SimilarRequest
    wanted: int
    left_out: tuple[str, ...]
    taken: set[int]


def _of_one_order(shelf: Shelf, room: _Room) -> Candidates:
    diversity, wanted = room.request.diversity, room.wanted
    n = max(_LEAST_POOL, _POOL_PER_RESULT * wanted) if diversity > 0 else wanted
    while True:
        found = find_candidates(shelf.view, shelf.query, n, shelf.allowed, room.left_out)
        above = _above(shelf.opening, room.request, found.scores, list(range(len(found))))
        pool = found.at(_distinct(shelf, room.request, found.rows.movie_ids, above, room.taken))
        # Duplicates that fell out leave room: look further until the page is full or nothing is left.
        if len(pool) >= wanted or len(found) < n or len(above) < len(found):
            return pool.at(_diverse_order(shelf.query, pool, diversity, wanted))
        n *= 2


def _of_two_orders(shelf: Shelf, rest: Order, room: _Room) -> Candidates:
    """The opening, chosen among the nearest by the rest's weights, and behind it the others of those."""
    n = max(POOL, room.wanted)
    while True:
        pool = find_pool(shelf.view, (shelf.query, rest.query), n, shelf.allowed, room.left_out)
        first, all_open = _opening(shelf, room, pool)
        behind, all_follow = _behind(shelf, rest, room, pool, first) if all_open else ([], False)
        n_found = len(first) + len(behind)
        if n_found >= room.wanted or pool.n_near < n or not (all_open and all_follow):
            break
        n *= 2
    opening = pool.scores[0][first]
    shares = _falling(shelf, rest, pool.scores[1][behind], opening)
    if room.request.filters.min_score is not None:
        shares = [share for share in shares if share >= room.request.filters.min_score]
    behind_scores = [shelf.percentiles.score_at(share) for share in shares]
    positions = np.array(first + behind[: len(shares)], dtype=np.int64)
    scores = np.concatenate([opening, np.array(behind_scores, dtype=np.float64)])
    return Candidates(pool.rows.take(positions), pool.columns[positions], scores)


def _opening(shelf: Shelf, room: _Room, pool: Pool) -> tuple[list[int], bool]:
    """Who opens the list, and whether no least score ends it there.

    The same movies may open it however long it is: the ``POOL`` nearest, and those that are lifted.
    """
    ids, lifted = pool.rows.movie_ids, shelf.query.lifted
    order = [i for i in best_first(pool.scores[0], ids) if i < POOL or ids[i] in lifted]
    above = _above(shelf.opening, room.request, pool.scores[0], order)
    size = min(OPENING, room.wanted)
    first = _distinct(shelf, room.request, ids, above, room.taken)[:size]
    return first, len(first) == size or len(above) == len(order)


def _behind(
    shelf: Shelf, rest: Order, room: _Room, pool: Pool, first: Sequence[int]
) -> tuple[list[int], bool]:
    """Who follows the opening, and whether all of those nearest reach the least score."""
    wanted = room.wanted - len(first)
    if wanted == 0:
        return [], True
    ids = pool.rows.movie_ids
    order = [i for i in best_first(pool.scores[1], ids) if i < pool.n_near and i not in first]
    above = _above(rest, room.request, pool.scores[1], order)
    taken = room.taken | _groups_of(shelf, room.request, [ids[i] for i in first])
    return _distinct(shelf, room.request, ids, above, taken)[:wanted], len(above) == len(order)


def _falling(
    shelf: Shelf, rest: Order, scores: NDArray[np.float64], opening: NDArray[np.float64]
) -> list[float]:
    """Shares of random pairs that movies of the rest are shown with: their own, below those before them.

    What has no lower share of its own stands one step below its predecessor, so that a list that is
    sorted by what it shows stays in order; movies of one blended score are shown with one share.
    """
    before = float(shelf.percentiles.share_below(opening[-1:])[0]) if len(opening) else np.inf
    shown: list[float] = []
    for i, share in enumerate(rest.percentiles.share_below(scores).tolist()):
        if i == 0 or scores[i] != scores[i - 1]:
            before = min(share, before - min(_STEP, before / 2))
        shown.append(before)
    return shown


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
    above = _above(shelf.opening, request, found.scores, list(range(len(found))))
    return found.at(_distinct(shelf, request, found.rows.movie_ids, above, _groups_of(shelf, request, ())))


def _above(
    order: Order, request: SimilarRequest, scores: NDArray[np.float64], positions: list[int]
) -> list[int]:
    """Those of the positions whose score reaches the least that is asked for."""
    least = request.filters.min_score
    if least is None:
        return positions
    reach = order.percentiles.share_below(scores[positions]) >= least
    return [i for i, there in zip(positions, reach.tolist(), strict=True) if there]


def _distinct(
    shelf: Shelf, request: SimilarRequest, movie_ids: Sequence[str], positions: list[int], taken: set[int]
) -> list[int]:
    """Those of the positions that are the first of their artwork, where duplicates collapse."""
    if not request.collapse_duplicates or not positions:
        return positions
    numbers = shelf.view.row_numbers([movie_ids[i] for i in positions])
    kept = first_of_each(shelf.view.facts.artwork_groups[numbers], taken)
    return [positions[i] for i in kept]


def _groups_of(shelf: Shelf, request: SimilarRequest, shown: Sequence[str]) -> set[int]:
    """Artwork of the query and of what is shown, where duplicates collapse."""
    if not request.collapse_duplicates:
        return set()
    numbers = shelf.view.row_numbers((*request.like, *shown))
    groups = shelf.view.facts.artwork_groups[numbers[numbers >= 0]]
    return {group for group in groups.tolist() if group >= 0}


def _diverse_order(query: Query, pool: Candidates, diversity: float, k: int) -> list[int]:
    if diversity == 0 or len(pool) < 2:
        return list(range(min(k, len(pool))))
    similarities = blended_similarities(pool.rows, query.weights, query.scale)
    identical = float((np.asarray(query.weights.as_tuple()) / query.scale.spreads).sum())
    return mmr_order(pool.scores / identical, similarities, diversity, k)
