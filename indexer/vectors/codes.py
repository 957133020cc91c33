"""Rows in twelve bits a number: eight to rank many, four more to rank the last few."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.blocks import pad, padded_width
from indexer.vectors.faiss_files import map_index, write_index

COARSE_FILE = "vectors.faiss"
FINE_FILE = "fine.npy"
_LEVELS = 16
_CHUNK = 65_536


def _offsets() -> NDArray[np.float32]:
    """What the two levels packed in each byte stand for, in steps of the 8-bit code; (256, 2)."""
    byte = np.arange(256)
    levels = np.stack([byte & 0x0F, byte >> 4], axis=1)
    return ((levels + 0.5) / _LEVELS - 0.5).astype(np.float32)


class CodedRows:
    """Rows stored as FAISS 8-bit codes, and what those leave over in four bits.

    Eight bits misplace a cosine by about 0.0006, enough to swap neighbours in
    a dense catalog; twelve by 0.00004, which is what half precision does, at
    three quarters of its size.

    Args:
        coarse: FAISS scalar quantizer of 8 bits, which FAISS ranks by.
        fine: uint8, (n, ceil(dim / 2)), two numbers a byte, mapped.
        dim: Width of the rows; the quantizer's own is padded.
    """

    def __init__(self, coarse: Any, fine: NDArray[np.uint8], dim: int) -> None:
        self.coarse = coarse
        self._dim = dim
        self._fine = fine
        trained = faiss.vector_to_array(coarse.sq.trained).reshape(2, coarse.d)
        self._step = (trained[1, :dim] / 255.0).astype(np.float32)
        self._offsets = _offsets()

    @classmethod
    def encode(cls, joined: NDArray[np.float32]) -> Self:
        """Code rows, float32, (n, dim)."""
        dim = joined.shape[1]
        bits, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        coarse = faiss.IndexScalarQuantizer(padded_width(dim), bits, metric)
        # Two rows, the least and the greatest of each number, are all that its ranges are made of.
        coarse.train(pad(np.stack([joined.min(axis=0), joined.max(axis=0)])))
        for start in range(0, len(joined), _CHUNK):
            coarse.add(pad(joined[start : start + _CHUNK]))
        rows = cls(coarse, np.empty((len(joined), (dim + 1) // 2), dtype=np.uint8), dim)
        for start in range(0, len(joined), _CHUNK):
            part = slice(start, start + _CHUNK)
            rows._fine[part] = rows._leftover(joined[part], start)
        return rows

    @classmethod
    def load(cls, directory: Path, dim: int) -> Self:
        """Map what ``save`` wrote."""
        fine = np.load(directory / FINE_FILE, mmap_mode="r", allow_pickle=False)
        # The same memory as a plain array: a memmap is several times slower to index.
        return cls(map_index(directory / COARSE_FILE, padded_width(dim)), fine.view(np.ndarray), dim)

    def save(self, directory: Path) -> tuple[str, ...]:
        """Write the two files and return their names."""
        write_index(self.coarse, directory / COARSE_FILE)
        with (directory / FINE_FILE).open("xb") as file:
            np.lib.format.write_array(file, self._fine, allow_pickle=False)
        return COARSE_FILE, FINE_FILE

    def __len__(self) -> int:
        return int(self.coarse.ntotal)

    def search(self, query: NDArray[np.float32], n: int, selector: Any) -> NDArray[np.int64]:
        """The n best rows by their 8-bit codes, among those that a FAISS selector lets pass."""
        params = faiss.SearchParameters(sel=selector)
        rows: NDArray[np.int64] = self.coarse.search(pad(query[None]), n, params=params)[1][0]
        return rows[rows >= 0]

    def narrow(self, query: NDArray[np.float32], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """The n best of some rows by their 8-bit codes, in no order."""
        if len(rows) <= n:
            return rows
        scores = self.coarse.reconstruct_batch(rows) @ pad(query[None])[0]
        return rows[np.argpartition(-scores, n - 1)[:n]]

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows by number, float32, (len(rows), dim)."""
        vectors: NDArray[np.float32] = self.coarse.reconstruct_batch(rows)[:, : self._dim]
        offsets = self._offsets[self._fine[rows]].reshape(len(rows), -1)[:, : self._dim]
        vectors += offsets * self._step
        return vectors

    def _leftover(self, joined: NDArray[np.float32], start: int) -> NDArray[np.uint8]:
        numbers = np.arange(start, start + len(joined), dtype=np.int64)
        # A column that never varies has a step of 0 and nothing left over.
        step = np.where(self._step > 0, self._step, 1.0)
        left = (joined - self.coarse.reconstruct_batch(numbers)[:, : self._dim]) / step
        levels = np.clip(np.floor((left + 0.5) * _LEVELS), 0, _LEVELS - 1).astype(np.uint8)
        if levels.shape[1] % 2:
            levels = np.pad(levels, ((0, 0), (0, 1)))
        packed: NDArray[np.uint8] = levels[:, 0::2] | (levels[:, 1::2] << 4)
        return packed
