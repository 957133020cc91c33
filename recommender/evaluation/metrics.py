"""Metrics of ranked lists; each is better when higher."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_of_first(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rank of the first candidate of each row among all of the row; ties count half.

    Args:
        scores: (m, c), higher is better; the first column is the movie to be found.

    Returns:
        float64, (m,), 1 is best.

    Example:
        >>> rank_of_first(np.array([[0.9, 0.1, 0.2], [0.1, 0.9, 0.1]])).tolist()
        [1.0, 2.5]
    """
    target, others = scores[:, :1], scores[:, 1:]
    return np.asarray(1.0 + (others > target).sum(axis=1) + 0.5 * (others == target).sum(axis=1))


def ndcg_of_rank(ranks: NDArray[np.float64], k: int = 10) -> NDArray[np.float64]:
    """nDCG@k of lists with one relevant movie, which stands at ``ranks``.

    Example:
        >>> ndcg_of_rank(np.array([1.0, 3.0, 11.0])).tolist()
        [1.0, 0.5, 0.0]
    """
    return np.where(ranks <= k, 1.0 / np.log2(1.0 + ranks), 0.0)


def hit_of_rank(ranks: NDArray[np.float64], k: int = 10) -> NDArray[np.float64]:
    """1 where the one relevant movie is among the first k, else 0."""
    return (ranks <= k).astype(np.float64)


def ndcg_of_list(
    relevant: NDArray[np.bool_], n_relevant: NDArray[np.int64], k: int = 10
) -> NDArray[np.float64]:
    """nDCG@k of lists with any number of relevant movies.

    Args:
        relevant: bool, (m, >= k), whether the movie at each place is relevant, best place first.
        n_relevant: (m,), how many relevant movies there are in all, at least 1.
        k: Places that count.

    Source:
        K. Järvelin and J. Kekäläinen, "Cumulated Gain-Based Evaluation of IR
        Techniques", ACM TOIS 20(4), 2002.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(n_relevant, k)]
    return np.asarray(relevant[:, :k] @ discounts / ideal)


def recall_of_list(relevant: NDArray[np.bool_], n_relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Share of the relevant movies that is among the first k."""
    return np.asarray(relevant[:, :k].sum(axis=1) / n_relevant)


def jaccard(one: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Shared genres over all genres of two movies; 0 where neither has any.

    Args:
        one: bool, (..., n_genres).
        others: bool, of a shape that broadcasts with ``one``.

    Example:
        >>> jaccard(np.array([True, True, False]), np.array([[True, False, False]])).tolist()
        [0.5]
    """
    shared = (one & others).sum(axis=-1)
    either = (one | others).sum(axis=-1)
    return np.where(either > 0, shared / np.maximum(either, 1), 0.0)


def coverage(lists: NDArray[np.int64], n_movies: int) -> float:
    """Share of the catalog that appears in at least one of the lists."""
    return len(np.unique(lists)) / n_movies if n_movies else 0.0


def intra_list_similarity(similar: NDArray[np.floating]) -> float:
    """Mean similarity of the different pairs of one list; ``similar`` is (k, k), symmetric."""
    k = len(similar)
    if k < 2:
        return 0.0
    return float((similar.sum() - np.trace(similar)) / (k * (k - 1)))


def top(scores: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Positions of the k highest of each row, highest first; equal scores by position."""
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
