"""Other ways to see a poster, to be judged beside our embedding."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.encoded import Poster
from embeddings.errors import PosterError
from embeddings.posters import read_poster
from indexer.taste_map import unit_rows
from indexer.types import PosterEncoder

_GRID = 4
_LEVELS = 4
_SIZE = (64, 96)


def colour_histograms(posters: Sequence[str | None]) -> NDArray[np.float32]:
    """What can be had without any learning: 64 colours, counted over the whole, and a 4 x 4 thumbnail.

    Args:
        posters: Path of each movie's poster; None without one.

    Returns:
        float32, (n, 64 + 48), unit rows; zero where there is no readable poster.
    """
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(_histogram, posters))
    rows = np.stack(found) if found else np.zeros((0, _LEVELS**3 + 3 * _GRID**2))
    seen = np.any(rows != 0, axis=1, keepdims=True)
    centred = np.where(seen, rows - rows[seen[:, 0]].mean(axis=0) if seen.any() else rows, 0)
    return unit_rows(centred.astype(np.float32))


def _histogram(poster: str | None) -> NDArray[np.float64]:
    if poster is None:
        return np.zeros(_LEVELS**3 + 3 * _GRID**2)
    try:
        picture = read_poster(Path(poster), size=_SIZE)
    except PosterError:
        return np.zeros(_LEVELS**3 + 3 * _GRID**2)
    pixels = np.asarray(picture.resize(_SIZE), dtype=np.int64)
    levels = pixels * _LEVELS // 256
    colours = levels @ np.array([_LEVELS**2, _LEVELS, 1])
    counts = np.bincount(colours.ravel(), minlength=_LEVELS**3) / colours.size
    thumbnail = np.asarray(picture.resize((_GRID, _GRID)), dtype=np.float64).ravel() / 255
    return np.concatenate([np.sqrt(counts), thumbnail / np.sqrt(thumbnail.size)])


def embed_with(
    encoder: PosterEncoder, movie_ids: Sequence[str], posters: Sequence[str | None]
) -> NDArray[np.float32]:
    """Embeddings by another encoder, such as one that only ever saw ImageNet.

    Returns:
        float32, (n, embedding_dim), unit rows; zero where there is no readable poster.
    """
    rows = np.zeros((len(movie_ids), encoder.embedding_dim), dtype=np.float32)
    position = {movie_id: i for i, movie_id in enumerate(movie_ids)}
    wanted = [
        Poster(one, Path(path)) for one, path in zip(movie_ids, posters, strict=True) if path is not None
    ]
    for encoded in encoder.encode_batches(wanted, 64, 2):
        rows[[position[one] for one in encoded.movie_ids]] = encoded.embeddings
    return rows
