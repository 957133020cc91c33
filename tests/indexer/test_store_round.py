"""The whole round of the store on SQLite and on a real PostgreSQL, and ``onesheet verify`` by its door."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from embeddings.errors import SnapshotError
from indexer.catalog import Catalog, MovieFacts
from indexer.ingest import put_movie, remove_movie
from indexer.locks import publishing
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import Settings, load_settings
from indexer.snapshots import SnapshotStore
from indexer.vectors.blocks import join
from indexer.verify import repair, verify
from webui.cli import main

QUIET = ReindexOptions(progress=False)
IDS = [f"tt{i:07d}" for i in range(10)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty home, in either database."""
    environ = {}
    if request.param == "postgres":
        environ["ONESHEET_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return load_settings(tmp_path / "home", environ)


def nearest(reader: IndexReader, movie_id: str) -> tuple[str, ...]:
    view = reader.view()
    return view.search(join(view.find_rows([movie_id]))[0], 3, exclude=[movie_id]).movie_ids


def test_movies_come_change_go_and_outlive_a_lost_index(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    make_encoder: Any,
    add_movies: Callable[..., None],
    draw_poster: Callable[[str], bytes],
) -> None:
    add_movies(IDS)
    assert reindex(catalog, small_encoder, store, options=QUIET).embedded == 10
    reader = IndexReader(catalog, store)
    put_movie(catalog, store, lambda: small_encoder, MovieFacts("twin", year=2001), draw_poster(IDS[3]))
    assert nearest(reader, IDS[3])[0] == "twin"
    put_movie(catalog, store, lambda: small_encoder, MovieFacts("twin", year=2002), draw_poster(IDS[7]))
    assert nearest(reader, IDS[7])[0] == "twin"
    remove_movie(catalog, "twin")
    assert "twin" not in nearest(reader, IDS[7])
    expected = [nearest(reader, one) for one in IDS]
    shutil.rmtree(store.root)
    assert [nearest(IndexReader(catalog, store), one) for one in IDS] == expected
    assert not verify(catalog, store).ok
    assert repair(catalog, store).ok
    assert [nearest(IndexReader(catalog, store), one) for one in IDS] == expected
    assert reindex(catalog, make_encoder("b" * 64), store, options=QUIET).embedded == 10
    assert reader.refresh().manifest.fingerprint == "b" * 64
    assert [nearest(reader, one) for one in IDS] == expected
    assert verify(catalog, store).ok


def test_a_publisher_that_died_before_its_last_step_is_completed_by_the_next_write(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    make_encoder: Any,
    add_movies: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    newer = make_encoder("b" * 64)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Catalog, "activate", dies)
        with pytest.raises(KeyboardInterrupt):
            reindex(catalog, newer, store, options=QUIET)
    assert catalog.active().fingerprint == "a" * 64
    found = verify(catalog, store)
    assert (found.ok, len(found.notes)) == (True, 1)
    put_movie(catalog, store, lambda: newer, MovieFacts("next"))
    assert catalog.active().fingerprint == "b" * 64
    assert verify(catalog, store).notes == ()


def test_two_publishers_take_turns_and_the_second_learns_who_is_first(store: SnapshotStore) -> None:
    with (
        publishing(store.root, 0),
        pytest.raises(SnapshotError, match=r"written by process \d+"),
        publishing(store.root, 0),
    ):
        pytest.fail("two publishers at once")
    with publishing(store.root, 0):
        pass


def test_verify_says_what_disagrees_and_repairs_it(
    catalog: Catalog,
    store: SnapshotStore,
    settings: Settings,
    small_encoder: Any,
    add_movies: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONESHEET_DATABASE_URL", settings.database_url)
    runner, home = CliRunner(), ["--home", str(settings.home)]
    add_movies(IDS)
    report = reindex(catalog, small_encoder, store, options=QUIET)
    good = runner.invoke(main, [*home, "verify", "--json"])
    assert (good.exit_code, json.loads(good.stdout)["ok"]) == (0, True)
    (store.directory / report.snapshot / "years.npy").unlink()
    bad = runner.invoke(main, [*home, "verify", "--json"])
    document = json.loads(bad.stdout)
    assert (bad.exit_code, document["ok"], document["snapshot"]) == (1, False, None)
    assert "years.npy is missing" in document["problems"][0]
    mended = runner.invoke(main, [*home, "verify", "--repair", "--json"])
    assert (mended.exit_code, json.loads(mended.stdout)["repaired"]) == (0, True)


def test_a_full_disk_is_one_sentence_and_leaves_what_there_was(
    catalog: Catalog,
    store: SnapshotStore,
    settings: Settings,
    small_encoder: Any,
    add_movies: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONESHEET_DATABASE_URL", settings.database_url)
    add_movies(IDS)
    report = reindex(catalog, small_encoder, store, options=QUIET)
    (store.directory / report.snapshot / "years.npy").unlink()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("indexer.durable.os.fsync", full)
        failed = CliRunner().invoke(main, ["--home", str(settings.home), "verify", "--repair"])
    assert failed.exit_code == 1
    assert failed.stderr.splitlines()[-1] == (
        "onesheet: The disk: No space left on device; free some space or mend the disk, and do it again."
    )
    assert nearest(IndexReader(catalog, store), IDS[0])
    assert repair(catalog, store).ok
