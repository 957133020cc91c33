"""Revisions: what an index follows, under several writers at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from indexer.catalog import Catalog, Changes, MovieFacts, open_catalog
from indexer.settings import Settings


def test_an_empty_catalog_has_changed_nothing(catalog: Catalog) -> None:
    assert catalog.changes_since(0) == Changes(0, (), ())


def test_changes_are_those_after_the_revision(catalog: Catalog) -> None:
    catalog.upsert_movies([MovieFacts("tt1"), MovieFacts("tt2")], "csv")
    catalog.upsert_movies([MovieFacts("tt2", "Two")], "csv")
    catalog.remove_movies(["tt1"])
    assert catalog.changes_since(0) == Changes(3, ("tt2",), ("tt1",))
    assert catalog.changes_since(1) == Changes(3, ("tt2",), ("tt1",))
    assert catalog.changes_since(2) == Changes(3, (), ("tt1",))
    assert catalog.changes_since(3) == Changes(3, (), ())


def test_a_movie_that_came_back_is_changed_and_not_removed(catalog: Catalog) -> None:
    catalog.upsert_movies([MovieFacts("tt1")], "csv")
    catalog.remove_movies(["tt1"])
    catalog.upsert_movies([MovieFacts("tt1")], "csv")
    assert catalog.changes_since(1) == Changes(3, ("tt1",), ())


def test_what_was_taken_out_is_remembered_until_it_comes_back(catalog: Catalog) -> None:
    catalog.upsert_movies([MovieFacts("tt1"), MovieFacts("tt2")], "csv")
    catalog.remove_movies(["tt1", "tt2"])
    catalog.upsert_movies([MovieFacts("tt2")], "csv")
    assert catalog.removed_ids(["tt1", "tt2", "tt3"]) == {"tt1"}


def test_what_is_read_inside_one_consistent_read_is_of_one_state(settings: Settings) -> None:
    reader, writer = open_catalog(settings), open_catalog(settings)
    writer.upsert_movies([MovieFacts("tt1")], "csv")
    with reader.consistent_read():
        assert reader.revision() == 1
        writer.upsert_movies([MovieFacts("tt2")], "csv")
        assert reader.revision() == 1
        assert reader.changes_since(0) == Changes(1, ("tt1",), ())
    assert reader.changes_since(0) == Changes(2, ("tt1", "tt2"), ())
    reader.close()
    writer.close()


def test_writers_queue_and_readers_never_see_a_revision_before_its_rows(settings: Settings) -> None:
    catalogs = [open_catalog(settings) for _ in range(4)]
    stop = threading.Event()
    holes: list[Changes] = []

    def watch(reader: Catalog) -> None:
        seen: set[str] = set()
        last = 0
        while not stop.is_set():
            changes = reader.changes_since(last)
            seen.update(changes.changed)
            if len(seen) != changes.revision:  # each commit below adds one movie
                holes.append(changes)
            last = changes.revision

    def write(number: int) -> None:
        for i in range(15):
            catalogs[number].upsert_movies([MovieFacts(f"tt{number}-{i}")], "csv")

    with ThreadPoolExecutor(5) as pool:
        watching = pool.submit(watch, catalogs[3])
        writing = [pool.submit(write, number) for number in range(3)]
        wait(writing)
        stop.set()
        for done in (*writing, watching):
            done.result()
    assert holes == []
    assert catalogs[0].revision() == 45
    for catalog in catalogs:
        catalog.close()


def test_one_catalog_serves_many_threads(catalog: Catalog) -> None:
    def work(number: int) -> int:
        catalog.upsert_movies([MovieFacts(f"tt{number}", f"Movie {number}")], "csv")
        return int(catalog.get_movie(f"tt{number}").movie_id[2:])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(24))) == list(range(24))
    assert catalog.revision() == 24


@pytest.mark.parametrize("inner", ["commit", "fail"])
def test_a_nested_transaction_shares_the_fate_of_the_outer_one(catalog: Catalog, inner: str) -> None:
    def write() -> None:
        with catalog.transaction():
            catalog.upsert_movies([MovieFacts("tt1")], "csv")
            with catalog.transaction():
                catalog.upsert_movies([MovieFacts("tt2")], "csv")
                if inner == "fail":
                    raise RuntimeError("on purpose")

    if inner == "fail":
        with pytest.raises(RuntimeError):
            write()
        assert catalog.n_movies() == 0
    else:
        write()
        assert (catalog.n_movies(), catalog.revision()) == (2, 1)
