"""Files that arrive in a watched directory are taken up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import InvalidRequestError
from indexer.catalog import Catalog, MovieFacts
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.watch import watch_posters


def test_a_file_that_arrives_is_embedded_and_one_that_goes_is_dropped(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    posters_dir: Path,
    draw_poster: Callable[[str], bytes],
) -> None:
    add_movies(["a", "b"])
    catalog.upsert_movies([MovieFacts("later")], "csv")
    stop = threading.Event()
    reports = watch_posters(
        catalog,
        lambda: reindex(catalog, small_encoder, store, options=ReindexOptions(progress=False)),
        stop,
    )
    assert next(reports).embedded == 2
    (posters_dir / "later.png").write_bytes(draw_poster("later"))
    assert next(reports).embedded == 1
    (posters_dir / "a.png").unlink()
    assert next(reports).removed == 1
    stop.set()
    assert list(reports) == []


def test_without_a_directory_to_watch_the_command_says_what_to_do(catalog: Catalog) -> None:
    with pytest.raises(InvalidRequestError, match="onesheet import"):
        next(watch_posters(catalog, lambda: pytest.fail("must not run")))
