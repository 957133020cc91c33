"""Fold the overlay into a new snapshot, in a process of its own, while readers go on answering.

A process and not a thread: reading a million rows would hold the interpreter
of the web server, and give its memory back to nobody.
"""

from __future__ import annotations

import os
import subprocess
import sys

from embeddings.errors import OnesheetError, SnapshotError
from indexer.catalog import Catalog, open_catalog
from indexer.growth import outgrows
from indexer.locks import publishing
from indexer.publish import publish_catalog
from indexer.settings import Settings, load_settings
from indexer.snapshots import SnapshotStore, open_store
from indexer.types import SnapshotManifest
from indexer.view import IndexView


def needs_compaction(view: IndexView) -> bool:
    """Whether so much changed since the snapshot that it is folded in."""
    return outgrows(view.overlay_size, view.manifest.count)


def compact(catalog: Catalog, store: SnapshotStore) -> SnapshotManifest | None:
    """Publish the catalog as it is, under the encoder and weights of the current snapshot.

    Returns:
        The new manifest; None where nothing was published yet.

    Raises:
        SnapshotError: Another process is writing the index, or the current snapshot is damaged.
        CatalogError: The catalog cannot be read.
        OSError: The disk is full or failing; the old snapshot is still the current one.
    """
    with publishing(store.root, wait_seconds=0):
        current = store.manifest()
        if current is None:
            return None
        return publish_catalog(
            catalog, store, current.fingerprint, current.taste_model, current.default_weights
        )


class Compactor:
    """Starts compactions of one home, one at a time.

    Args:
        settings: The home.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: subprocess.Popen[bytes] | None = None

    def watch(self, view: IndexView) -> bool:
        """Start a compaction where the view needs one and none is running; says whether it did."""
        if not needs_compaction(view) or self.is_running():
            return False
        environment = os.environ | {
            "ONESHEET_HOME": str(self._settings.home),
            "ONESHEET_DATABASE_URL": self._settings.database_url,
            "ONESHEET_INDEX_URL": self._settings.index_url,
        }
        command = [sys.executable, "-m", "indexer.compact"]
        self._child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        return True

    def is_running(self) -> bool:
        """Whether a compaction that this one started is at work."""
        return self._child is not None and self._child.poll() is None

    def wait(self) -> int:
        """Wait for a compaction that was started; its exit status, 0 where none was."""
        return self._child.wait() if self._child else 0


def main() -> int:
    """Compact the home that the environment names; another one at work is not an error."""
    os.nice(10)
    settings = load_settings()
    try:
        compact(open_catalog(settings, create=False), open_store(settings))
    except SnapshotError as error:
        sys.stderr.write(f"onesheet: not compacted: {error}\n")
    except OnesheetError as error:
        sys.stderr.write(f"onesheet: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
