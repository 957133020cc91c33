"""Rows turned and coded: leading numbers in eight bits to walk along, all of them to rank the last few."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.vectors.axes import Axes
from indexer.vectors.blocks import pad, padded_width
from indexer.vectors.faiss_files import map_index, write_index

LEAD_FILE = "vectors.faiss"
REST_FILE = "rest.npy"
RANGES_FILE = "ranges.npy"
_LEVELS = 16


def _offsets() -> NDArray[np.float32]:
    """What the two levels packed in each byte stand for, in steps of the 8-bit code; (256, 2)."""
    byte = np.arange(256)
    levels = np.stack([byte & 0x0F, byte >> 4], axis=1)
    return ((levels + 0.5) / _LEVELS - 0.5).astype(np.float32)


class CodedRows:
    """Rows in some eleven bits a number.

    The leading numbers are FAISS 8-bit codes, side by side, so that a walk
    touches half the memory that whole rows take; what these codes leave over, in
    four bits, and the other numbers, in eight, lie apart for the last ranking.

    Args:
        axes: How the rows were turned.
        lead: FAISS scalar quantizer of the leading numbers, mapped.
        rest: uint8, (n, ceil(n_lead / 2) + dim - n_lead), mapped: four bits more of the
            leading numbers, two a byte, then the other numbers.
        ranges: float32, (2, dim - n_lead), least value and step of the other numbers.
    """

    def __init__(self, axes: Axes, lead: Any, rest: NDArray[np.uint8], ranges: NDArray[np.float32]) -> None:
        self.axes = axes
        self.lead = lead
        self._rest = rest
        self._ranges = ranges
        trained = faiss.vector_to_array(lead.sq.trained).reshape(2, lead.d)
        self._step = (trained[1, : axes.n_lead] / 255.0).astype(np.float32)
        self._offsets = _offsets()

    @classmethod
    def encode(cls, joined: NDArray[np.float32], axes: Axes) -> Self:
        """Code rows, float32, (n, dim)."""
        ends = [(part.min(axis=0), part.max(axis=0)) for _, part in axes.turned(joined)]
        least, most = np.min([one for one, _ in ends], axis=0), np.max([one for _, one in ends], axis=0)
        bits, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        n_lead = axes.n_lead
        lead = faiss.IndexScalarQuantizer(padded_width(n_lead), bits, metric)
        # Two rows, the least and the greatest of each number, are all that its ranges are made of.
        lead.train(pad(np.stack([least, most])[:, :n_lead]))
        ranges = np.stack([least, (most - least) / 255.0])[:, n_lead:].astype(np.float32)
        rest = np.empty((len(joined), (n_lead + 1) // 2 + joined.shape[1] - n_lead), dtype=np.uint8)
        rows = cls(axes, lead, rest, ranges)
        for part, turned in axes.turned(joined):
            lead.add(pad(turned[:, :n_lead]))
            rest[part] = rows._left_over(turned, part.start)
        return rows

    @classmethod
    def load(cls, directory: Path, axes: Axes) -> Self:
        """Map what ``save`` wrote."""
        rest = np.load(directory / REST_FILE, mmap_mode="r", allow_pickle=False)
        ranges = np.load(directory / RANGES_FILE, allow_pickle=False)
        lead = map_index(directory / LEAD_FILE, padded_width(axes.n_lead))
        # The same memory as a plain array: a memmap is several times slower to index.
        return cls(axes, lead, rest.view(np.ndarray), ranges)

    def save(self, directory: Path) -> tuple[str, ...]:
        """Write the files and return their names."""
        write_index(self.lead, directory / LEAD_FILE)
        for name, array in ((REST_FILE, self._rest), (RANGES_FILE, self._ranges)):
            with (directory / name).open("xb") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
        return LEAD_FILE, REST_FILE, RANGES_FILE

    def __len__(self) -> int:
        return int(self.lead.ntotal)

    def lead_of(self, turned: NDArray[np.float32]) -> NDArray[np.float32]:
        """Leading numbers of a turned query, float32, (1, padded width), as FAISS asks for them."""
        return pad(turned[None, : self.axes.n_lead])

    def search(self, turned: NDArray[np.float32], n: int, selector: Any = None) -> NDArray[np.int64]:
        """The n best rows by their leading numbers, every row that a FAISS selector lets pass looked at."""
        params = faiss.SearchParameters(sel=selector)
        rows: NDArray[np.int64] = self.lead.search(self.lead_of(turned), n, params=params)[1][0]
        return rows[rows >= 0]

    def narrow(self, turned: NDArray[np.float32], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """The n best of some rows by their leading numbers, in no order."""
        if len(rows) <= n:
            return rows
        scores = self.lead.reconstruct_batch(rows) @ self.lead_of(turned)[0]
        return rows[np.argpartition(-scores, n - 1)[:n]]

    def read_turned(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Turned rows by number, float32, (len(rows), dim)."""
        n_lead = self.axes.n_lead
        n_bytes = (n_lead + 1) // 2
        rest = self._rest[rows]
        turned = np.empty((len(rows), n_lead + self._ranges.shape[1]), dtype=np.float32)
        fine = self._offsets[rest[:, :n_bytes]].reshape(len(rows), 2 * n_bytes)[:, :n_lead]
        np.multiply(fine, self._step, out=turned[:, :n_lead])
        turned[:, :n_lead] += self.lead.reconstruct_batch(rows)[:, :n_lead]
        np.multiply(rest[:, n_bytes:], self._ranges[1], out=turned[:, n_lead:])
        turned[:, n_lead:] += self._ranges[0]
        return turned

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows by number as they were before they were turned, float32, (len(rows), dim)."""
        return self.axes.turn_back(self.read_turned(rows))

    def _left_over(self, turned: NDArray[np.float32], start: int) -> NDArray[np.uint8]:
        """The bytes of rows whose leading numbers were just added."""
        n_lead = self.axes.n_lead
        numbers = np.arange(start, start + len(turned), dtype=np.int64)
        # A number that never varies has a step of 0 and nothing left over.
        step = np.where(self._step > 0, self._step, 1.0)
        left = (turned[:, :n_lead] - self.lead.reconstruct_batch(numbers)[:, :n_lead]) / step
        levels = np.clip(np.floor((left + 0.5) * _LEVELS), 0, _LEVELS - 1).astype(np.uint8)
        levels = np.pad(levels, ((0, 0), (0, n_lead % 2)))
        step = np.where(self._ranges[1] > 0, self._ranges[1], 1.0)
        others = np.clip(np.rint((turned[:, n_lead:] - self._ranges[0]) / step), 0, 255)
        return np.concatenate([levels[:, 0::2] | (levels[:, 1::2] << 4), others.astype(np.uint8)], axis=1)
