"""What teachers believe about posters: probabilities that a student learns from."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import TrainingError
from embeddings.genres import GenreVocabulary


@dataclass(frozen=True)
class SoftLabels:
    """Probabilities that teachers gave.

    Args:
        movie_ids: n distinct ids.
        genres: The teachers' genres, in column order.
        probs: float32, (n, n_genres), in [0, 1].
    """

    movie_ids: tuple[str, ...]
    genres: GenreVocabulary
    probs: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.probs.shape != (len(self.movie_ids), len(self.genres)):
            raise ValueError(
                f"{len(self.movie_ids)} movies and {len(self.genres)} genres, but probs {self.probs.shape}"
            )
        if not (np.isfinite(self.probs).all() and (self.probs >= 0).all() and (self.probs <= 1).all()):
            raise ValueError("probabilities must lie in [0, 1]")

    def columns_for(self, genres: GenreVocabulary) -> NDArray[np.float32]:
        """Probabilities in the columns of another vocabulary, (n, len(genres)).

        Raises:
            TrainingError: The teachers do not know one of its genres.
        """
        missing = [genre for genre in genres if genre not in self.genres]
        if missing:
            raise TrainingError(
                f"the soft labels know nothing of {', '.join(missing)}; train the teachers on the same "
                "genres, or give the student theirs (data.genres)."
            )
        return self.probs[:, [self.genres.index(genre) for genre in genres]]


def write_soft_labels(path: Path, labels: SoftLabels) -> None:
    """Write soft labels as ``.npz`` with the arrays ``movie_ids``, ``genres`` and ``probs``."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            movie_ids=np.array(labels.movie_ids),
            genres=np.array(labels.genres.genres),
            probs=labels.probs.astype(np.float32),
        )


def read_soft_labels(path: Path) -> SoftLabels:
    """Read what ``write_soft_labels`` wrote; nothing in the file is unpickled.

    Raises:
        TrainingError: The file is missing or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return SoftLabels(
                tuple(map(str, stored["movie_ids"])),
                GenreVocabulary(tuple(map(str, stored["genres"]))),
                stored["probs"].astype(np.float32),
            )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path} holds no soft labels ({error}); expected an .npz of movie_ids, genres and probs."
        ) from error


def average_soft_labels(parts: Sequence[SoftLabels], weights: Sequence[float] | None = None) -> SoftLabels:
    """Mean probability of several teachers, over the movies that all of them know.

    Args:
        parts: One for each teacher; all with the same genres.
        weights: Say of each teacher; None gives all the same.

    Raises:
        TrainingError: The teachers' genres differ, or no movie is known to all.
    """
    genres = parts[0].genres
    if any(part.genres != genres for part in parts):
        raise TrainingError("teachers must have the same genres in the same order to be averaged.")
    shares = np.asarray(weights if weights is not None else [1.0] * len(parts), dtype=np.float64)
    common = set(parts[0].movie_ids).intersection(*(part.movie_ids for part in parts[1:]))
    movie_ids = tuple(movie_id for movie_id in parts[0].movie_ids if movie_id in common)
    if not movie_ids:
        raise TrainingError(
            "no movie is known to all teachers; write their soft labels for the same posters."
        )
    total = np.zeros((len(movie_ids), len(genres)))
    for part, share in zip(parts, shares / shares.sum(), strict=True):
        row_of = {movie_id: row for row, movie_id in enumerate(part.movie_ids)}
        total += share * part.probs[[row_of[movie_id] for movie_id in movie_ids]]
    return SoftLabels(movie_ids, genres, np.clip(total, 0, 1).astype(np.float32))
