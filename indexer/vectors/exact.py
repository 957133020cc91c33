"""The exact kind: every row is looked at; for catalogs of some ten thousand movies."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.base import VectorIndex, score_slack
from indexer.vectors.blocks import Widths, pad, padded_width, slices
from indexer.vectors.faiss_files import bitmap_selector, map_index, write_index
from indexer.vectors.genre_groups import GenreGroups

VECTORS_FILE = "vectors.faiss"

_MORE_FOR_TIES = 24
"""Rows looked at beyond k, so that ties with the k-th seldom need a second scan."""


class ExactIndex(VectorIndex):
    """Half-precision rows, scanned by FAISS.

    Half precision is both smaller and quicker than float32, for the scan is
    bound by memory (6,000 rows of 343: 0.25 ms against 0.37 ms), and it is what
    the catalog stores, so nothing is lost by it.
    """

    kind: ClassVar[str] = "exact"
    exact: ClassVar[bool] = True

    def __init__(self, index: Any, groups: GenreGroups | None, widths: Widths) -> None:
        super().__init__(widths, groups)
        self._index = index

    @classmethod
    def build(cls, joined: NDArray[np.float32], widths: Widths) -> Self:
        return cls(half_precision(joined), GenreGroups.find(joined[:, slices(widths)[1]]), widths)

    @classmethod
    def load(cls, directory: Path, widths: Widths) -> Self:
        index = map_index(directory / VECTORS_FILE, padded_width(sum(widths)))
        return cls(index, GenreGroups.load(directory), widths)

    def save(self, directory: Path) -> tuple[str, ...]:
        write_index(self._index, directory / VECTORS_FILE)
        return (VECTORS_FILE, *(self._groups.save(directory) if self._groups else ()))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self._index.reconstruct_batch(rows)
        return vectors[:, : self.dim]

    def _candidates(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """One scan for a few more than k; a second by range where ties reach beyond them."""
        selector = bitmap_selector(allowed)
        params = None if selector is None else faiss.SearchParameters(sel=selector)
        wanted = min(k + _MORE_FOR_TIES, len(self))
        padded = pad(query[None])
        scores, found = self._index.search(padded, wanted, params=params)
        rows: NDArray[np.int64] = found[0][found[0] >= 0]
        cut = float(scores[0][min(k, len(rows)) - 1]) - score_slack(query)
        if len(rows) < wanted or wanted == len(self) or scores[0][-1] < cut:
            return rows
        tied: NDArray[np.int64] = self._index.range_search(padded, cut, params=params)[2]
        return tied


def half_precision(joined: NDArray[np.float32]) -> Any:
    """A FAISS index of float16 rows under the inner product."""
    width = padded_width(joined.shape[1])
    index = faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.add(pad(joined))
    return index
