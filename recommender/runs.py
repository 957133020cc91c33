"""Ratings that a person gave one after another: what somebody thinks of together is alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from indexer.types import Ratings


def runs_of(ratings: Ratings, movie_ids: NDArray[np.object_], length: int) -> csr_matrix:
    """Cut each person's ratings, in the order of their times, into runs of ``length``.

    They are cut twice, the second time half a run further on, so that each cut
    goes through the middle of another run. Ratings without a time stay out,
    and so do those of a person of which more than ``length`` bear one time:
    whoever carries ratings over from elsewhere gives them all at once, in an
    order that says nothing.

    Args:
        ratings: In any order; the same ones give the same runs.
        movie_ids: Movie of each column, sorted, every movie of ``ratings`` among them.
        length: Ratings of a run at most, 2 or more.

    Returns:
        float32, runs x movies, 1 where a movie is in a run; no row where no time is known.
    """
    users = np.unique(ratings.user_ids.astype(str), return_inverse=True)[1]
    movies = np.searchsorted(movie_ids.astype(str), ratings.movie_ids.astype(str))
    order = np.lexsort((movies, ratings.rated_at, users))
    order = order[ratings.rated_at[order] > 0]
    users, movies, times = users[order], movies[order], ratings.rated_at[order]
    ordered = _counted(users, times) <= length
    users, movies = users[ordered], movies[ordered]
    if not len(users):
        return csr_matrix((0, len(movie_ids)), dtype=np.float32)
    place = np.arange(len(users)) - np.searchsorted(users, users)
    cuts = []
    for shift in (0, length // 2):
        starts = (place == 0) | ((place + shift) % length == 0)
        entries = (np.ones(len(users), dtype=np.float32), (np.cumsum(starts) - 1, movies))
        cuts.append(csr_matrix(entries, shape=(int(starts.sum()), len(movie_ids))))
    return vstack(cuts, format="csr")


def _counted(users: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many ratings the person of each gave at that time; equal ones stand side by side."""
    new = np.ones(len(users), dtype=bool)
    new[1:] = (users[1:] != users[:-1]) | (times[1:] != times[:-1])
    group = np.cumsum(new) - 1
    return np.asarray(np.bincount(group)[group] if len(group) else group, dtype=np.int64)
