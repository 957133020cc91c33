"""The files of one snapshot: vectors, columns of facts, random pairs; written, checked, mapped.

Every file is checked against its digest in the manifest before FAISS or numpy reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.beside import NOTHING_BESIDE, Beside, load_beside, save_beside
from indexer.columns import map_columns, save_columns
from indexer.durable import sync_file
from indexer.manifests import CURE, read_manifest
from indexer.pairs import random_pairs, spreads
from indexer.types import Facts, Rows, SnapshotManifest
from indexer.vectors.base import VectorIndex
from indexer.vectors.blocks import join, widths_of
from indexer.vectors.kinds import KINDS

Fits = Callable[[SnapshotManifest], None]
"""Raises SnapshotError where a snapshot must not be used."""


@dataclass(frozen=True)
class Snapshot:
    """An opened snapshot; its arrays are mapped from its files.

    Args:
        manifest: Its description.
        index: The vectors; row numbers are positions in ``facts``.
        facts: Columns of its rows, sorted by movie id.
        pairs: float32, (m, 3), cosines of random pairs per signal.
        beside: What is carried from one snapshot to the next.
    """

    manifest: SnapshotManifest
    index: VectorIndex
    facts: Facts
    pairs: NDArray[np.float32]
    beside: Beside = NOTHING_BESIDE


def open_snapshot(
    directory: Path,
    manifest_sha256: str,
    fits: Fits | None = None,
    elsewhere: type[VectorIndex] | None = None,
) -> Snapshot:
    """Check the manifest and every file of a snapshot, then map it.

    Args:
        directory: Where it is.
        manifest_sha256: What the pointer says of its manifest.
        fits: Looks at the manifest before any other file is read; raises where it must not be used.
        elsewhere: The kind whose rows are not in the directory; None where that is not in use.

    Raises:
        FileNotFoundError: A file is missing.
        SnapshotError: A file is damaged, or the manifest names another kind or shape.
    """
    manifest = read_manifest(directory, manifest_sha256)
    if fits is not None:
        fits(manifest)
    check_files(directory, manifest)
    kinds = KINDS if elsewhere is None else {**KINDS, elsewhere.kind: elsewhere}
    if manifest.kind not in kinds:
        raise SnapshotError(f"{directory} is of kind {manifest.kind!r}; known are {sorted(kinds)}; {CURE}.")
    index = kinds[manifest.kind].load(directory, manifest.widths)
    facts, pairs = map_columns(directory, manifest.count)
    if len(index) != manifest.count:
        raise SnapshotError(f"{directory} has {len(index)} vectors for {manifest.count} movies; {CURE}.")
    return Snapshot(manifest, index, facts, pairs, load_beside(directory, manifest.files))


def check_files(directory: Path, manifest: SnapshotManifest) -> None:
    """Compare every file with its digest in the manifest.

    Raises:
        FileNotFoundError: A file is missing.
        SnapshotError: A file has other bytes than were published.
    """
    paths = [directory / name for name in manifest.files]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for path, digest in zip(paths, pool.map(digest_of, paths), strict=True):
            if digest != manifest.files[path.name]["sha256"]:
                raise SnapshotError(f"{path} is damaged: its SHA-256 is {digest[:12]}…; {CURE}.")


def write_snapshot(
    directory: Path,
    rows: Rows,
    facts: Facts,
    about: SnapshotManifest,
    beside: Beside,
    kind: type[VectorIndex],
) -> SnapshotManifest:
    """Write vectors, columns and what lies beside, flushed, and describe them."""
    order = np.argsort(facts.movie_ids, kind="stable")
    rows, facts = rows.take(order), facts.take(order)
    pairs = random_pairs(rows, np.random.default_rng(about.revision))
    names = kind.build(join(rows), widths_of(rows)).save(directory)
    names += save_columns(directory, facts, rows.known, pairs)
    names += save_beside(directory, beside)
    return replace(
        about,
        widths=widths_of(rows),
        spreads=spreads(pairs),
        count=len(rows),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        files=_described(directory, names),
    )


def _described(directory: Path, names: Iterable[str]) -> dict[str, dict[str, str | int]]:
    described: dict[str, dict[str, str | int]] = {}
    for name in names:
        path = directory / name
        sync_file(path)
        described[name] = {"sha256": digest_of(path), "bytes": path.stat().st_size}
    return described


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
