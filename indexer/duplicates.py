"""Posters that show the same picture: found by perceptual hash, proven by their pixels, kept as groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.artwork import MIN_CORRELATION, THUMBNAIL_LENGTH, grey_picture, perceptual_hash, thumbnail
from embeddings.errors import PosterError
from embeddings.posters import poster_size
from indexer.artwork_groups import one_of_equals, pairs_of_content, regroup
from indexer.artwork_table import NO_POSTERS, ArtworkTable, Posters, load_table, save_table
from indexer.catalog import Catalog, Changes
from indexer.catalog.artwork import HashedPoster, ReadPoster
from indexer.columns import find_sorted
from indexer.hamming import near_pairs

LOOSER = (20, 0.75, 0.94)
"""Hash distance, thumbnail correlation and least cosine of embeddings of two versions of one picture, such
as the same sleeve with another title: each alone is met by strangers, of 6,785 real posters all three only
by one such pair (14, 0.82, 0.97); the next pair, two films of a series, had (18, 0.60, 0.91)."""
_READ_AT_ONCE = 1000
_WORKERS = 4


@dataclass(frozen=True)
class ArtworkReport:
    """What one look for duplicates found.

    Args:
        hashed: Posters whose perceptual hash was taken in this run.
        compared: Posters that were compared with all others in this run.
        groups: Groups of movies that share their artwork.
        movies: Movies in those groups.
        moved: Movies whose group changed in this run.
    """

    hashed: int
    compared: int
    groups: int
    movies: int
    moved: int


def group_artwork(catalog: Catalog, path: Path, fingerprint: str | None = None) -> ArtworkReport:
    """Group the movies whose posters show one picture, comparing those that are new with all.

    Byte-equal and near-identical posters share a group; every movie stays. A
    group keeps its number for as long as it has a member that stays.

    Args:
        catalog: Whose posters.
        path: The table of what was compared before; made where it is missing.
        fingerprint: Encoder whose embeddings are consulted; None is the one in use, if any.

    Raises:
        CatalogError: The catalog cannot be read or written.
        OSError: The table cannot be written.
    """
    encoder = fingerprint or catalog.active().fingerprint or ""
    table = load_table(path)
    if table.fingerprint != encoder or table.revision > catalog.revision():
        table = ArtworkTable(fingerprint=encoder)
    changes = catalog.changes_since(table.revision)
    if not changes.changed and not changes.removed and table.revision:
        return _report(0, 0, 0, table.posters)
    fresh, gone, hashed = _look_again(catalog, table, changes)
    left = table.posters.groups[gone]
    known = table.posters.take(~gone) if gone.any() else table.posters
    posters, rows = known.merged(fresh)
    compared = np.zeros(len(posters), dtype=np.bool_)
    compared[rows] = True
    # A group that lost a member may fall apart: those that stay are compared anew.
    grouped = np.flatnonzero(posters.groups >= 0)
    compared[grouped] |= np.isin(posters.groups[grouped], np.union1d(left, fresh.groups))
    groups = regroup(posters.groups, compared, _alike(catalog, encoder, posters, compared))
    moved = _save_groups(catalog, posters, groups)
    posters = replace(posters, groups=groups)
    save_table(path, ArtworkTable(posters, changes.revision, encoder))
    return _report(hashed, int(compared.sum()), moved, posters)


def _look_again(
    catalog: Catalog, table: ArtworkTable, changes: Changes
) -> tuple[Posters, NDArray[np.bool_], int]:
    """What is new of the movies that changed: their posters, which rows are gone, how many were hashed."""
    known, parts, n_hashed = table.posters, [NO_POSTERS], 0
    gone = np.zeros(len(known), dtype=np.bool_)
    at = find_sorted(known.movie_ids, [*changes.changed, *changes.removed])
    gone[at[at >= 0]] = True
    for start in range(0, len(changes.changed), _READ_AT_ONCE):
        read = catalog.read_posters(changes.changed[start : start + _READ_AT_ONCE])
        n_hashed += sum(one.phash is None for one in read)
        seen = describe_posters(
            catalog, table.fingerprint, [one for one in _hashed(catalog, read) if one.phash]
        )
        rows = find_sorted(known.movie_ids, [one.decode() for one in seen.movie_ids.tolist()])
        same = (rows >= 0) & _same_picture(seen, known, rows)
        gone[rows[same]] = False
        parts.append(seen.take(~same))
    return Posters.concatenate(parts), gone, n_hashed


def _same_picture(seen: Posters, known: Posters, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether rows of the table say the same as what was seen.

    A group that differs was saved by a run that was killed before it could save the table.
    """
    same = np.ones(len(seen), dtype=np.bool_)
    for column in ("contents", "looks", "groups") if len(known) else ():
        same &= getattr(known, column)[rows] == getattr(seen, column)
    return same


def _hashed(catalog: Catalog, read: Sequence[ReadPoster]) -> Iterator[ReadPoster]:
    """The posters with their perceptual hashes, which are taken and saved where they are missing."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        taken = [one for one in pool.map(_hash, (one for one in read if one.phash is None)) if one]
    catalog.save_hashes(taken)
    new = {one.movie_id: one.phash for one in taken}
    for one in read:
        yield one if one.phash else replace(one, phash=new.get(one.movie_id))


def _hash(poster: ReadPoster) -> HashedPoster | None:
    """The hash of a poster; None where it cannot be read, which is the encoder's to report."""
    path = Path(poster.path)
    try:
        width, height = poster_size(path)
        bits = perceptual_hash(grey_picture(path))
        return HashedPoster(poster.movie_id, np.packbits(bits).tobytes().hex(), width, height)
    except PosterError:
        return None


