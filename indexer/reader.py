"""Read the index: the published snapshot and, over it, what the catalog changed since."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.types import Facts, Neighbours, Rows, SnapshotManifest


class IndexView:
    """Everything that is searchable at one catalog revision; immutable, one per query.

    Rows are numbered: first the snapshot's, in the order of their movie ids, then the overlay's.

    Args:
        manifest: Description of the snapshot underneath.
        revision: Catalog revision this view answers for.
    """

    manifest: SnapshotManifest
    revision: int

    @property
    def facts(self) -> Facts:
        """Columns of every row, for filters; row numbers index them."""
        raise NotImplementedError

    def find_rows(self, movie_ids: Sequence[str]) -> Rows:
        """Blocks of some movies, in the order asked.

        Raises:
            NotFoundError: A movie is not in the index; the message names the first.
        """
        raise NotImplementedError

    def row_numbers(self, movie_ids: Sequence[str]) -> NDArray[np.int64]:
        """Row of each movie in this view, -1 where the index does not have it."""
        raise NotImplementedError

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.bool_] | NDArray[np.int64] | None = None,
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
            InvalidRequestError: k is below 1, or the query has a wrong width or is not finite.
        """
        raise NotImplementedError

    def random_pairs(self) -> NDArray[np.float32]:
        """Cosines of random pairs per signal, float32, (m, 3); NaN where a movie lacks the signal."""
        raise NotImplementedError
