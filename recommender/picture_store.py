"""What posters show, measured after a reindex and kept in a file that may be deleted at any time.

The file is one sorted array of 54 bytes a poster, mapped and shared by the
processes that read it: 54 MB for a million posters.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import PosterError
from indexer.catalog import Catalog
from indexer.durable import write_durably
from indexer.types import Movie
from recommender.pictures import COLOURS, MOST_COLOURS, Picture, describe_picture, find_picture

PICTURES_NAME = "pictures.npy"
_ROW = np.dtype(
    [
        ("sha256", "S32"),
        ("colours", np.uint8, (MOST_COLOURS,)),  # positions in COLOURS from 1 on, 0 after the last
        ("thousandths", "<u2", (MOST_COLOURS,)),
        ("lightness_tenths", "<u2"),
        ("colourless", "?"),
        ("face", "?"),
    ]
)
_BATCH = 256
_Stamp = tuple[int, int, int]
_Rows = NDArray[np.void]


class PictureStore:
    """Finds what the poster of a movie shows. Threads may share it.

    Args:
        path: The file, which need not be there; None has nothing kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._held: tuple[_Stamp | None, _Rows] = (None, _no_rows())
        self._find = functools.lru_cache(maxsize=20_000)(self._find_anew)

    def find(self, movie: Movie) -> Picture | None:
        """What the poster of a movie shows, measured now where it was not; None without a readable one."""
        return None if movie.poster is None else self._find(movie.poster, movie.poster_hash)

    def _find_anew(self, poster: str, poster_hash: str | None) -> Picture | None:
        kept = None if poster_hash is None else self._kept(poster_hash)
        return kept or find_picture(poster, poster_hash)

    def _kept(self, poster_hash: str) -> Picture | None:
        stamp = None if self._path is None else _stamp(self._path)
        held, rows = self._held
        if stamp != held:
            rows = _no_rows() if self._path is None else load_pictures(self._path)
            self._held = (stamp, rows)
        return find_row(rows, poster_hash)


def refresh_pictures(catalog: Catalog, path: Path) -> int:
    """Measure the posters of the catalog that are new, forget those that are gone.

    Returns:
        How many were measured.
    """
    files = {one.sha256: one.path for one in catalog.poster_files() if one.sha256 and not one.error}
    old = load_pictures(path)
    known = {key.ljust(32, b"\0").hex() for key in old["sha256"].tolist()}
    missing = [(sha256, one) for sha256, one in files.items() if sha256 not in known]
    kept = np.array([key.ljust(32, b"\0").hex() in files for key in old["sha256"].tolist()], dtype=np.bool_)
    if not missing and kept.all():
        return 0
    new = np.array(list(_measured(missing)), dtype=_ROW)
    whole = np.concatenate([old[kept], new])
    file = io.BytesIO()
    np.lib.format.write_array(file, whole[np.argsort(whole["sha256"], kind="stable")], allow_pickle=False)
    write_durably(path, file.getvalue())
    return len(new)


def load_pictures(path: Path) -> _Rows:
    """Map the rows of the file; none where there is no such file or it is not one."""
    try:
        rows: _Rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return _no_rows()
    return rows.view(np.ndarray) if rows.dtype == _ROW and rows.ndim == 1 else _no_rows()


def find_row(rows: _Rows, poster_hash: str) -> Picture | None:
    """The picture of the poster with this SHA-256, hexadecimal; None where the rows lack it."""
    # numpy gives such bytes back without zeros at their end.
    key = bytes.fromhex(poster_hash).rstrip(b"\0")
    keys = rows["sha256"]
    at = bisect_left(keys, key)
    if at == len(keys) or keys[at] != key:
        return None
    _, colours, thousandths, tenths, colourless, face = rows[at].tolist()
    pairs = zip(colours.tolist(), thousandths.tolist(), strict=True)
    return Picture({COLOURS[c - 1]: n / 1000 for c, n in pairs if c}, tenths / 10, colourless, face)


def _measured(posters: Iterable[tuple[str, str]]) -> Iterator[tuple[object, ...]]:
    posters = list(posters)
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for start in range(0, len(posters), _BATCH):
            for row in threads.map(_row, posters[start : start + _BATCH]):
                if row is not None:
                    yield row


def _row(poster: tuple[str, str]) -> tuple[object, ...] | None:
    """The row of one poster; None where its file has other bytes by now, or cannot be read."""
    sha256, path = poster
    try:
        data = Path(path).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            return None
        picture = describe_picture(data)
    except (OSError, PosterError):
        return None
    colours = [COLOURS.index(one) + 1 for one in picture.colours]
    thousandths = [round(1000 * share) for share in picture.colours.values()]
    blank = [0] * (MOST_COLOURS - len(colours))
    tenths = round(10 * picture.lightness)
    key = bytes.fromhex(sha256)
    return key, colours + blank, thousandths + blank, tenths, picture.colourless, picture.face


def _no_rows() -> _Rows:
    return np.empty(0, dtype=_ROW)


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
