"""What identifies the picture of a poster: a perceptual hash and a small grey thumbnail (torch-free).

Either alone takes posters that share a layout (a face on a dark ground) for
copies; training asks both of pairs when it keeps copies on one side of a
split, the index when it groups duplicates.
"""

from __future__ import annotations

from pathlib import Path

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from embeddings.posters import read_poster

HASH_BITS = 64
THUMBNAIL_LENGTH = 384
MIN_CORRELATION = 0.93
"""Least inner product of two copies' thumbnails. Of 17,360 real posters the copies had 0.95 and more, and
hashes that differ in at most 10 bits; the closest strangers 0.90 and 14."""
_GREY_SIZE = (96, 144)
_THUMBNAIL_SIZE = (16, 24)


def grey_picture(path: Path) -> Image.Image:
    """A poster in grey, 96 x 144: what its hash and its thumbnail are taken from.

    Raises:
        PosterError: It cannot be read.
    """
    return read_poster(path, size=_GREY_SIZE).convert("L").resize(_GREY_SIZE, Image.Resampling.BILINEAR)


def perceptual_hash(grey: Image.Image) -> NDArray[np.bool_]:
    """What a grey picture looks like as a whole: the signs of its low frequencies, bool, (64,).

    Source:
        J. Buchner, ``imagehash``; E. Klinger and D. Starkweather, pHash, 2010.
    """
    bits: NDArray[np.bool_] = imagehash.phash(grey).hash.ravel()
    return bits


def thumbnail(grey: Image.Image) -> NDArray[np.float32]:
    """Values of a grey picture at 16 x 24, float32, (384,), mean 0, length 1: inner products correlate."""
    values = np.asarray(grey.resize(_THUMBNAIL_SIZE, Image.Resampling.BOX), dtype=np.float32).ravel()
    values = values - values.mean()
    # A blank page correlates with nothing: the constant keeps it at 0 instead of 0 / 0.
    unit: NDArray[np.float32] = values / np.float32(np.linalg.norm(values) + 1e-3)
    return unit


def join_groups(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the groups of n things that chains of pairs (int64, shape (m, 2)) connect.

    Example:
        >>> join_groups(4, np.array([[0, 2], [2, 3]])).tolist()
        [0, 1, 0, 0]
    """
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)  # type: ignore[no-any-return]
