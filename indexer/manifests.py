"""The manifest of a snapshot as JSON, read strictly, and the pointer to the current one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from embeddings.errors import SnapshotError
from indexer.types import SnapshotManifest

MANIFEST_FILE = "manifest.json"
CURRENT_FILE = "CURRENT"
FORMAT = 3
_READABLE = (2, FORMAT)
"""Format 2 had wider columns (``columns.py``); the vectors are the same."""
CURE = "run `onesheet verify --repair`"


@dataclass(frozen=True)
class Pointer:
    """Which snapshot is current, and the SHA-256 of its manifest, hexadecimal."""

    name: str
    manifest_sha256: str


def manifest_bytes(manifest: SnapshotManifest) -> bytes:
    """The manifest as a JSON document with sorted keys."""
    return json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1, sort_keys=True).encode()


def read_manifest(directory: Path, sha256: str) -> SnapshotManifest:
    """Read the manifest of a snapshot.

    Raises:
        FileNotFoundError: There is none.
        SnapshotError: Its bytes are not the ones that were published.
    """
    path = directory / MANIFEST_FILE
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SnapshotError(f"{path} is not the manifest that was published; {CURE}.")
    return parse_manifest(data, path)


def parse_manifest(data: bytes, path: Path) -> SnapshotManifest:
    """Build a manifest from JSON.

    Raises:
        SnapshotError: It is not JSON, of another format, or has missing or unknown keys.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise SnapshotError(f"{path} is not JSON ({error}); {CURE}.") from error
    if not isinstance(document, dict) or document.pop("format", None) not in _READABLE:
        raise SnapshotError(f"{path} is of none of the formats {_READABLE}; {CURE}.")
    expected = {field.name for field in fields(SnapshotManifest)}
    if set(document) != expected:
        raise SnapshotError(f"{path} has keys {sorted(document)}, expected {sorted(expected)}; {CURE}.")
    weights = {name: tuple(values) for name, values in document["default_weights"].items()}
    tuples = {key: tuple(document[key]) for key in ("genres", "widths", "spreads")}
    return SnapshotManifest(**{**document, **tuples, "default_weights": weights})


def pointer_bytes(pointer: Pointer) -> bytes:
    """The pointer as one line of text."""
    return f"{pointer.name} {pointer.manifest_sha256}\n".encode()


def read_pointer(root: Path) -> Pointer | None:
    """The current snapshot of an index directory; None where nothing was published.

    Raises:
        SnapshotError: The pointer file is damaged.
    """
    path = root / CURRENT_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    words = data.decode("utf-8", "replace").split()
    pointer = Pointer(words[0], words[1]) if len(words) == 2 else Pointer("", "")
    if pointer_bytes(pointer) != data or Path(pointer.name).name != pointer.name:
        raise SnapshotError(
            f"{path} should hold the name and digest of a snapshot, got {data[:80]!r}; {CURE}."
        )
    return pointer
