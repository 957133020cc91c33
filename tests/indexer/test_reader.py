"""A view over snapshot and overlay answers as one exact index over the catalog would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import event

from embeddings.encoded import EncodedPosters
from embeddings.errors import InvalidRequestError, NotFoundError
from indexer.catalog import Catalog, MovieFacts
from indexer.ingest import put_movie, remove_movie
from indexer.publish import snapshot_in_memory
from indexer.reader import IndexReader, IndexView
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.vectors.blocks import join

QUIET = ReindexOptions(progress=False)
IDS = [f"tt{i:07d}" for i in range(60)]


@pytest.fixture
def reader(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> IndexReader:
    """A reader of 60 published movies, of which a third has known genres."""
    add_movies(IDS[:20], ("Comedy", "Horror"))
    add_movies(IDS[20:])
    reindex(catalog, small_encoder, store, options=QUIET)
    return IndexReader(catalog, store)


def put_new(catalog: Catalog, small_encoder: Any, movie_ids: list[str], draw: Callable[[str], bytes]) -> None:
    """Many movies at once, as a bulk import does: no call per movie."""
    from embeddings.encoded import Poster

    catalog.upsert_movies([MovieFacts(one, year=2020) for one in movie_ids], "csv")
    encoded: EncodedPosters = small_encoder.encode([Poster(one, draw(one)) for one in movie_ids])
    hashes = ["0" * 64 for _ in movie_ids]
    catalog.save_embeddings(
        encoded, small_encoder.fingerprint, small_encoder.choose(encoded.genre_probs), hashes
    )


def expected_answer(catalog: Catalog, query: NDArray[np.float32], k: int, left_out: set[str]) -> list[str]:
    snapshot = snapshot_in_memory(catalog)
    ids = [one.decode() for one in snapshot.facts.movie_ids.tolist()]
    rows = snapshot.index.read_rows(np.arange(len(ids), dtype=np.int64)).astype(np.float64)
    scores = (rows @ query.astype(np.float64)).astype(np.float32)
    order = sorted(
        (-score, one) for score, one in zip(scores.tolist(), ids, strict=True) if one not in left_out
    )
    return [one for _, one in order[:k]]


def query_of(view: IndexView, movie_id: str, weights: tuple[float, float, float]) -> NDArray[np.float32]:
    rows = view.find_rows([movie_id])
    return join(rows)[0] * np.repeat(np.float32(weights), view.manifest.widths)


@pytest.mark.parametrize("n_new", [0, 3, 40])
@pytest.mark.parametrize("n_removed", [0, 2, 50])
def test_snapshot_and_overlay_answer_as_the_whole_catalog_would(
    reader: IndexReader,
    catalog: Catalog,
    small_encoder: Any,
    draw_poster: Callable[[str], bytes],
    n_new: int,
    n_removed: int,
) -> None:
    reader.view()
    put_new(catalog, small_encoder, [f"new{i}" for i in range(n_new)] + IDS[55:57], draw_poster)
    catalog.remove_movies(IDS[5 : 5 + n_removed])
    view = reader.view()
    assert view.manifest.kind == "exact"
    for weights in [(1, 0, 0), (0, 1, 0), (0.5, 0.5, 0), (0.9, 0.1, 0)]:
        for own in (IDS[0], IDS[55], IDS[58]):
            query = query_of(view, own, weights)
            for k in (1, 7, 200):
                found = view.search(query, k, exclude=[own, "unknown"])
                assert list(found.movie_ids) == expected_answer(catalog, query, k, {own})


def test_filters_see_the_facts_of_snapshot_and_overlay(
    reader: IndexReader, catalog: Catalog, small_encoder: Any, draw_poster: Callable[[str], bytes]
) -> None:
    put_new(catalog, small_encoder, ["new1", "new2"], draw_poster)
    catalog.remove_movies([IDS[30]])
    view = reader.view()
    assert view.facts.live.sum() == len(view) - 1 == 61
    young = view.facts.years == 2020
    found = view.search(query_of(view, IDS[0], (1, 0, 0)), 100, allowed=young)
    assert set(found.movie_ids) == {"new1", "new2"}
    rows = view.row_numbers(["new1", IDS[3], IDS[30]])
    assert rows[2] == -1
    found = view.search(query_of(view, IDS[0], (1, 0, 0)), 100, allowed=rows[:2])
    assert set(found.movie_ids) == {"new1", IDS[3]}
    comedies = (view.facts.genre_bits & np.uint64(1)) > 0
    assert set(IDS[:20]) <= {view.facts.movie_ids[i].decode() for i in np.flatnonzero(comedies)}


def test_a_score_below_the_least_is_not_answered(reader: IndexReader) -> None:
    view = reader.view()
    query = query_of(view, IDS[0], (1, 0, 0))
    every = view.search(query, 60)
    least = float(every.scores[9])
    assert view.search(query, 60, min_score=least).movie_ids == every.movie_ids[:10]


def test_an_unknown_movie_is_named(reader: IndexReader) -> None:
    with pytest.raises(NotFoundError, match="'tt404'"):
        reader.view().find_rows([IDS[0], "tt404", "tt405"])
    assert reader.view().row_numbers(["", "\0", "x" * 500, "é", "\ud800"]).tolist() == [-1] * 5


@pytest.mark.parametrize(
    ("k", "allowed", "message"),
    [
        (0, None, "k is 0"),
        (3, np.ones(5, dtype=np.bool_), "has shape"),
        (3, np.array([60]), "Allowed rows"),
    ],
)
def test_a_wrong_question_is_one_sentence(reader: IndexReader, k: int, allowed: Any, message: str) -> None:
    view = reader.view()
    with pytest.raises(InvalidRequestError, match=message):
        view.search(query_of(view, IDS[0], (1, 0, 0)), k, allowed)


def test_a_view_is_handed_out_again_until_something_changes(reader: IndexReader, catalog: Catalog) -> None:
    first = reader.view()
    assert reader.view() is first
    catalog.upsert_movies([MovieFacts(IDS[0], year=1901)], "edit")
    second = reader.view()
    assert (second.revision, second.facts.years[-1]) == (catalog.revision(), 1901)
    assert first.facts.years[0] == 1990


def test_a_catalog_that_fails_while_a_newer_snapshot_is_opened_is_asked_again(
    reader: IndexReader, catalog: Catalog, store: SnapshotStore, small_encoder: Any, draw_poster: Any
) -> None:
    first = reader.view().manifest.name
    put_movie(catalog, store, lambda: small_encoder, MovieFacts("fresh"), draw_poster("fresh"))
    newer = reindex(catalog, small_encoder, store, options=QUIET).snapshot

    def fail(*_: object) -> None:
        if threading.current_thread().name == "open-snapshot":
            raise catalog.engine.dialect.loaded_dbapi.OperationalError("disk I/O error")

    event.listen(catalog.engine, "do_execute", fail)
    reader.view()
    await_opening()
    assert "could not be opened" in (reader.problem or "")
    assert reader.view().manifest.name == first
    assert reader.view().row_numbers(["fresh"])[0] >= 0
    await_opening()
    event.remove(catalog.engine, "do_execute", fail)
    reader.view()
    await_opening()
    assert (reader.view().manifest.name, reader.problem) == (newer, None)


def await_opening() -> None:
    """Wait for the thread that opens a newer snapshot, if there is one."""
    for thread in [one for one in threading.enumerate() if one.name == "open-snapshot"]:
        thread.join()


def test_a_home_without_an_index_has_an_empty_view(catalog: Catalog, store: SnapshotStore) -> None:
    reader = IndexReader(catalog, store)
    assert (len(reader.view()), len(reader.view().facts)) == (0, 0)
    with pytest.raises(NotFoundError, match="onesheet reindex"):
        reader.view().find_rows(["tt1"])


def test_the_first_movie_of_an_empty_home_is_found_at_once(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, draw_poster: Callable[[str], bytes]
) -> None:
    reader = IndexReader(catalog, store)
    reader.view()
    for name in ("one", "two"):
        put_movie(catalog, store, lambda: small_encoder, MovieFacts(name), draw_poster(name))
    view = reader.view()
    assert set(view.search(query_of(view, "one", (1, 0, 0)), 5).movie_ids) == {"one", "two"}


def test_threads_that_read_while_movies_come_and_go_meet_no_error(
    reader: IndexReader,
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    draw_poster: Callable[[str], bytes],
) -> None:
    stop, failures = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            try:
                view = reader.view()
                found = view.search(query_of(view, IDS[0], (0.7, 0.3, 0)), 5)
                assert len(found) == 5
            except BaseException as error:
                failures.append(error)
                raise

    readers = [threading.Thread(target=read) for _ in range(3)]
    for thread in readers:
        thread.start()
    for i in range(6):
        put_movie(catalog, store, lambda: small_encoder, MovieFacts(f"n{i}"), draw_poster(f"n{i}"))
        if i % 2:
            remove_movie(catalog, f"n{i}")
        if i % 3 == 2:
            reindex(catalog, small_encoder, store, options=QUIET)
    stop.set()
    for thread in readers:
        thread.join()
    assert failures == []
