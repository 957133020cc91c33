"""An index served by Milvus: the round of the store, where its rows are, and no server at all."""

from __future__ import annotations

import builtins
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import SnapshotError
from indexer.catalog import Catalog, MovieFacts
from indexer.ingest import put_movie, remove_movie
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import load_settings
from indexer.snapshots import SnapshotStore, open_store
from indexer.vectors.blocks import join
from indexer.vectors.milvus import PLACE_FILE, MilvusIndex
from indexer.vectors.milvus_server import MilvusServer
from indexer.verify import repair, verify

QUIET = ReindexOptions(progress=False)
IDS = [f"tt{i:07d}" for i in range(12)]


@pytest.fixture
def milvus_store(tmp_path: Path) -> SnapshotStore:
    """Where snapshots of a home with Milvus Lite are published."""
    settings = load_settings(tmp_path / "home", {"ONESHEET_INDEX_URL": f"milvus://{tmp_path}/movies.db"})
    return open_store(settings)


@pytest.fixture
def published(
    catalog: Catalog, milvus_store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> str:
    """Name of a published snapshot of twelve movies."""
    add_movies(IDS)
    return reindex(catalog, small_encoder, milvus_store, options=QUIET).snapshot


def collections(tmp_path: Path) -> list[str]:
    from pymilvus import MilvusClient

    found: list[str] = MilvusClient(f"{tmp_path}/movies.db").list_collections()
    return found


def answers(reader: IndexReader) -> list[tuple[str, ...]]:
    view = reader.view()
    return [view.search(row, 4).movie_ids for row in join(view.find_rows(IDS))]


def test_a_home_with_milvus_answers_as_one_with_faiss(
    published: str,
    catalog: Catalog,
    milvus_store: SnapshotStore,
    store: SnapshotStore,
    small_encoder: Any,
    draw_poster: Callable[[str], bytes],
) -> None:
    reader = IndexReader(catalog, milvus_store)
    assert reader.view().manifest.kind == "milvus"
    assert reader.problem is None
    reindex(catalog, small_encoder, store, options=QUIET)
    assert answers(reader) == answers(IndexReader(catalog, store))
    put_movie(catalog, milvus_store, lambda: small_encoder, MovieFacts("twin"), draw_poster(IDS[3]))
    remove_movie(catalog, IDS[5])
    view = reader.view()
    assert view.search(join(view.find_rows([IDS[3]]))[0], 2, exclude=[IDS[3]]).movie_ids[0] == "twin"
    assert view.row_numbers([IDS[5]]).tolist() == [-1]
    report = reindex(catalog, small_encoder, milvus_store, options=QUIET)
    assert report.snapshot != published
    assert (reader.refresh().manifest.count, reader.view().overlay_size) == (12, 0)
    assert verify(catalog, milvus_store).ok


def test_rows_of_old_snapshots_and_of_dead_writers_are_dropped_once_nobody_can_read_them(
    published: str, tmp_path: Path, catalog: Catalog, milvus_store: SnapshotStore, small_encoder: Any
) -> None:
    dead = milvus_store.directory / ".writing-r1-milvus-dead"
    dead.mkdir()
    (dead / PLACE_FILE).write_bytes((milvus_store.directory / published / PLACE_FILE).read_bytes())
    for name in ("a", "b", "c"):
        catalog.upsert_movies([MovieFacts(name, genres=("Drama",))], "csv")
        last = reindex(catalog, small_encoder, milvus_store, options=QUIET).snapshot
    assert not dead.exists()
    assert len(collections(tmp_path)) == 3  # the dead writer's collection, and with it the first, are gone
    by_age = sorted(milvus_store.directory.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for second, path in enumerate(by_age):
        os.utime(path, (second, second))
    catalog.upsert_movies([MovieFacts("d", genres=("Drama",))], "csv")
    newest = reindex(catalog, small_encoder, milvus_store, options=QUIET).snapshot
    assert len(collections(tmp_path)) == len(list(milvus_store.directory.iterdir())) == 2
    assert last != newest
    assert verify(catalog, milvus_store).ok


def test_a_lost_collection_is_found_and_sent_again_from_the_catalog(
    published: str, tmp_path: Path, catalog: Catalog, milvus_store: SnapshotStore
) -> None:
    from pymilvus import MilvusClient

    expected = answers(IndexReader(catalog, milvus_store))
    [collection] = collections(tmp_path)
    MilvusClient(f"{tmp_path}/movies.db").drop_collection(collection)
    reader = IndexReader(catalog, milvus_store)
    assert answers(reader) == expected
    assert "has 0 rows, expected 12" in (reader.problem or "")
    assert not verify(catalog, milvus_store).ok
    assert repair(catalog, milvus_store).ok
    assert answers(IndexReader(catalog, milvus_store)) == expected


def test_the_place_of_the_rows_is_guarded_like_every_other_file(
    published: str, catalog: Catalog, milvus_store: SnapshotStore
) -> None:
    place = milvus_store.directory / published / PLACE_FILE
    place.write_bytes(place.read_bytes().replace(b"12", b"13"))
    with pytest.raises(SnapshotError, match="is damaged"):
        milvus_store.open()
    place.write_bytes(b"{}")
    with pytest.raises(SnapshotError, match="is damaged"):
        MilvusIndex.forget(place.parent)


def test_servers_do_not_share_a_directory(tmp_path: Path) -> None:
    urls = (
        "milvus://a:19530",
        "milvus://a:19531",
        "milvus://a:19530/films",
        f"milvus://{tmp_path}/movies.db",
    )
    roots = {open_store(load_settings(tmp_path, {"ONESHEET_INDEX_URL": url})).root for url in urls}
    assert len(roots) == 4


def test_a_server_that_is_not_there_is_named_and_the_catalog_answers(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = SnapshotStore(
        store.root.with_name("away"), MilvusIndex.at(MilvusServer(f"http://127.0.0.1:{port}"))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.vectors.milvus_server._SECONDS", 1.0)
        with pytest.raises(SnapshotError, match=rf"Milvus at http://127\.0\.0\.1:{port} could not answer"):
            reindex(catalog, small_encoder, away, options=QUIET)
    assert answers(IndexReader(catalog, away)) == answers(IndexReader(catalog, store))


def test_without_the_library_the_cure_is_named(
    catalog: Catalog, store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pymilvus":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SnapshotError, match=r"pip install 'onesheet\[distributed\]'"):
        MilvusIndex.at(MilvusServer("http://127.0.0.1:19530")).load(_placed(store.root), (2, 1, 0))


def _placed(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / PLACE_FILE).write_text('{"server": "http://127.0.0.1:1", "collection": "x", "rows": 1}')
    return directory
