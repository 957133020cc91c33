"""When enough has changed that a snapshot is written anew, rather than left to every reader's overlay."""

from __future__ import annotations

from dataclasses import dataclass

from embeddings.errors import SnapshotError
from indexer.affinities import source_of
from indexer.beside import Beside
from indexer.catalog import Catalog
from indexer.catalog.records import Active
from indexer.learning import Fitters, taught_the_same
from indexer.snapshots import SnapshotStore
from indexer.types import SnapshotManifest
from indexer.vectors.kinds import EXACT_ROWS

LEAST_OVERLAY = 1_000
OVERLAY_SHARE = 0.02
LARGE = EXACT_ROWS
"""Up to so many rows a snapshot is written in a second or two, so each ``reindex`` writes one."""


def outgrows(n_changed: int, n_rows: int) -> bool:
    """Whether searching the changes besides the snapshot costs more than folding them in.

    Example:
        >>> outgrows(1_000, 1_000), outgrows(20_001, 1_000_000)
        (False, True)
    """
    return n_changed > max(LEAST_OVERLAY, OVERLAY_SHARE * n_rows)


@dataclass(frozen=True)
class Published:
    """What the current snapshot says of itself, and what lies beside its rows."""

    manifest: SnapshotManifest
    beside: Beside


def stays_in_overlay(catalog: Catalog, current: Published, fingerprint: str, fitters: Fitters) -> bool:
    """Whether a large catalog's snapshot is left as it is: little changed, and nothing is to be learned.

    Args:
        catalog: The truth.
        current: The current snapshot.
        fingerprint: Encoder of this run.
        fitters: What would learn: other ratings or other fitters change every row.
    """
    manifest = current.manifest
    if manifest.count <= LARGE or manifest.fingerprint != fingerprint:
        return False
    if catalog.active() != Active(manifest.fingerprint, manifest.taste_model):
        return False
    kept = catalog.find_learned()
    if not taught_the_same(catalog, fitters) or not has_beside(current, kept.source if kept else "", fitters):
        return False
    changes = catalog.changes_since(manifest.revision)
    if outgrows(len(changes.changed) + len(changes.removed), manifest.count):
        return False
    return fitters.taste is None or not catalog.has_unfitted(manifest.taste_model, changes.changed)


def has_beside(current: Published, learned_from: str, fitters: Fitters) -> bool:
    """Whether a snapshot has what the fitters would lay beside it."""
    beside, fitter = current.beside, fitters.affinities
    drawn = fitters.poster_map is None or beside.poster_map is not None
    found = None if beside.affinities is None else beside.affinities.source
    return drawn and (fitter is None or found == source_of(fitter, learned_from))


def current_snapshot(store: SnapshotStore, check_rows: bool = True) -> Published | None:
    """The current snapshot; None where there is none that can be opened.

    Args:
        store: Where it is.
        check_rows: Read its rows too, which finds damage but costs with their number.
    """
    try:
        if check_rows:
            snapshot = store.open()
            return None if snapshot is None else Published(snapshot.manifest, snapshot.beside)
        manifest = store.manifest()
        return None if manifest is None else Published(manifest, store.beside())
    except SnapshotError:
        return None
