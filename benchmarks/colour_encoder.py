"""An encoder without a net, for benchmarks of the store: what it costs is not what is measured."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from embeddings.errors import PosterError
from embeddings.genres import GenreVocabulary
from embeddings.posters import read_poster


class ColourEncoder:
    """A poster's colours, shrunk to 4 x 4, are its embedding."""

    genres = GenreVocabulary(("Comedy", "Drama", "Horror"))
    embedding_dim = 48
    fingerprint = "c" * 64

    def encode(self, posters: Sequence[Poster]) -> EncodedPosters:
        ids, rows, failed = [], [np.empty((0, self.embedding_dim), np.float32)], []
        for poster in posters:
            try:
                image = read_poster(poster.source).resize((4, 4), Image.Resampling.BOX)
            except PosterError as error:
                failed.append(UnreadablePoster(poster.movie_id, poster.name, str(error)))
                continue
            pixels = np.asarray(image, dtype=np.float32).reshape(1, -1) + 1.0
            rows.append(pixels / np.linalg.norm(pixels))
            ids.append(poster.movie_id)
        embeddings = np.concatenate(rows)
        bands = embeddings.reshape(-1, 16, 3).mean(axis=1)
        probs = bands / bands.sum(axis=1, keepdims=True)
        return EncodedPosters(tuple(ids), embeddings, probs, tuple(failed))

    def encode_batches(
        self, posters: Iterable[Poster], batch_size: int = 64, workers: int | None = None
    ) -> Iterator[EncodedPosters]:
        source = iter(posters)
        while batch := list(islice(source, batch_size)):
            yield self.encode(batch)

    def choose(self, genre_probs: NDArray[np.float32]) -> NDArray[np.bool_]:
        return genre_probs >= 1 / 3


def draw_poster(seed: str) -> bytes:
    """A small PNG whose colours depend on ``seed`` alone."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    out = io.BytesIO()
    pixels = rng.integers(0, 256, (6, 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((40, 60), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()
