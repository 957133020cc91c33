"""The contract of every vector index: rows in, the k best rows out, always in the same order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.vectors.blocks import Widths, slices
from indexer.vectors.genre_groups import GenreGroups

Allowed = NDArray[np.bool_] | NDArray[np.int64]

FEW_ROWS = 2_000
"""Up to this many allowed rows are scored one by one: quicker than any index."""

# A float32 inner product of rows this wide is off by about 1e-6 of the lengths' product;
# rows closer than this to the k-th are ranked again in float64, so that equal rows tie exactly.
_SCORE_ERROR = 1e-5


@dataclass(frozen=True)
class RowNeighbours:
    """Found rows, best first, equal scores by row number.

    Args:
        rows: int64, (n,), row numbers.
        scores: float32, (n,), inner products with the query; higher is closer.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)


class VectorIndex(ABC):
    """Rows [ visual | genre | taste ] that are searched by inner product.

    A kind says which rows may be among the k best (``_candidates``); the base
    class checks what comes in and ranks what goes out, so that each kind
    breaks ties alike, never pads, and scores identical rows identically.

    Args:
        widths: Widths of the three blocks.
        groups: Rows by genre vector, which answer where only genres count; None does without.
    """

    kind: ClassVar[str]
    exact: ClassVar[bool]
    """Whether the k best are promised, or nearly always found."""
    row_error: ClassVar[float] = 1e-3
    """How far a number of a stored row may be from what was put in: half precision at 1."""

    def __init__(self, widths: Widths, groups: GenreGroups | None = None) -> None:
        self.widths = widths
        self._groups = groups

    @property
    def dim(self) -> int:
        """Width of a joined row."""
        return sum(self.widths)

    @classmethod
    @abstractmethod
    def build(cls, joined: NDArray[np.float32], widths: Widths) -> Self:
        """Make an index of rows, float32, shape (n, dim); row i keeps number i."""

    @classmethod
    @abstractmethod
    def load(cls, directory: Path, widths: Widths) -> Self:
        """Map what ``save`` wrote; the caller has checked the digests of the files."""

    @abstractmethod
    def save(self, directory: Path) -> tuple[str, ...]:
        """Write the index into an empty directory and return the names of its files."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows."""

    @abstractmethod
    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Joined rows by number, float32, shape (len(rows), dim), as precisely as they are stored."""

    @abstractmethod
    def _candidates(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Allowed rows, each once, that may be among the k best, ties with the k-th included."""

    def search(
        self, queries: NDArray[np.float32], k: int, allowed: Allowed | None = None
    ) -> list[RowNeighbours]:
        """Find the k best rows of each query.

        Args:
            queries: float32, shape (m, dim).
            k: How many at most, at least 1; fewer come back only where fewer are allowed.
            allowed: bool mask over the rows, or row numbers; None allows all.

        Returns:
            One answer per query; each depends on its query alone, not on the batch.

        Raises:
            InvalidRequestError: A query has a wrong width or is not finite, or k is below 1.
        """
        self._check(queries, k)
        mask = as_mask(allowed, len(self))
        n_allowed = len(self) if mask is None else int(np.count_nonzero(mask))
        if n_allowed <= (k if mask is None else max(k, FEW_ROWS)):
            rows = np.arange(len(self)) if mask is None else np.flatnonzero(mask)
            return [self.rank(query, rows.astype(np.int64), k) for query in queries]
        return [self._search_one(query, k, mask) for query in queries]

    def rank(self, query: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> RowNeighbours:
        """The k best of the given rows (int64, each once), scored exactly."""
        if len(rows) == 0:
            return RowNeighbours(np.empty(0, np.int64), np.empty(0, np.float32))
        return rank_vectors(query, self.read_rows(rows), rows, k)

    def _search_one(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> RowNeighbours:
        visual, genre, taste = slices(self.widths)
        if self._groups is None or query[visual].any() or query[taste].any():
            return self.rank(query, self._candidates(query, k, allowed), k)
        # Thousands of movies share their genres: a scan would have to rank every one of them.
        return RowNeighbours(*self._groups.search(query[genre], k, allowed))

    def _check(self, queries: NDArray[np.float32], k: int) -> None:
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise InvalidRequestError(
                f"The query has shape {queries.shape}; this index needs (m, {self.dim}), "
                f"the blocks visual, genre and taste being {self.widths} wide."
            )
        if k < 1:
            raise InvalidRequestError(f"k is {k}; ask for at least 1 neighbour.", field="k")
        if not np.isfinite(queries).all():
            raise InvalidRequestError("The query holds a number that is not finite; every number must be.")


def as_mask(allowed: Allowed | None, n_rows: int) -> NDArray[np.bool_] | None:
    """The allowed rows as a bool mask, (n_rows,); None where all are.

    Raises:
        InvalidRequestError: They do not fit the rows there are.
    """
    if allowed is None:
        return None
    if allowed.dtype == np.bool_:
        if allowed.shape != (n_rows,):
            raise InvalidRequestError(
                f"The mask of allowed rows has shape {allowed.shape}; there are {n_rows} rows."
            )
        return allowed.astype(np.bool_, copy=False)
    if len(allowed) and (allowed.min() < 0 or allowed.max() >= n_rows):
        raise InvalidRequestError(
            f"Allowed rows run from {allowed.min()} to {allowed.max()}; there are rows 0 to {n_rows - 1}."
        )
    mask = np.zeros(n_rows, dtype=np.bool_)
    mask[allowed] = True
    return mask


def score_slack(query: NDArray[np.float32]) -> float:
    """How far a float32 score may be from the exact one, generously; rows have three unit blocks."""
    return _SCORE_ERROR * 2.0 * float(np.linalg.norm(query))


def rank_vectors(
    query: NDArray[np.float32], vectors: NDArray[np.float32], rows: NDArray[np.int64], k: int
) -> RowNeighbours:
    """Order rows by inner product, best first, equal scores by row number, and keep k.

    Args:
        query: float32, (dim,).
        vectors: float32, (n, dim), the rows themselves.
        rows: int64, (n,), their numbers.
        k: How many to keep at most.
    """
    if len(rows) > 4 * k:
        rough = vectors @ query
        keep = rough >= np.partition(rough, len(rough) - k)[len(rough) - k] - score_slack(query)
        vectors, rows = vectors[keep], rows[keep]
    scores = (vectors.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    order = np.lexsort((rows, -scores))[:k]
    return RowNeighbours(rows[order], scores[order])
