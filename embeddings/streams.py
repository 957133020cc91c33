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
from torch import Tensor

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
        self._n_streams = n_streams or _n_cores(device)
        self._pool = _core_pool(self._n_streams)

    def start(self, pixels: Pixels) -> Callable[[], Answer]:
        """Begin to encode pixels (n, height, width, 3), n >= 1; the function given back waits for the answer.

        The answer is embeddings (n, embedding_dim) and logits (n, n_genres), float32.
        """
        if self._device.type != "cpu":
            output = self._forward(pixels)
            return lambda: _to_numpy(output)
        n, height, width, _ = pixels.shape
        size = _piece_size(n, self._n_streams, height * width, self._piece_pixels)
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


class Looks:
    """Any look at images, in the same streams; the numbers are those of a look at all of them at once.

    Args:
        look: Gives (n, ...) of images (n, 3, h, w) on ``device``.
        device: Where it looks.
    """

    def __init__(self, look: Callable[[Tensor], Tensor], device: torch.device) -> None:
        self._look = look
        self._is_cpu = device.type == "cpu"
        self._n_streams = _n_cores(device)
        self._pool = _core_pool(self._n_streams)

    def __call__(self, images: Tensor) -> Tensor:
        """What is seen in images, (n, 3, h, w), n >= 1; without gradients."""
        if not self._is_cpu:
            return self._seen(images)
        size = _piece_size(len(images), self._n_streams, images.shape[2] * images.shape[3])
        pieces = torch.split(images, size)
        return torch.cat(list((self._pool.map if self._pool else map)(self._seen, pieces)))

    def close(self) -> None:
        """End the streams."""
        if self._pool is not None:
            self._pool.shutdown()

    def _seen(self, images: Tensor) -> Tensor:
        with torch.inference_mode():  # is of the thread that asks for it
            return self._look(images)


def _n_cores(device: torch.device) -> int:
    return torch.get_num_threads() if device.type == "cpu" else 1


def _core_pool(n_streams: int) -> ThreadPoolExecutor | None:
    # Its threads start with the first poster, so a process may be forked before that.
    return ThreadPoolExecutor(n_streams, "encode", initializer=_use_one_core) if n_streams > 1 else None


def _piece_size(n: int, n_streams: int, image_pixels: int, piece_pixels: int = _PIECE_PIXELS) -> int:
    """Images of a piece: so many pixels, but one image at least, and no stream without work."""
    return min(max(piece_pixels // image_pixels, 1), -(-n // n_streams))


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
