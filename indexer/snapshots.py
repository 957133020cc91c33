"""Snapshots: one directory each, written aside, flushed, and published by one rename of a pointer.

    index/CURRENT                     name and manifest digest of the current snapshot
    index/index.lock                  held while one process publishes
    index/snapshots/NAME/             manifest.json, the vectors, the columns of facts, the map
    index/snapshots/.writing-NAME/    a snapshot that is being written, or was when its writer died

Files of a published snapshot are never written again, only unlinked, so a
process that maps them keeps them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from embeddings.errors import InvalidRequestError, SnapshotError
from indexer.beside import BESIDE_FILES, NOTHING_BESIDE, Beside, load_beside
from indexer.durable import clear_scraps, sync_directory, write_durably
from indexer.manifests import (
    CURE,
    CURRENT_FILE,
    MANIFEST_FILE,
    Pointer,
    manifest_bytes,
    pointer_bytes,
    read_manifest,
    read_pointer,
)
from indexer.settings import Settings
from indexer.snapshot_files import Fits, Snapshot, digest_of, open_snapshot, write_snapshot
from indexer.types import Facts, Rows, SnapshotManifest
from indexer.vectors.kinds import KINDS, kind_for
from indexer.vectors.milvus import MilvusIndex
from indexer.vectors.milvus_server import parse_milvus, without_secrets

__all__ = ["Snapshot", "SnapshotStore", "open_store"]

_ASIDE = ".writing-"
_KEPT = 2
"""Snapshots kept: the current one, and the one that readers may be opening just now."""

_SERVED_SECONDS = 600
"""How long rows in Milvus outlive their replacement: a reader that has them open cannot keep them itself."""

Stamp = tuple[int, int, int]
"""Modification time, inode and size of the pointer file."""


class SnapshotStore:
    """The snapshots under one index directory.

    Args:
        root: The directory; it need not exist before the first ``publish``.
        milvus: The kind that sends rows to a Milvus; None keeps them in the directory.
    """

    def __init__(self, root: Path, milvus: type[MilvusIndex] | None = None) -> None:
        self.root = root
        self._milvus = milvus

    @property
    def directory(self) -> Path:
        """Where the snapshots lie."""
        return self.root / "snapshots"

    def stamp(self) -> Stamp | None:
        """What changes whenever another snapshot is published; None where none was."""
        try:
            status = (self.root / CURRENT_FILE).stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def pointer(self) -> Pointer | None:
        """Which snapshot is current; None where none was published.

        Raises:
            SnapshotError: The pointer is damaged.
        """
        return read_pointer(self.root)

    def manifest(self) -> SnapshotManifest | None:
        """Description of the current snapshot; None where none was published.

        Raises:
            SnapshotError: The pointer or the manifest is damaged.
        """
        pointer = self.pointer()
        if pointer is None:
            return None
        try:
            return read_manifest(self.directory / pointer.name, pointer.manifest_sha256)
        except FileNotFoundError as error:
            raise SnapshotError(f"{error.filename} is missing; {CURE}.") from error

    def open(self, fits: Fits | None = None) -> Snapshot | None:
        """Check and map the current snapshot; None where none was published.

        Args:
            fits: Looks at its manifest before any other file is read; raises where it must not be used.

        Raises:
            SnapshotError: A file is missing, damaged or not the one that was published.
        """
        pointer = self.pointer()
        while pointer is not None:
            try:
                return open_snapshot(
                    self.directory / pointer.name, pointer.manifest_sha256, fits, self._milvus
                )
            except FileNotFoundError as error:
                # A publisher may have moved on and cleared this one away meanwhile.
                newer = self.pointer()
                if newer == pointer:
                    raise SnapshotError(f"{error.filename} is missing; {CURE}.") from error
                pointer = newer
        return None

    def beside(self) -> Beside:
        """What lies beside the rows of the current snapshot, as far as it can be read."""
        try:
            pointer, manifest = self.pointer(), self.manifest()
            if pointer is None or manifest is None:
                return NOTHING_BESIDE
            path, files = self.directory / pointer.name, manifest.files
            sound = [n for n in BESIDE_FILES if n in files and digest_of(path / n) == files[n]["sha256"]]
            return load_beside(path, sound)
        except (SnapshotError, FileNotFoundError):
            return NOTHING_BESIDE

    def publish(
        self, rows: Rows, facts: Facts, about: SnapshotManifest, beside: Beside = NOTHING_BESIDE
    ) -> SnapshotManifest:
        """Write a snapshot and make it the current one.

        The caller holds the publish lock.

        Args:
            rows: The blocks of every movie.
            facts: Their facts, in the same order.
            about: What only the caller knows: fingerprint, genres, revision, taste model,
                default weights, and the kind, where ``""`` leaves the choice to the size.
            beside: What is carried from one snapshot to the next.

        Returns:
            The whole manifest.

        Raises:
            OSError: The disk is full or failing; the old snapshot is still the current one.
        """
        kind = self._milvus or KINDS[about.kind or kind_for(len(rows))]
        name = f"r{about.revision}-{kind.kind}-{os.urandom(4).hex()}"
        aside = self.directory / f"{_ASIDE}{name}"
        aside.mkdir(parents=True)
        try:
            about = replace(about, name=name, kind=kind.kind)
            manifest = write_snapshot(aside, rows, facts, about, beside, kind)
            data = manifest_bytes(manifest)
            write_durably(aside / MANIFEST_FILE, data)
            aside.rename(self.directory / name)
        except BaseException:
            self._discard(aside)
            raise
        sync_directory(self.directory)
        pointer = Pointer(name, hashlib.sha256(data).hexdigest())
        write_durably(self.root / CURRENT_FILE, pointer_bytes(pointer))
        self.clear_old()
        return manifest

    def clear_old(self) -> None:
        """Delete snapshots that nobody opens any more and what dead writers left; under the lock."""
        clear_scraps(self.root)
        pointer = self.pointer()
        current = pointer.name if pointer else ""
        found = sorted(self.directory.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        whole = [path for path in found if not path.name.startswith(_ASIDE)]
        kept = {current, *[path.name for path in whole if path.name != current][: _KEPT - 1]}
        if self._milvus is not None:
            since = time.time() - _SERVED_SECONDS
            kept |= {old.name for newer, old in pairwise(whole) if newer.stat().st_mtime > since}
        for path in found:
            if path.name not in kept:
                self._discard(path)

    def _discard(self, directory: Path) -> None:
        """Delete a snapshot, whole or half written."""
        if self._milvus is not None:
            try:
                self._milvus.forget(directory)
            except SnapshotError:
                return  # its rows could not be dropped: the directory stays for the next publisher
        shutil.rmtree(directory, ignore_errors=True)


def open_store(settings: Settings) -> SnapshotStore:
    """The snapshots of the index that the settings name.

    Raises:
        InvalidRequestError: The index URL is malformed or of an unknown kind.
    """
    scheme, _, where = settings.index_url.partition("://")
    if scheme == "faiss" and where:
        return SnapshotStore(Path(where))
    if scheme == "milvus":
        server = parse_milvus(settings.index_url)
        return SnapshotStore(settings.home / server.directory, MilvusIndex.at(server))
    raise InvalidRequestError(
        f"The index URL is {without_secrets(settings.index_url)!r}; expected faiss://DIRECTORY, "
        "milvus://HOST:PORT or milvus://FILE.db.",
        field="index_url",
    )
