"""Posters that show the same picture: found by perceptual hash, proven by their pixels, kept as groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from embeddings.artwork import (
    MIN_CORRELATION,
    THUMBNAIL_LENGTH,
    grey_picture,
    join_groups,
    perceptual_hash,
    thumbnail,
)
from embeddings.errors import PosterError
from embeddings.posters import poster_size
from indexer.catalog import Catalog, PosterFile
from indexer.catalog.artwork import HashedPoster

MAX_DISTANCE = 11
"""Bits of 64 in which the hashes of two copies may differ; see ``near_pairs`` for why not one more."""
LOOSER = (20, 0.75, 0.94)
"""Hash distance, thumbnail correlation and least cosine of embeddings of two versions of one picture, such
as the same sleeve with another title: each alone is met by strangers, of 6,785 real posters all three only
by one such pair (14, 0.82, 0.97); the next pair, two films of a series, had (18, 0.60, 0.91)."""
_SAVED_AT_ONCE = 1000
_WORKERS = 4
_NO_PAIRS: NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True)
class ArtworkReport:
    """What one look for duplicates found.

    Args:
        hashed: Posters whose perceptual hash was taken in this run.
        groups: Groups of movies that share their artwork.
        movies: Movies in those groups.
        moved: Movies whose group changed in this run.
    """

    hashed: int
    groups: int
    movies: int
    moved: int


def group_artwork(catalog: Catalog, fingerprint: str | None = None) -> ArtworkReport:
    """Hash the posters that have no hash yet, and group the movies whose posters show one picture.

    Byte-equal and near-identical posters share a group; every movie stays.
    A group is numbered by where its first movie stands among all hashed ones,
    so the same catalog has the same groups.

    Args:
        catalog: Whose posters.
        fingerprint: Encoder whose embeddings are consulted; None is the one in use, if any.
    """
    hashed = _hash_new(catalog)
    hashes = catalog.hashes()
    movie_ids = list(hashes)
    bits = np.array([list(bytes.fromhex(one)) for one in hashes.values()], dtype=np.uint8).reshape(-1, 8)
    files = {file.movie_id: file for file in catalog.poster_files()}
    posters = [files[movie_id] for movie_id in movie_ids]
    encoder = fingerprint or catalog.active().fingerprint
    versions = _version_pairs(catalog, encoder, movie_ids, bits) if encoder else _NO_PAIRS
    alike = [
        _proven(posters, near_pairs(bits), MIN_CORRELATION),
        _proven(posters, versions, LOOSER[1]),
    ]
    groups = _groups(movie_ids, np.concatenate(alike))
    moved = catalog.save_artwork_groups(groups)
    return ArtworkReport(hashed, len(set(groups.values())), len(groups), moved)


def near_pairs(bits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pairs of hashes that differ in at most ``MAX_DISTANCE`` bits.

    Of two such hashes, one of the four 16-bit words differs in at most two
    bits (four words with three each would make twelve), so looking up every
    word with every two bits flipped misses no pair, and the work grows far
    slower than with the square of the number of posters.

    Args:
        bits: uint8, (n, 8).

    Returns:
        int64, (m, 2), the smaller number first, sorted.

    Source:
        M. Norouzi et al., "Fast Exact Search in Hamming Space with Multi-Index Hashing", PAMI 36(6), 2014.
    """
    distinct, first, row_of = np.unique(bits, axis=0, return_index=True, return_inverse=True)
    row_of = row_of.reshape(-1)
    equal = np.stack([first[row_of], np.arange(len(bits))], axis=1)
    found = [equal[equal[:, 0] != equal[:, 1]]]
    if len(distinct) > 1:
        index = faiss.IndexBinaryMultiHash(64, 4, 16)
        index.nflip = MAX_DISTANCE // 4
        index.add(distinct)
        limits, _, labels = index.range_search(distinct, MAX_DISTANCE + 1)  # the radius is exclusive
        queries = np.repeat(np.arange(len(distinct)), np.diff(limits.astype(np.int64)))
        near = np.stack([first[queries], first[labels]], axis=1)
        found.append(near[near[:, 0] < near[:, 1]])
    pairs = np.concatenate(found).astype(np.int64).reshape(-1, 2)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _hash_new(catalog: Catalog) -> int:
    posters = catalog.posters_to_hash()
    n_hashed = 0
    for start in range(0, len(posters), _SAVED_AT_ONCE):
        with ThreadPoolExecutor(_WORKERS) as pool:
            hashed = [
                one for one in pool.map(_hash, posters[start : start + _SAVED_AT_ONCE]) if one is not None
            ]
        catalog.save_hashes(hashed)
        n_hashed += len(hashed)
    return n_hashed