def describe_posters(catalog: Catalog, fingerprint: str, read: Sequence[ReadPoster]) -> Posters:
    """What is compared of some posters whose hashes were taken, sorted by movie."""
    ids = np.array([one.movie_id.encode() for one in read], dtype=np.bytes_)
    looks, embedded = np.zeros(len(read), dtype=np.uint64), np.zeros(len(read), dtype=np.bool_)
    have, vectors = catalog.embeddings_of(fingerprint, [one.movie_id for one in read])
    if have:
        at = find_sorted(ids, have)
        looks[at], embedded[at] = _signs(vectors), True
    return Posters(
        ids,
        _from_hex([one.sha256[:16] for one in read]),
        _from_hex([one.phash or "" for one in read]),
        looks,
        embedded,
        np.array([-1 if one.group is None else one.group for one in read], dtype=np.int32),
    )


def _from_hex(texts: Sequence[str]) -> NDArray[np.uint64]:
    return np.frombuffer(bytes.fromhex("".join(texts)), dtype="<u8").astype(np.uint64)


def _signs(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Signs of 64 random projections of each vector, uint64, (n,).

    A sign differs between two vectors as often as their angle is wide: at a cosine of 0.94, 7 of 64 on
    average, so that 95 of 100 such pairs come within the distance that ``near_pairs`` looks at.
    """
    planes = np.random.default_rng(0).standard_normal((vectors.shape[1], 64)).astype(np.float32)
    return np.packbits(vectors @ planes > 0, axis=1).view("<u8").ravel().astype(np.uint64)


def _alike(
    catalog: Catalog, fingerprint: str, posters: Posters, compared: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Pairs of rows that show one picture, int64, (m, 2), of which at least one is to be compared."""
    if not compared.any():
        return np.empty((0, 2), dtype=np.int64)
    asked, same = pairs_of_content(posters.contents, compared)
    embedded = np.flatnonzero(posters.embedded)
    hashes = (posters.hashes[embedded], LOOSER[0])
    versions = embedded[near_pairs(posters.looks[embedded], asked[embedded], hashes)]
    pairs = one_of_equals(posters.contents, near_pairs(posters.hashes, asked))
    versions = _versions(catalog, fingerprint, posters, one_of_equals(posters.contents, versions))
    return np.concatenate(
        [
            same,
            _proven(catalog, posters, pairs, MIN_CORRELATION),
            _proven(catalog, posters, versions, LOOSER[1]),
        ]
    )


def _versions(
    catalog: Catalog, fingerprint: str, posters: Posters, pairs: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Those of the pairs whose embeddings nearly agree."""
    rows = np.unique(pairs)
    have, vectors = catalog.embeddings_of(fingerprint, _names(posters, rows))
    at = dict(zip(have, range(len(have)), strict=True))
    names = [tuple(_names(posters, pair)) for pair in pairs]
    kept = [a in at and b in at and float(vectors[at[a]] @ vectors[at[b]]) >= LOOSER[2] for a, b in names]
    return pairs[np.array(kept, dtype=np.bool_)]


def _proven(
    catalog: Catalog, posters: Posters, pairs: NDArray[np.int64], min_correlation: float
) -> NDArray[np.int64]:
    """Pairs with correlated thumbnails; the hash alone takes layouts for copies."""
    rows = np.unique(pairs)
    paths = {one.movie_id: Path(one.path) for one in catalog.read_posters(_names(posters, rows))}
    with ThreadPoolExecutor(_WORKERS) as pool:
        small = list(pool.map(lambda name: _thumbnail(paths.get(name)), _names(posters, rows)))
    at = np.searchsorted(rows, pairs)
    kept = [float(small[a] @ small[b]) >= min_correlation for a, b in at.tolist()]
    return pairs[np.array(kept, dtype=np.bool_)]


def _thumbnail(path: Path | None) -> NDArray[np.float32]:
    """The poster's thumbnail; zeros, which correlate with nothing, where the file went away."""
    try:
        return np.zeros(THUMBNAIL_LENGTH, np.float32) if path is None else thumbnail(grey_picture(path))
    except PosterError:
        return np.zeros(THUMBNAIL_LENGTH, dtype=np.float32)


def _names(posters: Posters, rows: NDArray[np.int64]) -> list[str]:
    return [one.decode() for one in posters.movie_ids[rows].tolist()]


def _save_groups(catalog: Catalog, posters: Posters, groups: NDArray[np.int32]) -> int:
    """Write the groups that are not what they were; returns how many movies moved."""
    moved = np.flatnonzero(groups != posters.groups)
    numbers = [None if one < 0 else one for one in groups[moved].tolist()]
    return catalog.save_artwork_groups(dict(zip(_names(posters, moved), numbers, strict=True)))


def _report(hashed: int, compared: int, moved: int, posters: Posters) -> ArtworkReport:
    shared = posters.groups[posters.groups >= 0]
    return ArtworkReport(hashed, compared, len(np.unique(shared)), len(shared), moved)
