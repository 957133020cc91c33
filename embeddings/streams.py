"""Running a net on batches: on a GPU at once, on a CPU in one single-threaded stream per core.

A small net has many short layers. When two cores share each layer they wait
for each other a hundred times per pass, and where other programs want the
cores too, those waits are most of the time. With a stream per core nobody
waits, and pieces of a few posters stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from embeddings.models.poster_net import PosterNet, PosterOutput

Pixels = NDArray[np.uint8]
Answer = tuple[NDArray[np.float32], NDArray[np.float32]]

# Pixels per piece, 6 posters of 224 x 336 or 8 of 192 x 288: so few that malloc keeps the widest maps
# between two layers for the next piece. Larger ones it gives back to the system each time, and a fifth of
# the time goes into having them again.
_PIECE_PIXELS = 452_000


class Streams:
    """Runs one net for any number of threads.

    Args:
        net: In evaluation mode, on ``device``.
        device: Where it lies.
        n_streams: Streams on a CPU; None is one per thread that torch may use.
        piece_pixels: Pixels that a stream takes at a time, but one poster at least.
    """

    def __init__(
        self,
        net: PosterNet,
        device: torch.device,
        n_streams: int | None = None,
        piece_pixels: int = _PIECE_PIXELS,
    ) -> None:
        self._net = net
        self._piece_pixels = piece_pixels
        self._device = device
        self._n_streams = (n_streams or torch.get_num_threads()) if device.type == "cpu" else 1
        # Its threads start with the first poster, so a process may be forked before that.
        self._pool: ThreadPoolExecutor | None = None
        if self._n_streams > 1:
            self._pool = ThreadPoolExecutor(self._n_streams, "encode", initializer=_use_one_core)

    def start(self, pixels: Pixels) -> Callable[[], Answer]:
        """Begin to encode pixels (n, height, width, 3), n >= 1; the function given back waits for the answer.

        The answer is embeddings (n, embedding_dim) and logits (n, n_genres), float32.
        """
        if self._device.type != "cpu":
            output = self._forward(pixels)
            return lambda: _to_numpy(output)
        n, height, width, _ = pixels.shape
        size = min(max(self._piece_pixels // (height * width), 1), -(-n // self._n_streams))
        pieces = [pixels[i : i + size] for i in range(0, n, size)]
        pool = self._pool
        if pool is None:
            return lambda: _join([_to_numpy(self._forward(piece)) for piece in pieces])
        # A lone poster has one core, too: 20 ms, where two take 15 or 35, as their threads happen to meet.
        running: list[Future[PosterOutput]] = [pool.submit(self._forward, piece) for piece in pieces]
        return lambda: _join([_to_numpy(future.result()) for future in running])

    def _forward(self, pixels: Pixels) -> PosterOutput:
        # (n, h, w, 3) seen as (n, 3, h, w) already is channels_last: no copy.
        batch = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).to(self._device)
        with torch.inference_mode():
            output: PosterOutput = self._net(batch)
        return output


def _use_one_core() -> None:
    # torch sets the number of threads when a thread first asks for it, over any earlier limit; ask first.
    torch.get_num_threads()
    # OpenMP keeps this limit per thread: other threads of the process keep theirs.
    threadpool_limits(1, "openmp")


def _to_numpy(output: PosterOutput) -> Answer:
    return output.embedding.float().cpu().numpy(), output.logits.float().cpu().numpy()


def _join(answers: list[Answer]) -> Answer:
    embeddings, logits = zip(*answers, strict=True)
    return np.concatenate(embeddings), np.concatenate(logits)
