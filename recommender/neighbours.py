"""Item-to-item neighbours as factors, so that one inner product asks for them, too."""

from __future__ import annotations

import numpy as np
from implicit.nearest_neighbours import bm25_weight
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, eigsh

_SMALL = 300  # movies up to which the whole table is quicker than the iteration


def neighbour_factors(confidence: csr_matrix, dim: int, k1: float, b: float) -> NDArray[np.float32]:
    """The part of the BM25 table of movies that ``dim`` factors can hold.

    Args:
        confidence: People x movies.
        dim: Width of a factor.
        k1: How slowly further ratings of a movie stop counting.
        b: How much movies with many ratings are held back.

    Returns:
        float32, (n_movies, dim), whose inner products come near the table; the same bytes for the
        same input.

    Source:
        S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25
        and Beyond", Foundations and Trends in Information Retrieval 3(4), 2009.
    """
    weighted = bm25_weight(confidence.T.tocsr(), K1=k1, B=b).tocsr().astype(np.float64)
    values, vectors = _largest_eigenpairs(weighted, dim)
    factors = np.zeros((confidence.shape[1], dim), dtype=np.float32)
    factors[:, : len(values)] = vectors * np.sqrt(np.maximum(values, 0.0))
    return factors


def narrowed(rows: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Rows turned onto the ``dim`` axes that carry most of their inner products; narrower rows as they are.

    Example:
        >>> narrowed(np.array([[3.0, 0.0, 4.0], [6.0, 0.0, 8.0]], dtype=np.float32), 1).shape
        (2, 1)
    """
    if rows.shape[1] <= dim:
        return rows
    _, axes = np.linalg.eigh(rows.T.astype(np.float64) @ rows)
    return np.asarray(rows @ axes[:, ::-1][:, :dim], dtype=np.float32)


def _largest_eigenpairs(weighted: csr_matrix, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Largest eigenpairs of ``weighted @ weighted.T`` without its diagonal; a large table is never built."""
    own = np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel()
    if weighted.shape[0] <= max(_SMALL, 2 * n):
        values, vectors = np.linalg.eigh((weighted @ weighted.T).toarray() - np.diag(own))
        return values[::-1][:n], vectors[:, ::-1][:, :n]
    table = LinearOperator(
        (weighted.shape[0],) * 2,
        matvec=lambda column: weighted @ (weighted.T @ column) - own * column.ravel(),
        dtype=np.float64,
    )
    # A fixed start makes two fits equal to the last bit.
    values, vectors = eigsh(table, k=n, which="LA", v0=np.ones(weighted.shape[0]))
    return values[::-1], vectors[:, ::-1]
