"""Which posters show the same artwork: exact copies, and pictures a perceptual hash cannot tell apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from embeddings.errors import PosterError
from embeddings.posters import read_poster

MAX_PHASH_DISTANCE = 12
MIN_THUMBNAIL_CORRELATION = 0.93
_HASH_SIZE = (96, 144)
_THUMBNAIL_SIZE = (16, 24)
_HASH_BITS = 64
_ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class ArtworkHashes:
    """What identifies the picture in each of n poster files.

    Args:
        digests: SHA-256 of each file's bytes, in hex.
        phashes: bool, shape (n, 64): DCT hash, what the picture looks like as a whole.
        thumbnails: float32, shape (n, 384): grey values at 16x24, mean 0, length 1.
        readable: bool, shape (n,); hash and thumbnail of an unreadable poster are zeros.
    """

    digests: tuple[str, ...]
    phashes: NDArray[np.bool_]
    thumbnails: NDArray[np.float32]
    readable: NDArray[np.bool_]


def hash_artwork(paths: Sequence[Path], workers: int = 2) -> ArtworkHashes:
    """Hash the pictures of poster files, in the order of ``paths``.

    Source:
        J. Buchner, ``imagehash``; E. Klinger and D. Starkweather, pHash, 2010.
    """
    with ThreadPoolExecutor(workers) as pool:
        rows = list(pool.map(_hash_file, paths))
    width, height = _THUMBNAIL_SIZE
    return ArtworkHashes(
        tuple(row[0] for row in rows),
        np.array([row[1] for row in rows], dtype=bool).reshape(-1, _HASH_BITS),
        np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, width * height),
        np.array([row[3] for row in rows], dtype=bool),
    )


def artwork_groups(hashes: ArtworkHashes) -> NDArray[np.int64]:
    """Number each poster's group of equal artwork.

    Two posters are joined when their files are equal, or when hash and thumbnail
    both agree: either alone joins posters that merely share a layout (a face on
    a dark ground). The two limits were read off the pairs of 17,360 posters: the
    real copies have distance <= 10 and correlation >= 0.95, the closest strangers
    14 and 0.90. Joins are transitive.

    Returns:
        int64, shape (n,); equal numbers mean the same artwork.
    """
    pairs = [_equal_pairs(hashes.digests), *_near_pairs(hashes)]
    return join_groups(len(hashes.digests), np.concatenate(pairs))


def join_groups(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the groups of n things that chains of pairs (int64, shape (m, 2)) connect.

    Example:
        >>> join_groups(4, np.array([[0, 2], [2, 3]])).tolist()
        [0, 1, 0, 0]
    """
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)  # type: ignore[no-any-return]


def _hash_file(path: Path) -> tuple[str, NDArray[np.bool_], NDArray[np.float32], bool]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    width, height = _THUMBNAIL_SIZE
    try:
        picture = read_poster(path, size=_HASH_SIZE)
    except PosterError:
        return digest, np.zeros(_HASH_BITS, dtype=bool), np.zeros(width * height, dtype=np.float32), False
    grey = picture.convert("L").resize(_HASH_SIZE, Image.Resampling.BILINEAR)
    values = np.asarray(grey.resize(_THUMBNAIL_SIZE, Image.Resampling.BOX), dtype=np.float32).ravel()
    values = values - values.mean()
    # A blank page has no correlation with anything: the constant keeps it at 0 instead of 0 / 0.
    return digest, imagehash.phash(grey).hash.ravel(), values / (np.linalg.norm(values) + 1e-3), True


def _equal_pairs(keys: Sequence[str]) -> NDArray[np.int64]:
    first: dict[str, int] = {}
    pairs = [(first.setdefault(key, row), row) for row, key in enumerate(keys)]
    return np.array([pair for pair in pairs if pair[0] != pair[1]], dtype=np.int64).reshape(-1, 2)


def _near_pairs(hashes: ArtworkHashes) -> list[NDArray[np.int64]]:
    # Hamming distance of bits written as ±1 is (bits - dot) / 2: a matrix product, quicker than a tree here.
    signs = np.where(hashes.phashes, 1, -1).astype(np.float32)
    thumbnails = hashes.thumbnails
    found = []
    for start in range(0, len(signs), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        left, right = np.nonzero(signs[rows] @ signs.T >= _HASH_BITS - 2 * MAX_PHASH_DISTANCE)
        left = left + start
        alike = np.einsum("ij,ij->i", thumbnails[left], thumbnails[right]) >= MIN_THUMBNAIL_CORRELATION
        keep = (left < right) & alike & hashes.readable[left] & hashes.readable[right]
        found.append(np.stack([left[keep], right[keep]], axis=1).astype(np.int64))
    return found
