"""Rows turned onto the axes along which they differ most, so that half of the numbers say nearly all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.blocks import SIMD_WIDTH, Widths, slices

AXES_FILE = "axes.npy"
_LEAD_SHARE = 0.93
"""How much of a block's energy its leading numbers hold together."""
_NARROW = 32
"""Blocks up to this wide lead as a whole: there is nothing to gain by splitting them."""
_SAMPLE = 50_000
_CHUNK = 65_536


class Axes:
    """A turn of the rows within each block, which changes no inner product, and an order of the numbers.

    Posters and tastes fill their blocks unevenly: half of the numbers, turned onto
    principal axes, hold more than nine tenths of the squared length.
    The leading numbers of every block come first, the rest after them.

    Args:
        matrix: float32, (dim, dim), orthogonal; a turned row is ``row @ matrix``.
        n_lead: How many numbers lead, a multiple of 16 where there are as many.
    """

    def __init__(self, matrix: NDArray[np.float32], n_lead: int) -> None:
        self.matrix = matrix
        self.n_lead = n_lead

    @classmethod
    def fit(cls, joined: NDArray[np.float32], widths: Widths) -> Self:
        """Principal axes of each block (without centring) of rows, float32, (n, dim)."""
        sample = joined[:: max(1, len(joined) // _SAMPLE)].astype(np.float64)
        dim = sum(widths)
        matrix = np.zeros((dim, dim), dtype=np.float32)
        lead = np.zeros(dim, dtype=np.bool_)
        for part in slices(widths):
            energies, vectors = np.linalg.eigh(sample[:, part].T @ sample[:, part])
            matrix[part, part] = vectors[:, ::-1]
            lead[part] = _leading(energies[::-1])
        behind = np.flatnonzero(~lead)
        lead[behind[: -int(lead.sum()) % SIMD_WIDTH]] = True
        return cls(np.ascontiguousarray(matrix[:, np.argsort(~lead, kind="stable")]), int(lead.sum()))

    @classmethod
    def load(cls, directory: Path, n_lead: int) -> Self:
        """Read what ``save`` wrote."""
        return cls(np.load(directory / AXES_FILE, allow_pickle=False), n_lead)

    def save(self, directory: Path) -> tuple[str, ...]:
        """Write the matrix and return the file's name."""
        with (directory / AXES_FILE).open("xb") as file:
            np.lib.format.write_array(file, self.matrix, allow_pickle=False)
        return (AXES_FILE,)

    def turn(self, joined: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows or queries turned, float32, of the same shape; the first ``n_lead`` numbers lead."""
        turned: NDArray[np.float32] = joined @ self.matrix
        return turned

    def turn_back(self, turned: NDArray[np.float32]) -> NDArray[np.float32]:
        """What ``turn`` was given."""
        joined: NDArray[np.float32] = turned @ self.matrix.T
        return joined

    def lead_scales(self, scales: NDArray[np.float32]) -> NDArray[np.float32]:
        """Factors of the leading numbers, (n_lead,), from a row's, (dim,), the same all over a block."""
        # A turned number is made of its own block's alone.
        made_of = np.argmax(self.matrix[:, : self.n_lead] != 0, axis=0)
        of_lead: NDArray[np.float32] = scales[made_of]
        return of_lead

    def turned(self, joined: NDArray[np.float32]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Many rows turned, a part at a time: which rows, and what they become."""
        for start in range(0, len(joined), _CHUNK):
            part = slice(start, min(start + _CHUNK, len(joined)))
            yield part, self.turn(joined[part])


def _leading(energies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of a block's axes lead, strongest first."""
    if len(energies) <= _NARROW:
        return np.ones(len(energies), dtype=np.bool_)
    reached = np.cumsum(energies)
    wanted = int(np.searchsorted(reached, _LEAD_SHARE * reached[-1])) + 1 if reached[-1] > 0 else 0
    return np.arange(len(energies)) < wanted
