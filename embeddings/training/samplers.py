"""Which movies an epoch visits, and in which order, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import TrainingError

Sampler = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.int64]]


def every_movie_once(targets: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """A random order of all movies."""
    return rng.permutation(len(targets)).astype(np.int64)


def inverse_frequency(targets: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """As many draws as there are movies, each as likely as its rarest genre is rare.

    Rarity is the square root of 1 / count: in full, a film of the rarest genre
    would be seen forty times while most dramas are not seen at all.
    """
    counts = np.maximum(targets.sum(axis=0), 1.0)
    weights = (targets / np.sqrt(counts)).max(axis=1)
    # Movies without a genre (only teachers know them) are as likely as the commonest genre.
    weights = np.where(weights > 0, weights, 1 / np.sqrt(counts.max()))
    return rng.choice(len(targets), size=len(targets), p=weights / weights.sum()).astype(np.int64)


def compound_genres(
    targets: NDArray[np.float32], rng: np.random.Generator, low: float = 0.01, high: float = 0.04
) -> NDArray[np.int64]:
    """Each distinct set of genres brought into ``low`` to ``high`` of the movies.

    Larger sets are drawn from without repetition, smaller ones repeated whole
    with the rest drawn at random. The more sets there are, the longer the epoch.
    """
    sets: dict[bytes, list[int]] = {}
    for row, target in enumerate(targets > 0.5):
        sets.setdefault(np.packbits(target).tobytes(), []).append(row)
    floor, ceiling = math.ceil(low * len(targets)), max(1, math.floor(high * len(targets)))
    chosen: list[NDArray[np.int64]] = []
    for rows in sets.values():
        members = rng.permutation(np.array(rows, dtype=np.int64))
        chosen.append(np.resize(members, min(max(len(members), floor), ceiling)))
    return rng.permutation(np.concatenate(chosen))


SAMPLERS: Mapping[str, Sampler] = {
    "none": every_movie_once,
    "inverse_frequency": inverse_frequency,
    "compound_genres": compound_genres,
}


def get_sampler(name: str) -> Sampler:
    """Look a sampler up.

    Raises:
        TrainingError: The name is unknown.
    """
    if name not in SAMPLERS:
        raise TrainingError(f"there is no sampler {name!r}; choose one of {', '.join(SAMPLERS)}.")
    return SAMPLERS[name]
