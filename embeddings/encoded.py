"""What an encoder gives back; free of torch, so that every package can name it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Poster:
    """One poster to encode: the movie it belongs to, and a file or the bytes of one."""

    movie_id: str
    source: Path | bytes

    @property
    def name(self) -> str:
        """What a message calls it: the path, or ``<n bytes>``."""
        return str(self.source) if isinstance(self.source, Path) else f"<{len(self.source)} bytes>"


@dataclass(frozen=True)
class UnreadablePoster:
    """A poster that could not be read, under its own movie id, and the sentence that says why."""

    movie_id: str
    poster: str
    error: str


@dataclass(frozen=True)
class EncodedPosters:
    """Embeddings and genre probabilities of posters, each row under its movie id.

    Args:
        movie_ids: n ids, in the order of the rows.
        embeddings: float32, shape (n, embedding_dim), rows of unit length.
        genre_probs: float32, shape (n, n_genres), calibrated, each in [0, 1].
        failed: Posters that could not be read; they have no row.
    """

    movie_ids: tuple[str, ...]
    embeddings: NDArray[np.float32]
    genre_probs: NDArray[np.float32]
    failed: tuple[UnreadablePoster, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.movie_ids)
        if self.embeddings.shape[0] != n or self.genre_probs.shape[0] != n:
            raise ValueError(
                f"{n} movie ids, but {self.embeddings.shape[0]} embeddings and "
                f"{self.genre_probs.shape[0]} rows of genre probabilities"
            )

    def __len__(self) -> int:
        return len(self.movie_ids)
