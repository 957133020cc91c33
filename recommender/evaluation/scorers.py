"""What is judged: anything that says how alike two movies are."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows
from recommender.blend import Scale, blocks_of
from recommender.defaults import OPENING, POOL
from recommender.evaluation.metrics import top

_PAIRS_AT_ONCE = 1_000
_ASKING_AT_ONCE = 128
_ABOVE = 1e9


class Scorer(Protocol):
    """Says how alike movies are; movies are positions in the catalog's rows."""

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores of the candidates of each query: (m,) and (m, c) give (m, c); higher is closer."""

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores of all movies for each query: (m,) gives (m, n_movies)."""


class InnerProduct:
    """Inner product of one block's rows.

    Args:
        items: (n_movies, dim), rows of movies that answer.
        askers: (n_movies, dim), rows of movies that ask; None takes ``items``.
    """

    def __init__(self, items: NDArray[np.float32], askers: NDArray[np.float32] | None = None) -> None:
        self._items = items
        self._askers = items if askers is None else askers

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        found = np.empty(candidates.shape, dtype=np.float64)
        for start in range(0, len(queries), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            found[part] = np.einsum("md,mcd->mc", self._askers[queries[part]], self._items[candidates[part]])
        return found

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return np.asarray(self._askers[queries] @ self._items.T, dtype=np.float64)


class Fixed:
    """The same score for a movie whoever asks, such as its popularity."""

    def __init__(self, scores: NDArray[np.float64]) -> None:
        self._scores = scores

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return np.asarray(self._scores[candidates])

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return np.tile(self._scores, (len(queries), 1))


class Chance:
    """Scores without sense."""

    def __init__(self, n_movies: int, seed: int) -> None:
        self._n_movies = n_movies
        self._rng = np.random.default_rng(seed)

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return self._rng.random(candidates.shape)

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return self._rng.random((len(queries), self._n_movies))


class ItemItem:
    """A finished table of similarities of the rated movies.

    Args:
        table: (n_rated, n_rated), row asks, column answers.
        place: int64, (n_movies,), row and column of each movie; -1 where it has none: it scores lowest.
    """

    def __init__(self, table: NDArray[np.float32], place: NDArray[np.int64]) -> None:
        self._table = table
        self._place = place
        self._lowest = float(table.min()) - 1.0 if table.size else 0.0

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        asks, answers = self._place[queries][:, None], self._place[candidates]
        return np.where((asks >= 0) & (answers >= 0), self._table[asks, answers], self._lowest)

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        found = np.full((len(queries), len(self._place)), self._lowest)
        asks, answers = self._place[queries], np.flatnonzero(self._place >= 0)
        found[:, answers] = self._table[asks][:, self._place[answers]]
        found[asks < 0] = self._lowest
        return found


class Blend:
    """The recommender's own blend: weights over spreads, unknown signals at the mean of random pairs.

    Args:
        rows: All movies with their three blocks.
        scale: Means and spreads of random pairs.
        weights: float64, (n_movies, 3) shares of each movie when it asks, or (3,) for all alike.
        redistribute: Give the weight of a signal that a query lacks to the others.
        askers: The same movies as they are known when they ask; None as when they answer.
    """

    def __init__(
        self,
        rows: Rows,
        scale: Scale,
        weights: NDArray[np.float64],
        redistribute: bool = True,
        askers: Rows | None = None,
    ) -> None:
        asking = rows if askers is None else askers
        self._signals = [
            InnerProduct(block, asks) for block, asks in zip(blocks_of(rows), blocks_of(asking), strict=True)
        ]
        self._known = rows.known
        self._scale = scale
        shares = np.broadcast_to(np.asarray(weights, dtype=np.float64), (len(rows), 3))
        self._weights = in_force(shares, asking.known) if redistribute else shares

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return np.asarray(
            sum(
                self._share(queries, i) * self._filled(one.pairs(queries, candidates), candidates, i)
                for i, one in enumerate(self._signals)
            )
        )

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        all_of_them = np.arange(len(self._known))[None]
        return np.asarray(
            sum(
                self._share(queries, i) * self._filled(one.everything(queries), all_of_them, i)
                for i, one in enumerate(self._signals)
            )
        )

    def _share(self, queries: NDArray[np.int64], signal: int) -> NDArray[np.float64]:
        return np.asarray(self._weights[queries, signal][:, None] / self._scale.spreads[signal])

    def _filled(
        self, scores: NDArray[np.float64], candidates: NDArray[np.int64], signal: int
    ) -> NDArray[np.float64]:
        return np.where(self._known[candidates, signal], scores, self._scale.means[signal])


class Opened:
    """Lists that open in one order and go on in another, as the recommender's defaults do.

    Args:
        opening: Order of the first movies.
        rest: Order of all others, and of the nearest, among which the first are chosen.
        lift: Movies that it scores above 0 may be first wherever they stand; None for no such movies.
        sizes: How many are first, and among how many they are chosen.
    """

    def __init__(
        self,
        opening: Scorer,
        rest: Scorer,
        lift: Scorer | None = None,
        sizes: tuple[int, int] = (OPENING, POOL),
    ) -> None:
        self._opening = opening
        self._rest = rest
        self._lift = lift
        self._n, self._n_near = sizes

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        asking, asks = np.unique(queries, return_inverse=True)
        first = self._first(asking)
        scores = self._rest.pairs(queries, candidates)
        for start in range(0, len(queries), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            same = candidates[part, :, None] == first[asks[part], None]
            scores[part] = np.where(same.any(axis=2), _ABOVE - same.argmax(axis=2), scores[part])
        return scores

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        first = self._first(queries)
        scores = self._rest.everything(queries)
        np.put_along_axis(scores, first, _ABOVE - np.arange(first.shape[1], dtype=np.float64)[None], axis=1)
        return scores

    def _first(self, queries: NDArray[np.int64]) -> NDArray[np.int64]:
        """The opening of each query's list, without itself: (m, n)."""
        parts = []
        for start in range(0, len(queries), _ASKING_AT_ONCE):
            asking = queries[start : start + _ASKING_AT_ONCE]
            scores = np.where(self._may_be_first(asking), self._opening.everything(asking), -np.inf)
            parts.append(top(scores, min(self._n, scores.shape[1] - 1)))
        return np.concatenate(parts) if parts else np.empty((0, self._n), dtype=np.int64)

    def _may_be_first(self, asking: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The nearest of each query by the rest, and what is lifted; never itself: (m, n_movies)."""
        scores = self._rest.everything(asking)
        scores[np.arange(len(asking)), asking] = -np.inf
        found = np.zeros(scores.shape, dtype=np.bool_)
        np.put_along_axis(found, top(scores, min(self._n_near, scores.shape[1] - 1)), True, axis=1)
        if self._lift is not None:
            found |= self._lift.everything(asking) > 0
            found[np.arange(len(asking)), asking] = False
        return found


def in_force(weights: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """``blend.weights_in_force`` for many queries at once: missing signals give their weight to the others.

    Args:
        weights: (n, 3), each >= 0, one above 0 in each row.
        known: bool, (n, 3), signals of the query.

    Returns:
        float64, (n, 3), rows that sum to 1; a query without any signal keeps its weights.
    """
    kept = np.where(known, weights, 0.0)
    lost = kept.sum(axis=1) <= 0
    kept[lost] = np.where(known[lost].any(axis=1)[:, None], known[lost], weights[lost])
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))
