"""Read the index as it is now: the published snapshot and, over it, what the catalog changed since."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from embeddings.errors import CatalogError, SnapshotError
from indexer.catalog import Catalog
from indexer.catalog.records import Active
from indexer.overlay import News, Overlay, empty_overlay, renew_overlay
from indexer.publish import CATALOG_KIND, check_fits, snapshot_in_memory
from indexer.settings import Settings
from indexer.snapshots import Snapshot, SnapshotStore, Stamp, open_store
from indexer.vectors.blocks import widths_of
from indexer.view import IndexView

__all__ = ["IndexReader", "IndexView", "open_reader"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Base:
    """An opened snapshot, and the pointer file it was opened under."""

    stamp: Stamp | None
    snapshot: Snapshot


@dataclass(frozen=True)
class _State:
    """A view and what it was made of."""

    base: _Base
    overlay: Overlay
    view: IndexView


class IndexReader:
    """Hands out views; each is as new as the catalog at the moment it was asked for.

    One reader serves all threads of a process. A newer snapshot is opened by a
    thread of its own, while the old one, with its overlay, goes on answering.
    Where no snapshot can be opened, the catalog itself is read into memory
    and searched exactly: slower, never wrong; ``problem`` says why.

    Args:
        catalog: The truth.
        store: Its snapshots.
        watchers: Called with each new view, e.g. ``Compactor.watch``; must return at once.
    """

    def __init__(
        self, catalog: Catalog, store: SnapshotStore, watchers: Sequence[Callable[[IndexView], object]] = ()
    ) -> None:
        self._catalog = catalog
        self._store = store
        self.watchers = list(watchers)
        self._base: _Base | None = None
        self._state: _State | None = None
        self._opening = threading.Lock()
        self._renewing = threading.Lock()
        self.problem: str | None = None

    def view(self) -> IndexView:
        """The index at the catalog's last committed revision.

        Raises:
            CatalogError: The catalog cannot be read.
        """
        base = self._look_for_newer()
        revision = self._catalog.revision()
        state = self._state
        if state is None or state.base is not base or state.overlay.revision != revision:
            state = self._renew()
            for watch in self.watchers:
                watch(state.view)
        return state.view

    def refresh(self) -> IndexView:
        """Open the current snapshot now, if it is not open, and hand out a view of it."""
        with self._opening:
            self._open()
        return self.view()

    def _look_for_newer(self) -> _Base:
        """The open snapshot; a newer one is opened beside it, the first one at once."""
        base = self._base
        if base is None:
            with self._opening:
                return self._base or self._open()
        if base.stamp != self._store.stamp() and self._opening.acquire(blocking=False):
            threading.Thread(target=self._open_aside, name="open-snapshot", daemon=True).start()
        return base

    def _open_aside(self) -> None:
        """Open what was published; where the catalog or the disk fails, the next question tries again."""
        try:
            self._open()
        except (CatalogError, OSError) as error:
            self.problem = f"the published snapshot could not be opened: {error}"
            _log.warning("going on with the snapshot before: %s", self.problem)
        finally:
            self._opening.release()

    def _open(self) -> _Base:
        """Open the current snapshot; keep what is open where it cannot be. Under ``_opening``."""
        stamp = self._store.stamp()
        if self._base is not None and self._base.stamp == stamp:
            return self._base
        try:
            snapshot = self._store.open(partial(check_fits, self._catalog))
            self.problem = None if snapshot else "nothing was published yet; run `onesheet reindex`"
        except SnapshotError as error:
            snapshot = None
            self.problem = str(error)
        if snapshot is None:
            _log.warning("answering without the published snapshot: %s", self.problem)
            snapshot = self._base.snapshot if self._base else snapshot_in_memory(self._catalog)
        self._base = _Base(stamp, snapshot)
        return self._base

    def _renew(self) -> _State:
        with self._renewing:
            base = self._base or self._look_for_newer()
            try:
                self._state = self._renewed(base)
            except CatalogError:
                # The encoder of the open snapshot may have been replaced and forgotten.
                with self._opening:
                    self._base = None
                    base = self._open()
                self._state = self._renewed(base)
            return self._state

    def _renewed(self, base: _Base) -> _State:
        """The state of ``base`` brought up to the catalog's revision."""
        with self._catalog.consistent_read():
            if _reads_other_models(base.snapshot, self._catalog.active()):
                base = self._base = _Base(base.stamp, snapshot_in_memory(self._catalog))
            manifest, state = base.snapshot.manifest, self._state
            if state is not None and state.base is base:
                overlay = state.overlay
            else:
                overlay = empty_overlay(manifest.revision, manifest.widths)
            overlay = _caught_up(self._catalog, base.snapshot, overlay)
        return _State(base, overlay, IndexView(base.snapshot, overlay))


def _reads_other_models(snapshot: Snapshot, active: Active) -> bool:
    """Whether rows were read into memory under an encoder or taste model that is no longer in use."""
    manifest = snapshot.manifest
    read_under = Active(manifest.fingerprint or None, manifest.taste_model)
    return manifest.kind == CATALOG_KIND and read_under != active


def _caught_up(catalog: Catalog, snapshot: Snapshot, overlay: Overlay) -> Overlay:
    """Add to an overlay what the catalog changed since; inside ``consistent_read()``.

    Raises:
        CatalogError: The catalog no longer knows the snapshot's encoder or taste model.
    """
    manifest, changes = snapshot.manifest, catalog.changes_since(overlay.revision)
    touched = [*changes.changed, *changes.removed]
    if not touched or not manifest.fingerprint:
        return replace(overlay, revision=changes.revision)
    batch = catalog.read_rows(manifest.fingerprint, manifest.taste_model, changes.changed)
    if widths_of(batch.rows) != manifest.widths:
        raise CatalogError(
            f"The catalog has rows of widths {widths_of(batch.rows)} where snapshot {manifest.name} has "
            f"{manifest.widths}; run `onesheet reindex`."
        )
    news = News(changes.revision, batch.rows, batch.facts, touched)
    return renew_overlay(overlay, news, snapshot.facts.movie_ids)


def open_reader(catalog: Catalog, settings: Settings) -> IndexReader:
    """A reader of the index that the settings name.

    Raises:
        InvalidRequestError: The index URL is malformed or of an unknown kind.
    """
    return IndexReader(catalog, open_store(settings))
