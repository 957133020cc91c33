"""Batches of decoded posters, read ahead by one thread while the net is busy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_AHEAD = 3


def batches_of(
    pixels: NDArray[np.uint8], rows: NDArray[np.int64], batch_size: int, device: torch.device
) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
    """Read posters in the order of ``rows``.

    Args:
        pixels: uint8, (n, h, w, 3); may be mapped from a file.
        rows: Which, and in which order.
        batch_size: Posters per batch; the last batch may have fewer.
        device: Where they are wanted.

    Yields:
        uint8 RGB, (b, 3, h, w), and the rows it holds.
    """
    pin = device.type == "cuda"

    def read(part: NDArray[np.int64]) -> tuple[Tensor, NDArray[np.int64]]:
        # Seen as (b, 3, h, w) this is channels_last without a copy.
        batch = torch.from_numpy(pixels[part]).permute(0, 3, 1, 2)
        return (batch.pin_memory() if pin else batch), part

    for batch, part in read_ahead(read, rows, batch_size):
        yield batch.to(device, non_blocking=True), part


def read_ahead(
    read: Callable[[NDArray[np.int64]], tuple[Tensor, NDArray[np.int64]]],
    rows: NDArray[np.int64],
    batch_size: int,
) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
    """What ``read`` gives for each ``batch_size`` rows in turn, read by one thread a few batches ahead."""
    parts = iter([rows[start : start + batch_size] for start in range(0, len(rows), batch_size)])
    with ThreadPoolExecutor(1, "batches") as pool:
        ahead: deque[Future[tuple[Tensor, NDArray[np.int64]]]] = deque(
            pool.submit(read, part) for part in islice(parts, _AHEAD)
        )
        while ahead:
            ready = ahead.popleft().result()
            ahead.extend(pool.submit(read, following) for following in islice(parts, 1))
            yield ready
