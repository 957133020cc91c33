"""Several processes and threads write one home: one at a time, nothing lost, readers none the wiser."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from embeddings.errors import SnapshotError
from indexer.catalog import Catalog, MovieFacts, open_catalog
from indexer.ingest import put_movie, remove_movie
from indexer.locks import publishing
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import Settings
from indexer.snapshots import SnapshotStore, open_store
from indexer.vectors.blocks import join
from indexer.verify import verify

pytestmark = pytest.mark.parametrize(
    "settings", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
QUIET = ReindexOptions(progress=False, batch_size=4)
IDS = [f"tt{i:07d}" for i in range(16)]
HOLD = """
import sys, time
from pathlib import Path
from indexer.locks import publishing
with publishing(Path(sys.argv[1]), 0):
    print("holding", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(store: SnapshotStore) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the publish lock."""
    command = [sys.executable, "-c", HOLD, str(store.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "holding\n"
            yield process
        finally:
            process.kill()


def between_batches(encoder: Any, does: Callable[[], None]) -> None:
    """Have something done once, after the first batch of an encoder."""
    batches, left = encoder.encode_batches, [does]

    def watched(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for batch in batches(*args, **kwargs):
            yield batch
            if left:
                left.pop()()

    encoder.encode_batches = watched


def nearest(reader: IndexReader, movie_id: str) -> str:
    view = reader.view()
    row = join(view.find_rows([movie_id]))[0]
    return view.search(row, 1, exclude=[movie_id]).movie_ids[0]


def test_a_second_reindex_says_who_is_at_work_or_waits_its_turn(
    settings: Settings,
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    make_encoder: Any,
    add_movies: Any,
) -> None:
    add_movies(IDS)
    other_catalog, other_store = open_catalog(settings), open_store(settings)
    refused: list[str] = []
    waited: list[Any] = []
    waiting = ReindexOptions(progress=False, wait_seconds=60)
    second = threading.Thread(
        target=lambda: waited.append(reindex(other_catalog, make_encoder(), other_store, options=waiting))
    )

    def meanwhile() -> None:
        with pytest.raises(SnapshotError, match=r"written by process \d+") as caught:
            reindex(other_catalog, make_encoder(), other_store, options=QUIET)
        refused.append(str(caught.value))
        second.start()

    between_batches(small_encoder, meanwhile)
    first = reindex(catalog, small_encoder, store, options=QUIET)
    second.join(60)
    other_catalog.close()
    assert len(refused) == 1
    assert (first.embedded, waited[0].embedded, waited[0].unchanged) == (16, 0, 16)
    assert waited[0].snapshot == first.snapshot
    assert verify(catalog, store).ok


def test_the_lock_of_a_process_that_was_killed_holds_nobody_up(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Any
) -> None:
    add_movies(IDS)
    with holder(store) as process:
        with pytest.raises(SnapshotError, match=f"written by process {process.pid} "):
            reindex(catalog, small_encoder, store, options=QUIET)
        process.kill()
        process.wait()
        assert reindex(catalog, small_encoder, store, options=QUIET).embedded == 16
    with publishing(store.root, 0):
        pass


@pytest.mark.parametrize("other_encoder", [False, True])
def test_a_movie_put_in_during_a_reindex_is_found_at_once_and_stays(
    settings: Settings,
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    make_encoder: Any,
    add_movies: Any,
    draw_poster: Callable[[str], bytes],
    other_encoder: bool,
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    web = open_catalog(settings)
    reader = IndexReader(web, store)
    newer = make_encoder("b" * 64) if other_encoder else make_encoder()
    seen: list[str] = []

    def meanwhile() -> None:
        put_movie(web, store, lambda: small_encoder, MovieFacts("twin"), draw_poster(IDS[3]))
        seen.append(nearest(reader, IDS[3]))
        remove_movie(web, IDS[5])
        seen.append(str(reader.view().row_numbers([IDS[5]])[0]))

    between_batches(newer, meanwhile)
    options = ReindexOptions(progress=False, batch_size=4, every=True)
    report = reindex(catalog, newer, store, options=options)
    assert seen == ["twin", "-1"]
    assert report.failed == ()
    view = reader.refresh()
    assert view.manifest.fingerprint == newer.fingerprint
    assert nearest(reader, IDS[3]) == "twin"
    assert view.row_numbers([IDS[5]]).tolist() == [-1]
    assert verify(catalog, store).ok
    web.close()


def test_a_new_encoder_takes_over_in_one_switch_under_a_reader_that_never_stops_asking(
    settings: Settings,
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    make_encoder: Any,
    add_movies: Any,
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    web = open_catalog(settings)
    reader, stop = IndexReader(web, store), threading.Event()
    seen_by: tuple[list[tuple[str, int, int]], ...] = ([], [])
    errors: list[BaseException] = []

    def ask(seen: list[tuple[str, int, int]]) -> None:
        while not stop.is_set():
            try:
                view = reader.view()
                found = view.search(join(view.find_rows([IDS[0]]))[0], 5)
                seen.append((view.manifest.fingerprint, len(view), len(found)))
            except BaseException as error:
                errors.append(error)
                raise
            time.sleep(0.001)

    asking = [threading.Thread(target=ask, args=(seen,)) for seen in seen_by]
    for thread in asking:
        thread.start()
    newer = make_encoder("b" * 64)
    report = reindex(catalog, newer, store, options=QUIET)
    give_up = time.monotonic() + 30
    while not all(seen and seen[-1][0] == "b" * 64 for seen in seen_by) and time.monotonic() < give_up:
        time.sleep(0.01)
    stop.set()
    for thread in [*asking, *(one for one in threading.enumerate() if one.name == "open-snapshot")]:
        thread.join()
    web.close()
    assert errors == []
    assert report.embedded == 16
    for seen in seen_by:
        assert {(rows, found) for _, rows, found in seen} == {(16, 5)}
        fingerprints = [fingerprint for fingerprint, _, _ in seen]
        assert sorted(fingerprints) == fingerprints  # only the old one, then only the new one
        assert set(fingerprints) == {"a" * 64, "b" * 64}
    assert catalog.encoder_of("a" * 64) is None
