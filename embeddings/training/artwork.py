"""Which posters show the same artwork: exact copies, and pictures a perceptual hash cannot tell apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.artwork import (
    HASH_BITS,
    MIN_CORRELATION,
    THUMBNAIL_LENGTH,
    grey_picture,
    join_groups,
    perceptual_hash,
    thumbnail,
)
from embeddings.errors import PosterError

MAX_PHASH_DISTANCE = 12
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
    """Hash the pictures of poster files, in the order of ``paths``."""
    with ThreadPoolExecutor(workers) as pool:
        rows = list(pool.map(_hash_file, paths))
    return ArtworkHashes(
        tuple(row[0] for row in rows),
        np.array([row[1] for row in rows], dtype=bool).reshape(-1, HASH_BITS),
        np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, THUMBNAIL_LENGTH),
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


def _hash_file(path: Path) -> tuple[str, NDArray[np.bool_], NDArray[np.float32], bool]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        grey = grey_picture(path)
    except PosterError:
        return digest, np.zeros(HASH_BITS, dtype=bool), np.zeros(THUMBNAIL_LENGTH, dtype=np.float32), False
    return digest, perceptual_hash(grey), thumbnail(grey), True


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
        left, right = np.nonzero(signs[rows] @ signs.T >= HASH_BITS - 2 * MAX_PHASH_DISTANCE)
        left = left + start
        alike = np.einsum("ij,ij->i", thumbnails[left], thumbnails[right]) >= MIN_CORRELATION
        keep = (left < right) & alike & hashes.readable[left] & hashes.readable[right]
        found.append(np.stack([left[keep], right[keep]], axis=1).astype(np.int64))
    return found
