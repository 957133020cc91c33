"""One state of the index: a snapshot and the overlay over it, searched as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import NotFoundError
from indexer.affinities import Affinities
from indexer.columns import find_sorted, known_flags
from indexer.overlay import Overlay
from indexer.poster_map import PosterMap
from indexer.snapshots import Snapshot
from indexer.types import Facts, Neighbours, Rows, SnapshotManifest
from indexer.vectors.base import Allowed, RowNeighbours, as_mask, rank_vectors
from indexer.vectors.blocks import split

# Asking for this many more than k is quicker than a mask when that few rows are left out.
_FEW_LEFT_OUT = 32


class IndexView:
    """Everything that is searchable at one catalog revision; immutable, shared by threads.

    Rows are numbered: first the snapshot's, in the order of their movie ids, then the overlay's.

    Args:
        snapshot: What was published.
        overlay: What the catalog changed since.
    """

    def __init__(self, snapshot: Snapshot, overlay: Overlay) -> None:
        self._snapshot = snapshot
        self._overlay = overlay
        self._n_base = len(snapshot.facts)

    @property
    def manifest(self) -> SnapshotManifest:
        """Description of the snapshot underneath."""
        return self._snapshot.manifest

    @property
    def revision(self) -> int:
        """Catalog revision this view answers for."""
        return self._overlay.revision

    @property
    def overlay_size(self) -> int:
        """How many rows are newer than the snapshot, or hide one of its rows."""
        return max(len(self._overlay), len(self._overlay.hidden))

    def __len__(self) -> int:
        return self._n_base + len(self._overlay)

    @cached_property
    def facts(self) -> Facts:
        """Columns of every row, for filters; row numbers index them."""
        base, overlay = self._snapshot.facts, self._overlay
        if len(overlay) or len(overlay.hidden):
            live = np.ones(self._n_base, dtype=np.bool_)
            live[overlay.hidden] = False
            whole = Facts.concatenate((replace(base, live=live), overlay.facts))
        else:
            whole = base
        complete = whole.known is None or bool((whole.known == 7).all())
        return replace(whole, known=None) if complete else whole

    def row_numbers(self, movie_ids: Sequence[str]) -> NDArray[np.int64]:
        """Row of each movie in this view, int64, -1 where the index does not have it."""
        numbers = find_sorted(self._snapshot.facts.movie_ids, movie_ids)
        if not len(self._overlay.hidden) and not len(self._overlay):
            return numbers
        numbers[np.isin(numbers, self._overlay.hidden)] = -1
        newer = find_sorted(self._overlay.facts.movie_ids, movie_ids)
        return np.where(newer >= 0, newer + self._n_base, numbers)

    def find_rows(self, movie_ids: Sequence[str]) -> Rows:
        """Blocks of some movies, in the order asked.

        Raises:
            NotFoundError: A movie is not in the index; the message names the first.
        """
        numbers = self.row_numbers(movie_ids)
        if (numbers < 0).any():
            first = movie_ids[int(np.argmax(numbers < 0))]
            raise NotFoundError(
                f"Movie {first!r} is not in the index: the catalog does not have it, or it has no poster "
                "that could be read and no genres; add one and run `onesheet reindex`."
            )
        return self.read_rows(numbers, tuple(movie_ids))

    def read_rows(self, numbers: NDArray[np.int64], movie_ids: tuple[str, ...]) -> Rows:
        """Blocks of some rows by number, each of which this view has, and the ids that go with them."""
        newer = len(self._overlay) > 0
        joined = self._read_both(numbers) if newer else self._snapshot.index.read_rows(numbers)
        visual, genre, taste = split(joined, self.manifest.widths)
        facts = self.facts
        bits = np.full(len(numbers), 7, dtype=np.uint8) if facts.known is None else facts.known[numbers]
        known = known_flags(bits)
        return Rows(movie_ids, visual, genre, taste, known, facts.n_ratings[numbers], facts.years[numbers])

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: Allowed | None = None,
        exclude: Sequence[str] = (),
        min_score: float | None = None,
    ) -> Neighbours:
        """The k rows with the highest inner product with the query.

        Args:
            query: float32, (dim,): [w_v·v | w_g·g | w_c·c] / spreads, as the caller wants it weighted.
            k: How many at most; fewer are returned only where fewer rows are allowed.
            allowed: bool mask over the rows of this view, or row numbers; None allows all.
            exclude: Movie ids left out besides; unknown ones are ignored.
            min_score: Least inner product.

        Raises:
            InvalidRequestError: k is below 1, the query has a wrong width or is not finite, or
                ``allowed`` does not fit the rows.
        """
        mask = as_mask(allowed, len(self))
        left_out = self.row_numbers(exclude) if len(exclude) else np.empty(0, dtype=np.int64)
        found = self._search_base(query, k, mask, left_out[(left_out >= 0) & (left_out < self._n_base)])
        ids = self._snapshot.facts.movie_ids[found.rows]
        if len(self._overlay):
            newer = self._search_overlay(query, k, mask, left_out[left_out >= self._n_base] - self._n_base)
            found, ids = self._merged(found, ids, newer, k)
        if min_score is not None:
            n = int(np.count_nonzero(found.scores >= min_score))
            found, ids = RowNeighbours(found.rows[:n], found.scores[:n]), ids[:n]
        return Neighbours(tuple(one.decode() for one in ids.tolist()), found.scores, found.rows)

    @property
    def poster_map(self) -> PosterMap | None:
        """Where the snapshot's posters lie; None where none was drawn."""
        return self._snapshot.beside.poster_map

    @property
    def affinities(self) -> Affinities | None:
        """Which movies people rate alike; None where nobody looked."""
        return self._snapshot.beside.affinities

    def random_pairs(self) -> NDArray[np.float32]:
        """Cosines of random pairs per signal, float32, (m, 3); NaN where a movie lacks the signal."""
        return self._snapshot.pairs

    def _search_base(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None,
        left_out: NDArray[np.int64],
    ) -> RowNeighbours:
        index = self._snapshot.index
        hidden = self._overlay.hidden
        out = np.union1d(hidden, left_out) if len(hidden) else left_out
        base = None if mask is None else mask[: self._n_base]
        extra = min(len(out), _FEW_LEFT_OUT)
        [found] = index.search(query[None], k + extra, base)
        if len(out) <= _FEW_LEFT_OUT:
            keep = (found.rows[:, None] != out).all(axis=1)  # far quicker than isin for a few
        else:
            keep = ~np.isin(found.rows, out)
        if len(out) > extra and keep.sum() < k and len(found) == k + extra:
            rest = np.ones(self._n_base, dtype=np.bool_) if base is None else base.copy()
            rest[out] = False
            [found] = index.search(query[None], k, rest)
            return found
        return RowNeighbours(found.rows[keep][:k], found.scores[keep][:k])

    def _merged(
        self, base: RowNeighbours, ids: NDArray[np.bytes_], newer: RowNeighbours, k: int
    ) -> tuple[RowNeighbours, NDArray[np.bytes_]]:
        """The k best of both, whose rows in the overlay become rows of this view, and their ids."""
        scores = np.concatenate([base.scores, newer.scores])
        rows = np.concatenate([base.rows, newer.rows + self._n_base])
        both = np.concatenate([ids, self._overlay.facts.movie_ids[newer.rows]])
        order = np.lexsort((both, -scores))[:k]
        return RowNeighbours(rows[order], scores[order]), both[order]

    def _search_overlay(
        self,
        query: NDArray[np.float32],
        k: int,
        mask: NDArray[np.bool_] | None,
        left_out: NDArray[np.int64],
    ) -> RowNeighbours:
        keep = np.ones(len(self._overlay), dtype=np.bool_) if mask is None else mask[self._n_base :].copy()
        keep[left_out] = False
        rows = np.flatnonzero(keep).astype(np.int64)
        if not len(rows):
            return RowNeighbours(rows, np.empty(0, dtype=np.float32))
        vectors = self._overlay.joined if keep.all() else self._overlay.joined[rows]
        return rank_vectors(query, vectors, rows, k)

    def _read_both(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        joined = np.empty((len(numbers), self.manifest.dim), dtype=np.float32)
        newer = numbers >= self._n_base
        if not newer.all():
            joined[~newer] = self._snapshot.index.read_rows(numbers[~newer])
        joined[newer] = self._overlay.joined[numbers[newer] - self._n_base]
        return joined
