"""Rows that share a genre vector, held together: genres alone are ranked exactly, ties and all."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

MOST_GROUPS = 50_000
"""With more distinct vectors than this, a look at each of them is no longer quick."""

_FILES = ("genre_vectors.npy", "genre_members.npy", "genre_starts.npy")


class GenreGroups:
    """The distinct genre vectors and the rows that bear them.

    Args:
        vectors: float32, (n_groups, n_genres).
        members: int32, (n,), row numbers, group by group, ascending in each.
        starts: int64, (n_groups + 1,), where each group begins in ``members``.
    """

    def __init__(
        self, vectors: NDArray[np.float32], members: NDArray[np.int32], starts: NDArray[np.int64]
    ) -> None:
        self._vectors = vectors
        self._members = members
        self._starts = starts

    @classmethod
    def find(cls, genre: NDArray[np.float32]) -> Self | None:
        """Group rows, float32, (n, n_genres); None where too few of them are alike to be worth it."""
        stored = genre.astype(np.float16).astype(np.float32)
        vectors, group = np.unique(stored, axis=0, return_inverse=True)
        if len(vectors) > MOST_GROUPS:
            return None
        group = group.reshape(-1)
        members = np.argsort(group, kind="stable").astype(np.int32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=len(vectors)))])
        return cls(vectors, members, starts.astype(np.int64))

    @classmethod
    def load(cls, directory: Path) -> Self | None:
        """Map what ``save`` wrote; None where nothing was."""
        if not (directory / _FILES[0]).exists():
            return None
        vectors, members, starts = (
            np.load(directory / name, mmap_mode="r", allow_pickle=False) for name in _FILES
        )
        return cls(vectors, members, starts)

    def save(self, directory: Path) -> tuple[str, ...]:
        """Write three files and return their names."""
        for name, array in zip(_FILES, (self._vectors, self._members, self._starts), strict=True):
            with (directory / name).open("xb") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
        return _FILES

    def search(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The k best allowed rows by genres alone, equal scores by row number, and their scores.

        Args:
            query: float32, (n_genres,), the genre block of a query whose other blocks are 0.
            k: How many rows at most.
            allowed: bool, (n,); None allows all.
        """
        by_group = (self._vectors.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
        rows: list[NDArray[np.int32]] = [np.empty(0, dtype=np.int32)]
        scores: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)]
        n_found, last = 0, np.float32(0)
        for group in np.argsort(-by_group, kind="stable").tolist():
            if n_found >= k and by_group[group] < last:
                break
            members = self._members[self._starts[group] : self._starts[group + 1]]
            members = (members if allowed is None else members[allowed[members]])[:k]
            rows.append(members)
            scores.append(np.full(len(members), by_group[group]))
            n_found, last = n_found + len(members), by_group[group]
        found, found_scores = np.concatenate(rows).astype(np.int64), np.concatenate(scores)
        order = np.lexsort((found, -found_scores))[:k]
        return found[order], found_scores[order]

    def members_within(
        self,
        query: NDArray[np.float32],
        k: int,
        limits: tuple[float, int],
        allowed: NDArray[np.bool_] | None,
    ) -> NDArray[np.int64] | None:
        """Allowed rows whose genres score within a margin of the k-th one's; None where they are too many.

        Where the other signals can add no more than the margin, no other row can be among the k best.

        Args:
            query: float32, (n_genres,), the genre block of a query.
            k: How many rows are wanted.
            limits: How much the other signals can change a score, both ways together; and how many rows
                are too many.
            allowed: bool, (n,); None allows all.
        """
        margin, most = limits
        scores = self._vectors @ query
        order = np.argsort(-scores, kind="stable")
        counted = np.cumsum(self._sizes(allowed)[order])
        kth = min(int(np.searchsorted(counted, k)), len(order) - 1)
        n_groups = int(np.count_nonzero(scores[order] >= scores[order[kth]] - margin))
        if counted[n_groups - 1] > most:
            return None
        parts = [self._members[self._starts[one] : self._starts[one + 1]] for one in order[:n_groups]]
        rows = np.concatenate(parts).astype(np.int64)
        return rows if allowed is None else rows[allowed[rows]]

    def _sizes(self, allowed: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """How many allowed rows each group has, int64, (n_groups,)."""
        if allowed is None:
            return self._starts[1:] - self._starts[:-1]
        # No group is empty, which ``reduceat`` would take for its neighbour.
        sizes: NDArray[np.int64] = np.add.reduceat(allowed[self._members], self._starts[:-1], dtype=np.int64)
        return sizes
