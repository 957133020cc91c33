"""Bring the index up to date with the catalog and the poster files: one readable loop."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from indexer.artwork_table import ARTWORK_FILE
from indexer.catalog import Catalog, PosterFile
from indexer.catalog.learned import Learned
from indexer.duplicates import group_artwork
from indexer.growth import Published, current_snapshot, has_beside, stays_in_overlay
from indexer.ingest import predict_taste
from indexer.learning import Fitters, learn
from indexer.locks import publishing
from indexer.publish import publish_catalog
from indexer.scan import scan_posters
from indexer.snapshots import SnapshotStore
from indexer.types import PosterEncoder, ReindexReport, SnapshotManifest

# A file larger than any poster may be is handed on by its path, to be refused there by its size.
_READ_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class ReindexOptions:
    """How one run works.

    Args:
        every: Embed every poster again, whatever was done before.
        batch_size: Posters per pass of the encoder; progress is saved after each.
        workers: Decoding threads; None is one per core.
        wait_seconds: How long to wait for another process that is writing the index.
        progress: Show a progress bar on stderr, where that is a terminal.
        publish: Write a snapshot of a large catalog however little has changed.
        unread_only: Look at no poster file but those that were named to the catalog and never read, and
            take the snapshot for sound: the work is that of the new posters, however many there are.
    """

    every: bool = False
    batch_size: int = 64
    workers: int | None = None
    wait_seconds: float = 0.0
    progress: bool = True
    publish: bool = False
    unread_only: bool = False


def reindex(
    catalog: Catalog,
    encoder: PosterEncoder,
    store: SnapshotStore,
    fitters: Fitters | None = None,
    options: ReindexOptions | None = None,
) -> ReindexReport:
    """Embed new and changed posters, drop vanished ones, refresh taste, publish a snapshot.

    Everything is saved as it is made, so a run that was stopped at any moment
    is taken up by the next one. A snapshot under the old encoder goes on
    answering until the new one is published. Of a large catalog in which
    little has changed no snapshot is written: readers have the changes in
    their overlay, and the work is that of the new posters alone.

    Args:
        catalog: The truth.
        encoder: Makes vectors of posters.
        store: Where snapshots are published.
        fitters: What learns from ratings.
        options: How the run works.

    Raises:
        SnapshotError: Another process is writing the index; the message names it.
        CatalogError: The catalog cannot be read or written.
        OSError: The disk is full or failing; the old snapshot is still the current one.
    """
    options, fitters = options or ReindexOptions(), fitters or Fitters()
    with publishing(store.root, options.wait_seconds):
        catalog.add_encoder(encoder.fingerprint, encoder.genres, encoder.embedding_dim)
        scan = scan_posters(catalog, options.unread_only)
        since, begun = catalog.embedded_up_to(encoder.fingerprint), catalog.revision()
        done = _embed(catalog, encoder, options, since)
        group_artwork(catalog, store.root / ARTWORK_FILE, encoder.fingerprint)
        current = current_snapshot(store, check_rows=not options.unread_only)
        if (
            current
            and not options.publish
            and stays_in_overlay(catalog, current, encoder.fingerprint, fitters)
        ):
            manifest, seen = current.manifest, _place_new(catalog, since)
        else:
            learned = learn(catalog, encoder.fingerprint, fitters)
            manifest = _publish(catalog, store, current, encoder.fingerprint, learned, fitters)
            seen = manifest.revision
        # Posters that were put in meanwhile, by a process with another encoder: the overlay has them.
        done += _embed(catalog, encoder, replace(options, every=False), begun)
        catalog.save_embedded_up_to(encoder.fingerprint, seen)
        catalog.forget_inactive()
    unchanged, unreadable = _left(catalog, encoder.fingerprint, options, scan.n_read, done)
    return ReindexReport(
        embedded=done.embedded,
        unchanged=unchanged,
        removed=scan.removed,
        failed=(*unreadable, *scan.unreachable, *done.vanished.values()),
        posters_per_second=round(done.embedded / done.seconds, 2) if done.embedded else 0.0,
        snapshot=manifest.name,
    )


@dataclass(frozen=True)
class _Done:
    """How many posters were embedded, in what time, and which were not.

    Args:
        embedded: How many.
        seconds: What it took.
        unreadable: Posters that are no readable picture.
        vanished: Posters that went away meanwhile, by movie.
    """

    embedded: int
    seconds: float
    unreadable: tuple[UnreadablePoster, ...]
    vanished: dict[str, UnreadablePoster]

    def __add__(self, other: _Done) -> _Done:
        return _Done(
            self.embedded + other.embedded,
            self.seconds + other.seconds,
            self.unreadable + other.unreadable,
            self.vanished | other.vanished,
        )


def _left(
    catalog: Catalog, fingerprint: str, options: ReindexOptions, n_read: int, done: _Done
) -> tuple[int, tuple[UnreadablePoster, ...]]:
    """How many posters stayed as they were, and which cannot be read."""
    if options.unread_only:  # of a large catalog neither is counted: both take a look at every row
        unchanged = n_read - done.embedded - len(done.unreadable) - len(done.vanished)
        return max(unchanged, 0), done.unreadable
    return catalog.n_embeddings(fingerprint) - done.embedded, tuple(_unreadable(catalog))


def _embed(catalog: Catalog, encoder: PosterEncoder, options: ReindexOptions, since: int) -> _Done:
    """Encode what changed since a revision and this encoder has not seen, and save it batch by batch."""
    files = catalog.posters_to_embed(encoder.fingerprint, since, again=options.every)
    hashes: dict[str, str] = {}
    vanished: dict[str, UnreadablePoster] = {}
    unreadable: list[UnreadablePoster] = []
    started, embedded = time.perf_counter(), 0
    bar = tqdm(total=len(files), unit="poster", disable=None if options.progress and files else True)
    with bar:
        posters = _read(files, hashes, vanished)
        for encoded in encoder.encode_batches(posters, options.batch_size, options.workers):
            _save(catalog, encoder, encoded, hashes)
            embedded += len(encoded)
            unreadable += encoded.failed
            bar.update(len(encoded) + len(encoded.failed))
    return _Done(embedded, time.perf_counter() - started, tuple(unreadable), vanished)


def _read(
    files: Iterable[PosterFile], hashes: dict[str, str], vanished: dict[str, UnreadablePoster]
) -> Iterator[Poster]:
    """Read posters as they are needed, and note the hash of the very bytes that are encoded."""
    for file in files:
        path = Path(file.path)
        try:
            if path.stat().st_size > _READ_BYTES:
                hashes[file.movie_id] = file.sha256 or ""
                yield Poster(file.movie_id, path)
                continue
            data = path.read_bytes()
        except OSError as error:
            why = f"{file.path}: it cannot be read: {error.strerror}."
            vanished[file.movie_id] = UnreadablePoster(file.movie_id, file.path, why)
            continue
        hashes[file.movie_id] = hashlib.sha256(data).hexdigest()
        yield Poster(file.movie_id, data)


def _save(catalog: Catalog, encoder: PosterEncoder, encoded: EncodedPosters, hashes: dict[str, str]) -> None:
    with catalog.transaction():
        catalog.save_embeddings(
            encoded,
            encoder.fingerprint,
            encoder.choose(encoded.genre_probs),
            [hashes.pop(movie_id) for movie_id in encoded.movie_ids],
        )
        catalog.save_unreadable(encoded.failed)


def _unreadable(catalog: Catalog) -> Iterator[UnreadablePoster]:
    for file in catalog.unreadable_posters():
        yield UnreadablePoster(file.movie_id, file.path, file.error or "")


def _place_new(catalog: Catalog, since: int) -> int:
    """Place by taste what is new since a revision; the revision up to which that was done."""
    changes = catalog.changes_since(since)
    predict_taste(catalog, changes.changed)
    return changes.revision


def _publish(
    catalog: Catalog,
    store: SnapshotStore,
    current: Published | None,
    fingerprint: str,
    learned: Learned,
    fitters: Fitters,
) -> SnapshotManifest:
    """Publish, unless the current snapshot is sound and already says all of it."""
    if (
        current is not None
        and has_beside(current, learned.source, fitters)
        and _says_all(current.manifest, catalog, fingerprint, learned)
    ):
        catalog.activate(fingerprint, learned.taste_model)
        return current.manifest
    return publish_catalog(catalog, store, fingerprint, learned.taste_model, learned.weights, fitters)


def _says_all(manifest: SnapshotManifest, catalog: Catalog, fingerprint: str, learned: Learned) -> bool:
    same = (manifest.fingerprint, manifest.taste_model) == (fingerprint, learned.taste_model)
    changes = catalog.changes_since(manifest.revision)
    return same and manifest.default_weights == learned.weights and not (changes.changed or changes.removed)
