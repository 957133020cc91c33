"""Finds out which movies people rate alike, from everybody's ratings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from indexer.affinities import BELIEVED_HALF, Affinities
from indexer.types import Ratings
from recommender.affinity import MOST_LIFTED
from recommender.rating_table import rating_table, unexplained


@dataclass(frozen=True)
class AffinityConfig:
    """How affinities are found.

    Args:
        least_ratings: Ratings that a movie needs to take part.
        least_strength: What a pair must have to be kept; below it most of it is chance.
        most: Movies kept for each.
        pairs_at_once: Pairs that are looked at together, some 60 bytes each.
    """

    least_ratings: int = 10
    least_strength: float = 0.05
    most: int = MOST_LIFTED
    pairs_at_once: int = 4_000_000


class AffinityModel:
    """Correlates what people's ratings of two movies have beyond person and movie.

    Args:
        config: How.

    Source:
        B. Sarwar, G. Karypis, J. Konstan and J. Riedl, "Item-Based Collaborative Filtering
        Recommendation Algorithms", WWW 2001 (adjusted correlation); R. Bell and Y. Koren,
        "Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation
        Weights", ICDM 2007 (its shrinkage).
    """

    def __init__(self, config: AffinityConfig | None = None) -> None:
        self.config = config or AffinityConfig()

    @property
    def identity(self) -> str:
        """Names this method, its version and its settings."""
        return f"affinity-1 {BELIEVED_HALF} {json.dumps(asdict(self.config), sort_keys=True)}"

    def fit(self, ratings: Ratings, movie_ids: tuple[str, ...]) -> Affinities:
        """Find for each movie those that people rate most like it.

        Args:
            ratings: Of any movies; what a person explains is learned from all of them.
            movie_ids: Movies that take part.
        """
        table = rating_table(ratings)
        left = table.values.astype(np.float64)
        left.data = unexplained(table.values)
        enough = table.values.getnnz(axis=0) >= self.config.least_ratings
        kept = np.flatnonzero(enough & np.isin(table.movie_ids.astype(str), np.array(movie_ids, dtype=str)))
        found = [self._strongest(pairs) for pairs in self._pairs(left[:, kept].tocsr())]
        pairs = _joined([_NO_PAIRS, *found])
        return Affinities(
            # Sorted as text, which is the order of their bytes.
            np.array([one.encode("utf-8", "surrogatepass") for one in table.movie_ids[kept].tolist()], "S"),
            np.searchsorted(pairs.one, np.arange(len(kept) + 1)).astype(np.int64),
            pairs.other.astype(np.int32),
            pairs.correlation.astype(np.float32),
            pairs.n_people.astype(np.int32),
        )

    def _pairs(self, left: csr_matrix) -> Iterator[_Pairs]:
        """All pairs with a correlation above 0, some movies at a time; memory stays bounded."""
        rated, squares = left.copy(), left.copy()
        rated.data, squares.data = np.ones_like(left.data), left.data**2
        by_movie, rated_by_movie, squares_by_movie = (m.T.tocsr() for m in (left, rated, squares))
        most_pairs = np.minimum(rated_by_movie @ left.getnnz(axis=1), left.shape[1])
        block = np.cumsum(most_pairs) // self.config.pairs_at_once
        for start, end in _runs(block):
            part = slice(start, end)
            product = (by_movie[part] @ left).tocoo()
            usable = (product.data > 0) & (product.col != product.row + start)
            row, column = product.row[usable], product.col[usable]
            lengths = [
                _at(table, row, column)
                for table in (squares_by_movie[part] @ rated, rated_by_movie[part] @ squares)
            ]
            n_people = _at(rated_by_movie[part] @ rated, row, column)
            correlation = product.data[usable] / np.sqrt(lengths[0] * lengths[1])
            yield _Pairs(row.astype(np.int64) + start, column.astype(np.int64), correlation, n_people)

    def _strongest(self, pairs: _Pairs) -> _Pairs:
        """The few strongest of each movie, strongest first, equal ones by movie."""
        strength = pairs.correlation * pairs.n_people / (pairs.n_people + BELIEVED_HALF)
        order = np.lexsort((pairs.other, -strength, pairs.one))
        order = order[strength[order] >= self.config.least_strength]
        one = pairs.one[order]
        among_first = np.arange(len(one)) - np.searchsorted(one, one) < self.config.most
        one, order = one[among_first], order[among_first]
        return _Pairs(one, pairs.other[order], pairs.correlation[order], pairs.n_people[order])


class _Pairs(NamedTuple):
    """Pairs of movies, as positions: int64 (t,) twice; float64 (t,) twice."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    correlation: NDArray[np.float64]
    n_people: NDArray[np.float64]


def _joined(parts: Sequence[_Pairs]) -> _Pairs:
    return _Pairs(
        np.concatenate([part.one for part in parts]),
        np.concatenate([part.other for part in parts]),
        np.concatenate([part.correlation for part in parts]),
        np.concatenate([part.n_people for part in parts]),
    )


_NO_PAIRS = _Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and last-but-one positions of each run of equal values."""
    cuts = np.flatnonzero(np.diff(values)) + 1
    edges = [0, *cuts.tolist(), len(values)]
    return ((start, end) for start, end in pairwise(edges) if end > start)


def _at(table: csr_matrix, rows: NDArray[np.int32], columns: NDArray[np.int32]) -> NDArray[np.float64]:
    if not len(rows):
        return np.empty(0)  # scipy answers no position with a matrix
    table.sum_duplicates()  # sorts, which makes looking up quick
    return np.asarray(table[rows, columns], dtype=np.float64).ravel()
