"""People and what they rated, as positions in the catalog's rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from indexer.types import Ratings

LIKED = 4.0
"""A rating from here on says that the person liked the movie."""


@dataclass(frozen=True)
class People:
    """Ratings of movies that have a row, one row per person.

    Args:
        user_ids: n ids, sorted.
        values: float32 matrix, (n_people, n_movies); 0 is not rated.
        rated_at: int64 matrix with the same entries in the same order, seconds since 1970; an entry that
            is 0 is a rating whose time nobody knows.
    """

    user_ids: NDArray[np.str_]
    values: csr_matrix
    rated_at: csr_matrix

    @classmethod
    def of_ratings(cls, ratings: Ratings, movie_ids: tuple[str, ...]) -> People:
        """Arrange ratings by person; movies that are not in ``movie_ids`` are left out.

        Of several ratings of one movie by one person the newest counts.
        """
        position = {movie_id: i for i, movie_id in enumerate(movie_ids)}
        movies = np.array([position.get(one, -1) for one in ratings.movie_ids.tolist()], dtype=np.int64)
        order = np.argsort(ratings.rated_at, kind="stable")
        order = order[movies[order] >= 0]
        user_ids, users = np.unique(ratings.user_ids[order].astype(str), return_inverse=True)
        pair = users * max(len(movie_ids), 1) + movies[order]
        # The last of equal pairs is the newest: look for the first in the reversed order.
        _, last = np.unique(pair[::-1], return_index=True)
        kept = len(pair) - 1 - last
        places = (users[kept], movies[order][kept])
        shape = (len(user_ids), len(movie_ids))
        values, rated_at = (
            csr_matrix((numbers[order][kept], places), shape=shape)
            for numbers in (ratings.values, ratings.rated_at)
        )
        return cls(user_ids, values, rated_at)

    def __len__(self) -> int:
        return len(self.user_ids)

    def take(self, positions: NDArray[np.int64]) -> People:
        """Some of the people, in that order."""
        return People(self.user_ids[positions], self.values[positions], self.rated_at[positions])

    def without_movies(self, hidden: NDArray[np.bool_]) -> People:
        """The same people without their ratings of the movies where ``hidden`` is true."""
        matrix = self.values.tocoo()
        kept = ~hidden[matrix.col]
        values, rated_at = (
            csr_matrix((numbers[kept], (matrix.row[kept], matrix.col[kept])), shape=matrix.shape)
            for numbers in (self.values.data, self.rated_at.data)
        )
        return People(self.user_ids, values, rated_at)

    @cached_property
    def n_ratings(self) -> NDArray[np.int64]:
        """Ratings of each movie, int64, (n_movies,)."""
        return np.asarray(self.values.getnnz(axis=0), dtype=np.int64)

    def rated(self, person: int) -> NDArray[np.int64]:
        """Movies a person rated, as positions."""
        start, end = self.values.indptr[person : person + 2]
        return np.asarray(self.values.indices[start:end], dtype=np.int64)

    def liked(self, person: int) -> NDArray[np.int64]:
        """Movies a person liked, as positions."""
        start, end = self.values.indptr[person : person + 2]
        return np.asarray(self.rated(person)[self.values.data[start:end] >= LIKED])

    def as_ratings(self, movie_ids: tuple[str, ...]) -> Ratings:
        """The same as arrays."""
        matrix = self.values.tocoo()
        return Ratings(
            self.user_ids[matrix.row].astype(object),
            np.array(movie_ids, dtype=object)[matrix.col],
            matrix.data.astype(np.float32),
            self.rated_at.data,
        )


def split_people(people: People, shares: tuple[float, ...], seed: int) -> list[People]:
    """Deal people at random into groups that have nobody in common.

    Args:
        people: Everybody.
        shares: Sizes of the groups; the last one takes what is left.
        seed: Of the deal.
    """
    order = np.random.default_rng(seed).permutation(len(people))
    cuts = np.round(np.cumsum(shares)[:-1] * len(people)).astype(np.int64)
    return [people.take(np.sort(part)) for part in np.split(order, cuts)]


def drop_acquainted(tested: People, fitted: People, share: float = 0.8, least: int = 5) -> People:
    """Leave out people whose ratings somebody in ``fitted`` has, too: they are one person twice.

    Args:
        tested: People to judge by.
        fitted: People whose ratings were learned from.
        share: Share of a person's ratings, movie and value alike, from which two are one.
        least: Fewer ratings than this say nothing about who somebody is.
    """
    if not len(tested) or not len(fitted):
        return tested
    same = _same_ratings(tested.values, fitted.values)
    n = np.asarray(tested.values.getnnz(axis=1))
    twice = (n >= least) & (same >= share * n)
    return tested.take(np.flatnonzero(~twice))


def _same_ratings(one: csr_matrix, other: csr_matrix) -> NDArray[np.int64]:
    """For each row of ``one``, the most equal entries that any row of ``other`` shares with it."""
    found = csr_matrix((one.shape[0], other.shape[0]), dtype=np.int64)
    for value in np.unique(one.data):
        mine, theirs = one.copy(), other.copy()
        mine.data = (mine.data == value).astype(np.int64)
        theirs.data = (theirs.data == value).astype(np.int64)
        found = found + mine @ theirs.T
    most = found.max(axis=1)
    return np.asarray(most.toarray()).ravel().astype(np.int64)
