"""What was looked up or answered a moment ago, kept for as long as the catalog does not change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from indexer.catalog import Catalog
from indexer.types import Movie

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

State = tuple[str, int]
"""Snapshot and catalog revision: the same question under the same state has the same answer."""


class StateCache(Generic[Key, Value]):
    """The values used last, all of one state; another state empties it. Threads may share it.

    Args:
        size: How many at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._state: State | None = None
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def find(self, state: State, key: Key) -> Value | None:
        """The value of ``key`` under ``state``; None where it is not kept."""
        with self._lock:
            if state != self._state or key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, state: State, key: Key, value: Value) -> None:
        """Keep a value; the one used longest ago makes room for it."""
        with self._lock:
            if state != self._state:
                self._state = state
                self._values.clear()
            self._values[key] = value
            if len(self._values) > self._size:
                self._values.popitem(last=False)


class CatalogFacts:
    """Movies, and how many people liked two of them both, looked up once per state.

    Args:
        catalog: Where they are looked up.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._movies: StateCache[str, Movie] = StateCache(20_000)
        self._pairs: StateCache[tuple[str, str], int] = StateCache(100_000)

    def movies(self, state: State, movie_ids: Sequence[str]) -> dict[str, Movie]:
        """Those of the movies that the catalog has, by id, in the order asked."""
        kept = {movie_id: self._movies.find(state, movie_id) for movie_id in movie_ids}
        found = {movie_id: movie for movie_id, movie in kept.items() if movie is not None}
        missing = [movie_id for movie_id in kept if movie_id not in found]
        for movie_id, movie in _looked_up(missing, self._catalog.find_movies).items():
            self._movies.keep(state, movie_id, movie)
            found[movie_id] = movie
        return {movie_id: found[movie_id] for movie_id in kept if movie_id in found}

    def co_liked(self, state: State, movie_id: str, others: Sequence[str]) -> dict[str, int]:
        """How many people liked ``movie_id`` and each of the others."""
        found = {other: self._pairs.find(state, (movie_id, other)) for other in others}
        missing = [other for other, n in found.items() if n is None]
        counted = _looked_up(missing, lambda ids: self._catalog.co_liked(movie_id, ids))
        for other, n in counted.items():
            self._pairs.keep(state, (movie_id, other), n)
        return {other: counted.get(other, 0) if n is None else n for other, n in found.items()}


def _looked_up(missing: list[str], look_up: Callable[[list[str]], dict[str, Value]]) -> dict[str, Value]:
    return look_up(missing) if missing else {}
