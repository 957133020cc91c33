"""Reindex again whenever poster files come, change or go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from watchfiles import Change, watch

from embeddings.errors import InvalidRequestError
from indexer.catalog import Catalog
from indexer.scan import SUFFIXES
from indexer.types import ReindexReport

_log = logging.getLogger(__name__)

SETTLE_MS = 800
"""Changes that come closer together than this are taken up by one run."""


def watch_posters(
    catalog: Catalog, run: Callable[[], ReindexReport], stop: threading.Event | None = None
) -> Iterator[ReindexReport]:
    """Run once, then again after each change in a directory that posters come from.

    Args:
        catalog: Knows the directories.
        run: One reindexing.
        stop: Ends the watch when set; None watches until Ctrl-C.

    Yields:
        The report of every run.

    Raises:
        InvalidRequestError: The catalog knows no poster directory, or none of them is there.
    """
    directories = poster_directories(catalog)
    if not directories:
        raise InvalidRequestError(
            "There is no directory to watch; run `onesheet import SOURCE --posters DIR` first."
        )
    # The watch begins before the first run, so that no file can slip in between them.
    changes = watch(
        *directories,
        watch_filter=_is_poster,
        debounce=SETTLE_MS,
        rust_timeout=500,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=False,
    )
    next(changes, None)
    yield run()
    for changed in changes:
        if changed:
            _log.info("%d poster files changed", len(changed))
            yield run()


def poster_directories(catalog: Catalog) -> list[Path]:
    """Directories that hold posters and are there now, sorted."""
    files = {Path(file.path).parent for file in catalog.poster_files()}
    own = catalog.home / "posters"
    found = {path for path in files | set(catalog.poster_dirs()) if path.is_dir() and path != own}
    return sorted(found)


def _is_poster(_: Change, path: str) -> bool:
    return Path(path).suffix.lower() in SUFFIXES
