"""The facts of every row as files of numpy columns, mapped read-only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.types import Facts

PAIRS_FILE = "random_pairs.npy"
_DTYPES: dict[str, np.dtype[Any]] = {
    "years": np.dtype(np.int16),
    "genre_bits": np.dtype(np.uint64),
    "artwork_groups": np.dtype(np.int32),
    "n_ratings": np.dtype(np.int32),
    "known": np.dtype(np.uint8),
}


def known_bits(known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Which blocks each row has, bool (n, 3), as bits 0, 1, 2 of one uint8, (n,).

    Example:
        >>> known_bits(np.array([[True, False, True]])).tolist()
        [5]
    """
    return np.packbits(known, axis=1, bitorder="little")[:, 0]


def known_flags(bits: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The opposite of ``known_bits``: bool, (n, 3)."""
    return np.unpackbits(bits[:, None], axis=1, count=3, bitorder="little").astype(np.bool_)


def save_columns(
    directory: Path, facts: Facts, known: NDArray[np.bool_], pairs: NDArray[np.float32]
) -> tuple[str, ...]:
    """Write the columns and the random pairs, one file each, and return their names."""
    whole = replace(facts, known=known_bits(known))
    columns = {name: getattr(whole, name).astype(dtype) for name, dtype in _DTYPES.items()}
    columns["movie_ids"] = facts.movie_ids
    columns["random_pairs"] = pairs
    for name, column in columns.items():
        with (directory / f"{name}.npy").open("xb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(column), allow_pickle=False)
    return tuple(f"{name}.npy" for name in columns)


def map_columns(directory: Path, count: int) -> tuple[Facts, NDArray[np.float32]]:
    """Map what ``save_columns`` wrote; every row is live.

    Raises:
        SnapshotError: A column has another type or length than it should.
    """
    columns = {name: _map(directory / f"{name}.npy", dtype, count) for name, dtype in _DTYPES.items()}
    ids = _map(directory / "movie_ids.npy", np.dtype("S"), count)
    pairs = np.load(directory / PAIRS_FILE, allow_pickle=False)
    return Facts(movie_ids=ids, live=np.ones(count, dtype=np.bool_), **columns), pairs


def _map(path: Path, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    # An empty file of values cannot be mapped.
    column: NDArray[Any] = np.load(path, mmap_mode="r" if count else None, allow_pickle=False)
    if (column.dtype.kind, column.shape) != (dtype.kind, (count,)):
        raise SnapshotError(
            f"{path} has {column.shape} values of {column.dtype}, expected ({count},) of {dtype}; "
            "run `onesheet verify --repair`."
        )
    # The same memory as a plain array: a memmap is several times slower to index.
    return column.view(np.ndarray)
