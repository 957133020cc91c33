"""Who liked which movie, as numbers in memory: counting those who liked two movies needs no query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class Likers:
    """People by number, and for each movie that was added those who liked it.

    It takes 4 bytes for each liked rating and some 150 for each person.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._by_movie: dict[str, NDArray[np.int32]] = {}

    def __contains__(self, movie_id: str) -> bool:
        return movie_id in self._by_movie

    def add(self, likers: Mapping[str, Sequence[str]]) -> None:
        """Add movies, each with the ids of all who liked it, every person once."""
        numbers = self._numbers
        for movie_id, user_ids in likers.items():
            mine = [numbers.setdefault(user_id, len(numbers)) for user_id in user_ids]
            self._by_movie[movie_id] = np.array(mine, dtype=np.int32)

    def count(self, movie_id: str, others: Sequence[str]) -> dict[str, int]:
        """How many people liked ``movie_id`` and each of the others, all of which were added."""
        likes = np.zeros(len(self._numbers), dtype=np.bool_)
        likes[self._by_movie[movie_id]] = True
        return {other: int(np.count_nonzero(likes[self._by_movie[other]])) for other in others}
