"""Ratings as a table of people and movies, and what of them neither a person nor a movie explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from indexer.types import Ratings

_SWEEPS = 5
_HALF = 5.0
"""Ratings at which half of a person's or a movie's usual deviation is believed."""


@dataclass(frozen=True)
class RatingTable:
    """Everybody's ratings.

    Args:
        values: float32, people x movies.
        movie_ids: Movie id of each column, sorted.
    """

    values: csr_matrix
    movie_ids: NDArray[np.object_]


def rating_table(ratings: Ratings) -> RatingTable:
    """Arrange ratings by person and movie; ids are sorted, so the order of the ratings does not matter."""
    users, rows = np.unique(ratings.user_ids.astype(str), return_inverse=True)
    movies, columns = np.unique(ratings.movie_ids.astype(str), return_inverse=True)
    shape = (len(users), len(movies))
    values = csr_matrix((ratings.values.astype(np.float32), (rows, columns)), shape=shape)
    return RatingTable(values, movies.astype(object))


def unexplained(values: csr_matrix) -> NDArray[np.float64]:
    """What is left of each rating without the mean, the person's and the movie's usual deviation.

    Args:
        values: People x movies.

    Returns:
        float64, in the order of ``values.data``.

    Source:
        Y. Koren, R. Bell and C. Volinsky, "Matrix Factorization Techniques for
        Recommender Systems", Computer 42(8), 2009: the bias terms, shrunk.
    """
    table = values.tocoo()
    people, movies = table.row, table.col
    if not table.nnz:
        return np.zeros(0)
    left = table.data.astype(np.float64) - table.data.mean(dtype=np.float64)
    by_person, by_movie = np.zeros(values.shape[0]), np.zeros(values.shape[1])
    for _ in range(_SWEEPS):
        by_person = _usual(left - by_movie[movies], people, values.shape[0])
        by_movie = _usual(left - by_person[people], movies, values.shape[1])
    return np.asarray(left - by_person[people] - by_movie[movies])


def person_weights(weighted: csr_matrix, power: float) -> csr_matrix:
    """A person with n ratings counts (median / n) to this power each; float32."""
    n = np.asarray(weighted.getnnz(axis=1))
    typical = float(np.median(n)) if len(n) else 1.0
    return csr_matrix(diags((typical / np.maximum(n, 1)) ** power) @ weighted, dtype=np.float32)


def _usual(left: NDArray[np.float64], group: NDArray[np.int32], n: int) -> NDArray[np.float64]:
    """Mean of each group, shrunk towards 0 where it is small."""
    return np.asarray(np.bincount(group, left, minlength=n) / (np.bincount(group, minlength=n) + _HALF))
