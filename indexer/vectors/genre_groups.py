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
        vectors, group = np.unique(genre, axis=0, return_inverse=True)
        if len(vectors) > MOST_GROUPS:
            return None
        group = group.reshape(-1)
        members = np.argsort(group, kind="stable").astype(np.int32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=len(vectors)))])
        return cls(vectors.astype(np.float32), members, starts.astype(np.int64))

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

    def candidates(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None, slack: float
    ) -> NDArray[np.int64]:
        """The first k allowed rows of each of the best groups, until k are found and no group ties.

        Args:
            query: float32, (n_genres,), the genre block of a query whose other blocks are 0.
            k: How many rows are wanted.
            allowed: bool, (n,); None allows all.
            slack: How far scores may differ and still count as tied.
        """
        scores = self._vectors @ query
        found: list[NDArray[np.int32]] = []
        n_found, reached = 0, -np.inf
        for group in np.argsort(-scores, kind="stable").tolist():
            if n_found >= k and scores[group] < reached - slack:
                break
            members = self._members[self._starts[group] : self._starts[group + 1]]
            if allowed is not None:
                members = members[allowed[members]]
            if len(members):
                found.append(members[:k])
                n_found += len(found[-1])
                reached = scores[group] if n_found - len(found[-1]) < k else reached
        return np.concatenate(found).astype(np.int64) if found else np.empty(0, dtype=np.int64)
