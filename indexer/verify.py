"""Compare the published snapshot with the catalog, row by row; rebuild it where they disagree."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.catalog import Catalog, RowBatch
from indexer.columns import find_sorted
from indexer.locks import publishing
from indexer.publish import check_fits, publish_catalog
from indexer.snapshots import Snapshot, SnapshotStore
from indexer.types import SnapshotManifest
from indexer.vectors.blocks import join

_NAMED = 5
_COLUMNS = ("years", "genre_bits", "artwork_groups", "known")


@dataclass(frozen=True)
class Verification:
    """What ``verify`` found.

    Args:
        ok: Whether catalog and snapshot agree.
        snapshot: Name of the current snapshot; None where there is none that can be opened.
        kind: Its kind.
        rows: Its rows.
        movies: Movies of the catalog that have a row.
        newer: Movies that changed since the snapshot; readers take them from the catalog.
        revision: Catalog revision that was compared.
        problems: What disagrees, one sentence each.
        notes: What is unfinished but harmless.
        repaired: Whether a new snapshot was published.
    """

    ok: bool
    snapshot: str | None
    kind: str | None
    rows: int
    movies: int
    newer: int
    revision: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    repaired: bool = False

    def as_json(self) -> dict[str, Any]:
        """The document that ``onesheet verify --json`` prints."""
        return asdict(self)


def verify(catalog: Catalog, store: SnapshotStore) -> Verification:
    """Check digests, counts, and every row that did not change since the snapshot.

    Raises:
        CatalogError: The catalog cannot be read.
    """
    try:
        snapshot = store.open(partial(check_fits, catalog))
    except SnapshotError as error:
        return _without_snapshot(catalog, str(error))
    if snapshot is None:
        if catalog.active().fingerprint is None:
            return replace(_without_snapshot(catalog, ""), ok=True, problems=(), notes=(_NOTHING_YET,))
        return _without_snapshot(catalog, "No snapshot is published; run `onesheet verify --repair`.")
    return _compare(catalog, snapshot)


def repair(catalog: Catalog, store: SnapshotStore, wait_seconds: float = 60.0) -> Verification:
    """Verify; where something disagrees, publish the catalog anew, without touching an image.

    Raises:
        SnapshotError: Another process is writing the index, or no poster was ever embedded.
        CatalogError: The catalog cannot be read.
        OSError: The disk is full or failing.
    """
    with publishing(store.root, wait_seconds):
        found = verify(catalog, store)
        if found.ok and not found.notes:
            return found
        manifest = _readable_manifest(store)
        active = catalog.active()
        fingerprint = active.fingerprint or (manifest.fingerprint if manifest else None)
        if found.ok and manifest is not None:
            catalog.activate(manifest.fingerprint, manifest.taste_model)
            return replace(verify(catalog, store), repaired=True)
        if fingerprint is None or catalog.encoder_of(fingerprint) is None:
            if found.ok:
                return found
            raise SnapshotError(
                "The catalog has no embedding to rebuild the index from; run `onesheet reindex`."
            )
        learned = catalog.find_learned()
        weights = dict(learned.weights) if learned else dict(manifest.default_weights) if manifest else {}
        publish_catalog(catalog, store, fingerprint, active.taste_model, weights)
        return replace(verify(catalog, store), repaired=True)


_NOTHING_YET = "Nothing was indexed yet; run `onesheet reindex`."


def _compare(catalog: Catalog, snapshot: Snapshot) -> Verification:
    manifest = snapshot.manifest
    problems: list[str] = []
    with catalog.consistent_read():
        revision, active = catalog.revision(), catalog.active()
        changes = catalog.changes_since(manifest.revision)
        newer = {*changes.changed, *changes.removed}
        movies = 0
        seen = np.zeros(len(snapshot.facts), dtype=np.bool_)
        for batch in catalog.iter_rows(manifest.fingerprint, manifest.taste_model):
            movies += len(batch)
            problems += _differences(snapshot, batch, newer, seen)
        problems += _unknown_rows(snapshot, newer, seen)
    notes: tuple[str, ...] = ()
    if not problems and (active.fingerprint, active.taste_model) != (
        manifest.fingerprint,
        manifest.taste_model or active.taste_model,
    ):
        notes = ("The publisher of this snapshot died before its last step; the next write completes it.",)
    return Verification(
        ok=not problems,
        snapshot=manifest.name,
        kind=manifest.kind,
        rows=manifest.count,
        movies=movies,
        newer=len(newer),
        revision=revision,
        problems=tuple(problems),
        notes=notes,
    )


def _differences(snapshot: Snapshot, batch: RowBatch, newer: set[str], seen: NDArray[np.bool_]) -> list[str]:
    """Compare the rows of a batch that did not change since the snapshot; mark them in ``seen``."""
    old = np.array([i for i, one in enumerate(batch.rows.movie_ids) if one not in newer], dtype=np.int64)
    rows, facts = batch.rows.take(old), batch.facts.take(old)
    at = find_sorted(snapshot.facts.movie_ids, rows.movie_ids)
    problems = _named("missing from the snapshot", [rows.movie_ids[i] for i in np.flatnonzero(at < 0)])
    there = np.flatnonzero(at >= 0)
    at = at[there]
    seen[at] = True
    rows, facts = rows.take(there), facts.take(there)
    if not len(rows):
        return problems
    joined = join(rows)
    if joined.shape[1] != snapshot.manifest.dim:
        return [f"Rows of the catalog are {joined.shape[1]} wide, of the snapshot {snapshot.manifest.dim}."]
    wrong = np.abs(snapshot.index.read_rows(at) - joined).max(axis=1) > snapshot.index.row_error
    problems += _named("stored with other vectors", [rows.movie_ids[i] for i in np.flatnonzero(wrong)])
    stored = snapshot.facts.take(at)
    for column in _COLUMNS:
        differ = np.flatnonzero(getattr(stored, column) != getattr(facts, column))
        problems += _named(f"stored with other {column}", [rows.movie_ids[i] for i in differ])
    return problems


def _unknown_rows(snapshot: Snapshot, newer: set[str], seen: NDArray[np.bool_]) -> list[str]:
    ids = [one.decode() for one in snapshot.facts.movie_ids[~seen].tolist()]
    return _named("in the snapshot and not in the catalog", [one for one in ids if one not in newer])


def _named(what: str, movie_ids: list[str]) -> list[str]:
    if not movie_ids:
        return []
    more = f" and {len(movie_ids) - _NAMED} more" if len(movie_ids) > _NAMED else ""
    return [f"{len(movie_ids)} movies are {what}: {', '.join(movie_ids[:_NAMED])}{more}."]


def _without_snapshot(catalog: Catalog, problem: str) -> Verification:
    return Verification(False, None, None, 0, 0, 0, catalog.revision(), (problem,))


def _readable_manifest(store: SnapshotStore) -> SnapshotManifest | None:
    try:
        return store.manifest()
    except SnapshotError:
        return None
