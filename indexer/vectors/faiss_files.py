"""FAISS's own files, written through Python's files and mapped read-only; and its filters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError


def write_index(index: Any, path: Path, flags: int = 0) -> None:
    """Write a FAISS index.

    FAISS's writer by path neither reports a full disk as an OSError nor can be
    made to; the bytes go through a Python file, whose errors say what happened.

    Raises:
        OSError: The disk is full or failing.
    """
    with path.open("xb") as file:
        failure: list[OSError] = []

        def write(data: bytes) -> None:
            # FAISS cannot carry a Python exception through: it is kept and raised below.
            try:
                if not failure:
                    file.write(data)
            except OSError as error:
                failure.append(error)

        writer = faiss.BufferedIOWriter(faiss.PyCallbackIOWriter(write), 1 << 20)
        faiss.write_index(index, writer, flags)
        del writer
        if failure:
            raise failure[0]


def map_index(path: Path, dim: int) -> Any:
    """Map a FAISS index read-only; workers share its pages.

    Raises:
        SnapshotError: It is not a FAISS index of this width.
    """
    return read_index(path, dim, faiss.IO_FLAG_MMAP_IFC)


def read_index(path: Path, dim: int, flags: int = 0) -> Any:
    """Read a FAISS index into memory, for kinds that cannot be mapped.

    Raises:
        FileNotFoundError: It is gone: a publisher may have moved on since its digest was checked.
        SnapshotError: It is not a FAISS index of this width.
    """
    try:
        index = faiss.read_index(str(path), flags)
    except RuntimeError as error:
        path.stat()  # FAISS says the same of a file that is gone, which is no damage
        raise SnapshotError(f"{path} is not a FAISS index; run `onesheet verify --repair`.") from error
    if index.d != dim:
        raise SnapshotError(
            f"{path} has rows of width {index.d}, expected {dim}; run `onesheet verify --repair`."
        )
    return index


def bitmap_selector(allowed: NDArray[np.bool_] | None) -> Any:
    """A FAISS selector of the rows that are True; None for None.

    FAISS keeps a bare pointer to the bits; they live as long as the selector,
    which holds on to them.
    """
    if allowed is None:
        return None
    return faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
