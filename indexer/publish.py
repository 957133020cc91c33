"""From the catalog to a snapshot, without touching an image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embeddings.errors import SnapshotError
from indexer.affinities import update_affinities
from indexer.beside import Beside
from indexer.catalog import Catalog
from indexer.catalog.records import RowBatch
from indexer.learning import NO_FITTERS, Fitters
from indexer.manifests import CURE
from indexer.overlay import empty_overlay
from indexer.pairs import random_pairs, spreads
from indexer.poster_map import update_map
from indexer.snapshots import Snapshot, SnapshotStore
from indexer.types import SnapshotManifest
from indexer.vectors.blocks import join, widths_of
from indexer.vectors.exact import ExactIndex

CATALOG_KIND = "catalog"
"""The kind that a manifest names when rows were read from SQL because no snapshot could be."""


def read_catalog(
    catalog: Catalog, fingerprint: str, taste_model: str | None
) -> tuple[RowBatch, SnapshotManifest]:
    """Every row of the catalog, and what a manifest says of them, of one state.

    Args:
        catalog: The truth.
        fingerprint: Encoder of the visual block.
        taste_model: Model of the taste block; None leaves it out.

    Raises:
        CatalogError: The encoder is not known to the catalog.
    """
    with catalog.consistent_read():
        encoder = catalog.encoder_of(fingerprint)
        learned = catalog.find_learned()
        batch = catalog.read_rows(fingerprint, taste_model)
        about = SnapshotManifest(
            name="",
            kind="",
            fingerprint=fingerprint,
            genres=encoder[0].genres if encoder else (),
            widths=widths_of(batch.rows),
            count=len(batch),
            revision=catalog.revision(),
            taste_model=taste_model,
            default_weights=dict(learned.weights) if learned else {},
        )
    return batch, about


def publish_catalog(
    catalog: Catalog,
    store: SnapshotStore,
    fingerprint: str,
    taste_model: str | None,
    default_weights: dict[str, tuple[float, float, float]],
    fitters: Fitters = NO_FITTERS,
) -> SnapshotManifest:
    """Publish the catalog as it is, then make its encoder and taste model the ones in use.

    The map of the snapshot before is carried on, with new posters placed in it, and so are
    affinities; where much is new, or they come from other ratings, ``fitters`` make them anew.

    The caller holds the publish lock. Should the process die between the two
    steps, the snapshot is whole and whoever writes next completes the second.

    Raises:
        CatalogError: The catalog cannot be read.
        OSError: The disk is full or failing; the old snapshot is still the current one.
    """
    batch, about = read_catalog(catalog, fingerprint, taste_model)
    before, learned = store.beside(), catalog.find_learned()
    beside = Beside(
        update_map(batch.rows, fingerprint, before.poster_map, fitters.poster_map),
        update_affinities(
            before.affinities,
            fitters.affinities,
            learned.source if learned else "",
            catalog.ratings,
            batch.rows.movie_ids,
        ),
    )
    about = replace(about, default_weights=default_weights)
    manifest = store.publish(batch.rows, batch.facts, about, beside)
    catalog.activate(manifest.fingerprint, manifest.taste_model)
    return manifest


def check_fits(catalog: Catalog, manifest: SnapshotManifest) -> None:
    """Refuse a snapshot that was not made from this catalog, or from a later state of it.

    Raises:
        SnapshotError: The catalog does not know its encoder, or is older than it.
        CatalogError: The catalog cannot be read.
    """
    revision = catalog.revision()
    if catalog.encoder_of(manifest.fingerprint) is None:
        raise SnapshotError(
            f"The catalog does not know encoder {manifest.fingerprint[:12]} of {manifest.name}; {CURE}."
        )
    if manifest.revision > revision:
        raise SnapshotError(
            f"{manifest.name} stands for revision {manifest.revision}, the catalog is at {revision}; {CURE}."
        )


def snapshot_in_memory(catalog: Catalog) -> Snapshot:
    """Read the whole catalog as a snapshot that lies in memory: exact, and as new as can be."""
    with catalog.consistent_read():
        active = catalog.active()
        if active.fingerprint is None:
            return _empty_snapshot(catalog.revision())
        batch, about = read_catalog(catalog, active.fingerprint, active.taste_model)
    pairs = random_pairs(batch.rows, np.random.default_rng(about.revision))
    manifest = replace(
        about, name=f"r{about.revision}-{CATALOG_KIND}", kind=CATALOG_KIND, spreads=spreads(pairs)
    )
    return Snapshot(manifest, ExactIndex.build(join(batch.rows), about.widths), batch.facts, pairs)


def _empty_snapshot(revision: int) -> Snapshot:
    """What a catalog without a single embedding is searched as: nothing."""
    manifest = SnapshotManifest("r0-empty", CATALOG_KIND, "", (), (0, 0, 0), revision=revision)
    nothing = empty_overlay(revision, manifest.widths)
    index = ExactIndex.build(np.empty((0, 0), dtype=np.float32), manifest.widths)
    return Snapshot(manifest, index, nothing.facts, np.empty((0, 3), dtype=np.float32))