def _hash(poster: PosterFile) -> HashedPoster | None:
    """The hash of a poster; None where it cannot be read, which is the encoder's to report."""
    path = Path(poster.path)
    try:
        width, height = poster_size(path)
        bits = perceptual_hash(grey_picture(path))
        return HashedPoster(poster.movie_id, np.packbits(bits).tobytes().hex(), width, height)
    except PosterError:
        return None


def _version_pairs(
    catalog: Catalog, fingerprint: str, movie_ids: list[str], bits: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Pairs of posters whose embeddings nearly agree and whose hashes do not contradict them."""
    row_of = {movie_id: row for row, movie_id in enumerate(movie_ids)}
    rows: list[int] = []
    blocks: list[NDArray[np.float32]] = []
    for batch in catalog.iter_rows(fingerprint):
        has = [
            i
            for i, movie_id in enumerate(batch.rows.movie_ids)
            if batch.rows.known[i, 0] and movie_id in row_of
        ]
        rows += [row_of[batch.rows.movie_ids[i]] for i in has]
        blocks.append(batch.rows.visual[has])
    if not rows:
        return _NO_PAIRS
    vectors = np.concatenate(blocks)
    # The sign of a random projection differs between two vectors as often as their angle is wide:
    # at a cosine of 0.94, 7 of 64 signs on average, so that 95 of 100 such pairs come within the distance.
    planes = np.random.default_rng(0).standard_normal((vectors.shape[1], 64)).astype(np.float32)
    pairs = near_pairs(np.packbits(vectors @ planes > 0, axis=1))
    own = bits[rows]
    distance = np.unpackbits(own[pairs[:, 0]] ^ own[pairs[:, 1]], axis=1).sum(axis=1)
    pairs = pairs[distance <= LOOSER[0]]
    cosines = np.einsum("ij,ij->i", vectors[pairs[:, 0]], vectors[pairs[:, 1]])
    close = np.array(rows, dtype=np.int64)[pairs[cosines >= LOOSER[2]]]
    return np.sort(close.reshape(-1, 2), axis=1)


def _proven(
    posters: Sequence[PosterFile], pairs: NDArray[np.int64], min_correlation: float
) -> NDArray[np.int64]:
    """Pairs with equal bytes or correlated thumbnails; the hash alone takes layouts for copies."""
    same_bytes = np.array([posters[a].sha256 == posters[b].sha256 for a, b in pairs], dtype=np.bool_)
    rows = sorted(set(pairs[~same_bytes].ravel().tolist()))
    with ThreadPoolExecutor(_WORKERS) as pool:
        thumbnails = dict(
            zip(rows, pool.map(_thumbnail, (Path(posters[row].path) for row in rows)), strict=True)
        )
    kept = [
        equal or float(thumbnails[a] @ thumbnails[b]) >= min_correlation
        for (a, b), equal in zip(pairs.tolist(), same_bytes.tolist(), strict=True)
    ]
    return pairs[np.array(kept, dtype=np.bool_)]


def _thumbnail(path: Path) -> NDArray[np.float32]:
    """The poster's thumbnail; zeros, which correlate with nothing, where the file went away."""
    try:
        return thumbnail(grey_picture(path))
    except PosterError:
        return np.zeros(THUMBNAIL_LENGTH, dtype=np.float32)


def _groups(movie_ids: Sequence[str], pairs: NDArray[np.int64]) -> dict[str, int]:
    """Movies that chains of pairs connect, numbered by the row of their first."""
    members: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(join_groups(len(movie_ids), pairs).tolist() if movie_ids else []):
        members[label].append(row)
    return {movie_ids[row]: rows[0] for rows in members.values() if len(rows) > 1 for row in rows}
