"""The encoder: posters in, embeddings and genre probabilities out, in one pass."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.checkpoint import BUNDLED, CheckpointManifest
from embeddings.checkpoint_weights import load_net
from embeddings.devices import choose_device
from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from embeddings.errors import InvalidRequestError, PosterError
from embeddings.genres import GenreVocabulary
from embeddings.heatmap import Heatmap, genre_heatmap
from embeddings.inference import for_inference
from embeddings.models.poster_net import PosterNet
from embeddings.streams import Answer, Pixels, Streams
from embeddings.transforms import read_pixels

# A poster and its pixels, or the sentence that says why there are none.
Decoded = tuple[Poster, Pixels | str]
Decoding = tuple[Poster, Future[Pixels | str]]


class Encoder:
    """A loaded checkpoint; safe to share between threads.

    Args:
        net: The net as it was trained, on the CPU; heat-maps come from it.
        manifest: Its manifest.
        device: Where posters are encoded, by a faster copy of the net.
    """

    def __init__(self, net: PosterNet, manifest: CheckpointManifest, device: torch.device) -> None:
        self.manifest = manifest
        self.device = device
        self.net = net.eval()
        self._streams = Streams(for_inference(net, device), device)
        # Grad-CAM puts hooks on the net, so one thread at a time.
        self._heatmap_lock = threading.Lock()
        self._thresholds = np.asarray(manifest.thresholds, dtype=np.float32)

    @classmethod
    def load(cls, directory: Path | None = None, device: str = "auto") -> Encoder:
        """Load a checkpoint; needs no network.

        Args:
            directory: The checkpoint; None is the bundled one.
            device: ``auto``, ``cpu`` or ``cuda``.

        Raises:
            CheckpointError: The checkpoint is missing, damaged or foreign.
            InvalidRequestError: The device is unknown or absent.
        """
        chosen = choose_device(device)
        manifest = CheckpointManifest.read(directory or BUNDLED)
        return cls(load_net(directory or BUNDLED, manifest), manifest, chosen)

    @property
    def fingerprint(self) -> str:
        """Digest of weights, preprocessing, genres and calibration; stored beside every embedding."""
        return self.manifest.fingerprint

    @property
    def genres(self) -> GenreVocabulary:
        """The genres it knows, in column order."""
        return self.manifest.genres

    @property
    def embedding_dim(self) -> int:
        """Width of the embeddings."""
        return self.manifest.embedding_dim

    def encode(self, posters: Sequence[Poster]) -> EncodedPosters:
        """Encode some posters; those that cannot be read are named in ``failed``, never replaced.

        Returns:
            Rows in the order of ``posters``, without the failed ones.
        """
        if len(posters) == 1:  # threads would take longer to start than to decode it
            return self._start([(posters[0], self._read(posters[0]))])()
        return join_encoded(list(self.encode_batches(posters)), self.embedding_dim, len(self.genres))

    def encode_batches(
        self,
        posters: Iterable[Poster],
        batch_size: int = 64,
        workers: int | None = None,
        *,
        mirrored: bool = False,
    ) -> Iterator[EncodedPosters]:
        """Encode many posters; decoding runs in threads ahead of the net.

        Args:
            posters: Any number; they are read as they are needed.
            batch_size: Posters per pass.
            workers: Decoding threads; None is one per core.
            mirrored: Look at every poster in the mirror; averaging both looks is test-time flip.

        Yields:
            One result per ``batch_size`` posters, in their order.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        source = iter(posters)
        decoding: deque[list[Decoding]] = deque()
        running: deque[Callable[[], EncodedPosters]] = deque()
        with ThreadPoolExecutor(workers or os.cpu_count() or 1, "decode") as pool:
            try:
                while True:
                    while len(decoding) < 2 and (batch := list(islice(source, batch_size))):
                        decoding.append(
                            [(poster, pool.submit(self._read, poster, mirrored)) for poster in batch]
                        )
                    # Two batches in the net, so that no core waits for the last piece of one.
                    if decoding and len(running) < 2:
                        pending = decoding.popleft()
                        running.append(self._start([(poster, done.result()) for poster, done in pending]))
                    elif running:
                        yield running.popleft()()
                    else:
                        return
            finally:
                pool.shutdown(cancel_futures=True)

    def encode_pixels(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the net on prepared pixels.

        Args:
            pixels: uint8 RGB, (n, height, width, 3), as ``read_pixels`` gives them.

        Returns:
            Embeddings, float32, (n, embedding_dim), unit rows; logits, float32, (n, n_genres).
        """
        return self._start_pixels(pixels)()

    def choose(self, genre_probs: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which genres are likely enough, bool, (n, n_genres), by the checkpoint's own thresholds."""
        return genre_probs >= self._thresholds

    def heatmap(self, source: Path | bytes, genre: str) -> Heatmap:
        """What in a poster speaks for a genre.

        Raises:
            PosterError: The poster cannot be read.
            InvalidRequestError: The genre is not in the vocabulary, or the net has no map of features.
        """
        if genre not in self.genres:
            raise InvalidRequestError(
                f"there is no genre {genre!r}: choose of {', '.join(self.genres)}", "genre"
            )
        pixels = read_pixels(source, self.manifest.preprocessing)
        with self._heatmap_lock:
            values = genre_heatmap(self.net, pixels, self.genres.index(genre))
        return Heatmap(genre, values, source)

    def _read(self, poster: Poster, mirrored: bool = False) -> Pixels | str:
        try:
            pixels = read_pixels(poster.source, self.manifest.preprocessing)
        except PosterError as error:
            return str(error)
        return pixels[:, ::-1] if mirrored else pixels

    def _start(self, batch: Sequence[Decoded]) -> Callable[[], EncodedPosters]:
        """Begin to encode a decoded batch, and give back what waits for its rows."""
        movie_ids: list[str] = []
        pixels: list[Pixels] = []
        failed: list[UnreadablePoster] = []
        for poster, result in batch:
            if isinstance(result, str):
                failed.append(UnreadablePoster(poster.movie_id, poster.name, result))
            else:
                movie_ids.append(poster.movie_id)
                pixels.append(result)
        answer = self._start_pixels(np.stack(pixels) if pixels else np.zeros((0, 1, 1, 3), np.uint8))

        def finish() -> EncodedPosters:
            embeddings, logits = answer()
            genre_probs = self.manifest.calibration.apply(logits)
            return EncodedPosters(tuple(movie_ids), embeddings, genre_probs, tuple(failed))

        return finish

    def _start_pixels(self, pixels: Pixels) -> Callable[[], Answer]:
        if len(pixels):
            return self._streams.start(pixels)
        nothing = np.zeros((0, self.embedding_dim), np.float32), np.zeros((0, len(self.genres)), np.float32)
        return lambda: nothing


def join_encoded(parts: Sequence[EncodedPosters], embedding_dim: int, n_genres: int) -> EncodedPosters:
    """One result from several, in their order; the widths give shape to an empty one."""
    return EncodedPosters(
        tuple(movie_id for part in parts for movie_id in part.movie_ids),
        np.concatenate([np.zeros((0, embedding_dim), np.float32), *(part.embeddings for part in parts)]),
        np.concatenate([np.zeros((0, n_genres), np.float32), *(part.genre_probs for part in parts)]),
        tuple(bad for part in parts for bad in part.failed),
    )
