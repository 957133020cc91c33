"""Movies, and who liked them, kept in memory and brought up to date with the catalog."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from indexer.catalog import Active, Catalog
from indexer.types import Facts, Movie
from recommender.cache import State, StateCache
from recommender.liked import Likers

_MOST_MOVIES = 20_000
"""Movies kept, some 3 KB each; a catalog that has no more is read whole, page by page."""
_MOST_RATINGS = 2_000_000
"""A catalog with more ratings is asked for each pair instead of holding 4 bytes for each liked one."""
_KEPT_PAIRS = 100_000
_PAGE = 250


class CatalogFacts:
    """Movies, and how many people liked two of them both. Threads may share it.

    What changed since the state of the last question is forgotten at the next
    one: single movies by the catalog's revisions; all of them with the ratings
    or the encoder, which change movies without a revision of their own.

    Args:
        catalog: Where they are looked up.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._state: State | None = None
        self._standing: tuple[Active, int] | None = None
        self._movies: OrderedDict[str, Movie] = OrderedDict()
        self._likers = Likers()
        self._next_row = 0
        self._pairs: StateCache[tuple[str, str], int] = StateCache(_KEPT_PAIRS)

    def movies(self, state: State, movie_ids: Sequence[str]) -> dict[str, Movie]:
        """Those of the movies that the catalog has, by id, in the order asked."""
        with self._lock:
            self._follow(state)
            kept = {movie_id: self._movies.get(movie_id) for movie_id in movie_ids}
            for movie_id, movie in kept.items():
                if movie is not None:
                    self._movies.move_to_end(movie_id)
        missing = [movie_id for movie_id, movie in kept.items() if movie is None]
        if missing:
            found = self._catalog.find_movies(missing)
            self._keep(state, found)
            kept |= found
        return {movie_id: movie for movie_id, movie in kept.items() if movie is not None}

    def co_liked(self, state: State, movie_id: str, others: Sequence[str]) -> dict[str, int]:
        """How many people liked ``movie_id`` and each of the others."""
        with self._lock:
            self._follow(state)
            likers = self._likers
            if movie_id in likers and all(other in likers for other in others):
                return likers.count(movie_id, others)
        found = {other: self._pairs.find(state, (movie_id, other)) for other in others}
        missing = [other for other, n in found.items() if n is None]
        counted = self._catalog.co_liked(movie_id, missing) if missing else {}
        for other, n in counted.items():
            self._pairs.keep(state, (movie_id, other), n)
        return {other: counted.get(other, 0) if n is None else n for other, n in found.items()}

    def read_ahead(self, state: State, facts: Facts) -> None:
        """Read one page of movies that will be asked for, until all of a catalog that is not large are kept.

        Args:
            state: State of the catalog.
            facts: Columns of every row of the index.
        """
        if len(facts) > _MOST_MOVIES or (state == self._state and self._next_row >= len(facts)):
            return
        few = int(facts.n_ratings.sum()) <= _MOST_RATINGS
        with self._lock:
            self._follow(state)
            if state != self._state:
                return  # what this question reads would not be kept
            movie_ids = self._next_page(facts, few)
        if not movie_ids:
            return
        with self._catalog.consistent_read():
            movies = self._catalog.find_movies(movie_ids)
            likers = self._catalog.likers(movie_ids) if few else {}
        self._keep(state, movies, likers)

    def _next_page(self, facts: Facts, with_likers: bool) -> list[str]:
        """Movies of the next rows that are not kept, or whose likers are not. Under ``_lock``."""
        page: list[str] = []
        while len(page) < _PAGE and self._next_row < len(facts):
            rows = facts.movie_ids[self._next_row : self._next_row + _PAGE].tolist()
            page += [
                one
                for one in map(bytes.decode, rows)
                if one not in self._movies or (with_likers and one not in self._likers)
            ]
            self._next_row += len(rows)
        return page

    def _keep(
        self, state: State, movies: dict[str, Movie], likers: dict[str, list[str]] | None = None
    ) -> None:
        with self._lock:
            if state != self._state:
                return  # read before a change that was followed meanwhile
            self._movies.update(movies)
            while len(self._movies) > _MOST_MOVIES:
                self._movies.popitem(last=False)
            self._likers.add(likers or {})

    def _follow(self, state: State) -> None:
        """Forget what is not of ``state``. Under ``_lock``.

        A question that was under way when the catalog changed is answered from what is kept since: to go
        back for it, and forward again for the next, would be to read everything anew.
        """
        before = self._state
        if state == before:
            return
        with self._catalog.consistent_read():
            if before is not None and state[1] < before[1] <= self._catalog.revision():
                return
            standing = (self._catalog.active(), self._catalog.ratings_revision())
            if before is None or standing != self._standing or state[1] < before[1]:
                # A revision that went back is another catalog under the same name.
                self._movies.clear()
                self._likers = Likers()
            else:
                changes = self._catalog.changes_since(before[1])
                for movie_id in (*changes.changed, *changes.removed):
                    self._movies.pop(movie_id, None)
        self._state, self._standing, self._next_row = state, standing, 0
