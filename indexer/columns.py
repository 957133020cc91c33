"""The facts of every row as files of numpy columns, mapped read-only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.types import Facts

PAIRS_FILE = "random_pairs.npy"
_KNOWN = "known"
_FIXED: dict[str, np.dtype[Any]] = {
    "years": np.dtype(np.int16),
    "artwork_groups": np.dtype(np.int32),
    "n_ratings": np.dtype(np.int32),
}


def genre_bits_dtype(n_genres: int) -> np.dtype[Any]:
    """The narrowest type that has a bit for each genre: uint32, or uint64 for more than 32 of them."""
    return np.dtype(np.uint32 if n_genres <= 32 else np.uint64)


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


def find_sorted(sorted_ids: NDArray[np.bytes_], movie_ids: Sequence[str]) -> NDArray[np.int64]:
    """Position of each id in a sorted column of ids, int64, -1 where it is absent.

    Example:
        >>> find_sorted(np.array([b"tt1", b"tt2"]), ["tt2", "tt20", ""]).tolist()
        [1, -1, -1]
    """
    wanted = [one.encode("utf-8", "surrogatepass") for one in movie_ids]
    # An id longer than the column cannot be in it, and would make numpy copy the column wider.
    fits = [one if len(one) <= sorted_ids.itemsize and b"\0" not in one else b"" for one in wanted]
    needles = np.array(fits, dtype=sorted_ids.dtype)
    if not len(sorted_ids) or not len(needles):
        return np.full(len(needles), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(sorted_ids, needles), len(sorted_ids) - 1)
    return np.where((sorted_ids[at] == needles) & (needles != b""), at, -1).astype(np.int64)


def save_columns(
    directory: Path, facts: Facts, known: NDArray[np.bool_], pairs: NDArray[np.float32]
) -> tuple[str, ...]:
    """Write the columns and the random pairs, one file each, and return their names."""
    columns = {name: getattr(facts, name).astype(dtype) for name, dtype in _FIXED.items()}
    columns |= {"genre_bits": facts.genre_bits, "movie_ids": facts.movie_ids, "random_pairs": pairs}
    # A bit for each block of each row: as bytes they would be the difference between a small index and not.
    columns[_KNOWN] = np.packbits(known.T, axis=1, bitorder="little")
    for name, column in columns.items():
        with (directory / f"{name}.npy").open("xb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(column), allow_pickle=False)
    return tuple(f"{name}.npy" for name in columns)


def map_columns(directory: Path, count: int) -> tuple[Facts, NDArray[np.float32]]:
    """Map what ``save_columns`` wrote; every row is live.

    Raises:
        SnapshotError: A column has another type or length than it should.
    """
    columns = {name: _map(directory / f"{name}.npy", dtype.kind, (count,)) for name, dtype in _FIXED.items()}
    columns["genre_bits"] = _map(directory / "genre_bits.npy", "u", (count,))
    columns["movie_ids"] = _map(directory / "movie_ids.npy", "S", (count,))
    columns[_KNOWN] = _read_known(directory / f"{_KNOWN}.npy", count)
    pairs = np.load(directory / PAIRS_FILE, allow_pickle=False)
    return Facts(live=np.ones(count, dtype=np.bool_), **columns), pairs


def _read_known(path: Path, count: int) -> NDArray[np.uint8]:
    """The column ``known``; format 2 had it as it is used, a byte a row, format 3 a bit for each block."""
    stored = np.load(path, allow_pickle=False)
    if stored.ndim == 1:
        return _checked(stored, path, "u", (count,))
    packed = _checked(stored, path, "u", (3, (count + 7) // 8))
    blocks = np.unpackbits(packed, axis=1, count=count, bitorder="little")
    known: NDArray[np.uint8] = blocks[0] | (blocks[1] << 1) | (blocks[2] << 2)
    return known


def _map(path: Path, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    # An empty file of values cannot be mapped.
    column: NDArray[Any] = np.load(path, mmap_mode="r" if shape[0] else None, allow_pickle=False)
    # The same memory as a plain array: a memmap is several times slower to index.
    return _checked(column, path, kind, shape).view(np.ndarray)


def _checked(column: NDArray[Any], path: Path, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if (column.dtype.kind, column.shape) != (kind, shape):
        raise SnapshotError(
            f"{path} has {column.shape} values of {column.dtype}, expected {shape} of kind {kind!r}; "
            "run `onesheet verify --repair`."
        )
    return column
