"""Genres and the column each one has in every array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class GenreVocabulary:
    """An ordered set of genres; a genre's position is its column.

    Args:
        genres: Names, each once, in column order.

    Raises:
        ValueError: A name is empty or stands twice.
    """

    genres: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.genres)) != len(self.genres) or not all(self.genres):
            raise ValueError(f"genres must be distinct and not empty, got {list(self.genres)!r}")

    def __len__(self) -> int:
        return len(self.genres)

    def __iter__(self) -> Iterator[str]:
        return iter(self.genres)

    def __contains__(self, genre: object) -> bool:
        return genre in self.genres

    def index(self, genre: str) -> int:
        """Column of ``genre``; raises ValueError when it is not in the vocabulary."""
        return self.genres.index(genre)

    def multi_hot(self, genre_sets: Sequence[Iterable[str]]) -> NDArray[np.float32]:
        """Turn sets of names into rows of zeros and ones; unknown names are left out.

        Returns:
            float32, shape (len(genre_sets), len(self)).

        Example:
            >>> GenreVocabulary(("Comedy", "Drama")).multi_hot([["Drama"], ["Opera"]]).tolist()
            [[0.0, 1.0], [0.0, 0.0]]
        """
        column = {genre: i for i, genre in enumerate(self.genres)}
        rows = np.zeros((len(genre_sets), len(self)), dtype=np.float32)
        for row, names in enumerate(genre_sets):
            for name in names:
                if name in column:
                    rows[row, column[name]] = 1.0
        return rows

    def names(self, row: NDArray[np.bool_]) -> tuple[str, ...]:
        """Names of the columns that are true in ``row`` (bool, shape (len(self),))."""
        return tuple(genre for genre, chosen in zip(self.genres, row, strict=True) if chosen)
