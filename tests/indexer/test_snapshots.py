"""Snapshots that were damaged, swapped or cut short by a failing disk, and the cure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.store_flips import damage_kinds
from embeddings.errors import SnapshotError
from indexer.catalog import Catalog, MovieFacts
from indexer.ingest import put_movie
from indexer.manifests import CURRENT_FILE, MANIFEST_FILE
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import Settings
from indexer.snapshots import SnapshotStore
from indexer.vectors.faiss_files import map_index
from indexer.verify import repair, verify

QUIET = ReindexOptions(progress=False)
IDS = [f"tt{i:07d}" for i in range(12)]
FLIPS_PER_FILE = 20


@pytest.fixture
def published(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> Path:
    """The directory of a snapshot of twelve movies."""
    add_movies(IDS)
    report = reindex(catalog, small_encoder, store, options=QUIET)
    return store.directory / report.snapshot


def test_a_snapshot_describes_itself(published: Path, store: SnapshotStore) -> None:
    manifest = store.manifest()
    assert manifest is not None
    assert (manifest.name, manifest.kind, manifest.count) == (published.name, "exact", 12)
    assert manifest.widths == (48, 3, 0)
    assert manifest.genres == ("Comedy", "Drama", "Horror")
    assert set(manifest.files) == {path.name for path in published.iterdir()} - {MANIFEST_FILE}
    snapshot = store.open()
    assert snapshot is not None
    assert [one.decode() for one in snapshot.facts.movie_ids.tolist()] == IDS


def test_spreads_are_the_standard_deviation_of_random_pairs(published: Path, store: SnapshotStore) -> None:
    snapshot = store.open()
    assert snapshot is not None
    assert snapshot.pairs.shape == (20_000, 3)
    assert np.isnan(snapshot.pairs[:, 2]).all()
    visual, _, taste = snapshot.manifest.spreads
    assert visual == pytest.approx(float(snapshot.pairs[:, 0].std()), rel=1e-5)
    assert taste == 1.0


def test_every_flipped_byte_is_refused_and_repaired_from_the_catalog(
    published: Path, store: SnapshotStore, catalog: Catalog
) -> None:
    rng = np.random.default_rng(0)
    for path in [*sorted(published.iterdir()), store.root / CURRENT_FILE]:
        whole = path.read_bytes()
        for at in rng.integers(0, len(whole), FLIPS_PER_FILE).tolist():
            broken = bytearray(whole)
            broken[at] ^= 1 << int(rng.integers(0, 8))
            path.write_bytes(broken)
            with pytest.raises(SnapshotError, match="verify --repair"):
                store.open()
        assert not verify(catalog, store).ok
        path.write_bytes(whole)
    path.write_bytes(bytes(broken))
    fixed = repair(catalog, store)
    assert (fixed.ok, fixed.repaired, fixed.rows) == (True, True, 12)


@pytest.mark.parametrize(
    "settings", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_every_kind_of_damage_to_every_kind_of_index_is_refused_unread(settings: Settings) -> None:
    settings.home.mkdir()
    for kind, found in damage_kinds(settings, n_flips=2, seed=1):
        assert found.wrong == [], kind
        assert found.done["flip"] == 2 * len(found.files) > 20
        assert (found.done["swap"], found.done["foreign"]) == (len(found.files), 1)


@pytest.mark.parametrize("name", ["vectors.faiss", "movie_ids.npy", MANIFEST_FILE])
def test_a_truncated_or_missing_file_is_refused(published: Path, store: SnapshotStore, name: str) -> None:
    whole = (published / name).read_bytes()
    (published / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SnapshotError, match=name):
        store.open()
    (published / name).unlink()
    with pytest.raises(SnapshotError, match=name):
        store.open()


def test_files_swapped_between_snapshots_are_refused(
    published: Path, store: SnapshotStore, catalog: Catalog, small_encoder: Any, draw_poster: Any
) -> None:
    old = shutil.copytree(published, published.parent.parent / "copy")
    put_movie(catalog, store, lambda: small_encoder, MovieFacts("new"), draw_poster("new"))
    report = reindex(catalog, small_encoder, store, options=QUIET)
    newer = store.directory / report.snapshot
    assert newer != published
    shutil.copy(old / "vectors.faiss", newer / "vectors.faiss")
    with pytest.raises(SnapshotError, match=r"vectors\.faiss is damaged"):
        store.open()
    shutil.copy(old / MANIFEST_FILE, newer / MANIFEST_FILE)
    with pytest.raises(SnapshotError, match="not the manifest that was published"):
        store.open()


def test_a_manifest_from_another_encoder_does_not_verify(
    published: Path, store: SnapshotStore, catalog: Catalog, make_encoder: Any
) -> None:
    document = json.loads((published / MANIFEST_FILE).read_text())
    document["fingerprint"] = "f" * 64
    data = json.dumps(document).encode()
    (published / MANIFEST_FILE).write_bytes(data)
    import hashlib

    (store.root / CURRENT_FILE).write_text(f"{published.name} {hashlib.sha256(data).hexdigest()}\n")
    found = verify(catalog, store)
    assert not found.ok
    assert "does not know encoder ffffffffffff" in found.problems[0]
    assert repair(catalog, store).ok


def test_readers_answer_from_the_catalog_while_the_index_is_lost(
    published: Path, store: SnapshotStore, catalog: Catalog
) -> None:
    expected = _answers(IndexReader(catalog, store))
    shutil.rmtree(store.root)
    reader = IndexReader(catalog, store)
    assert _answers(reader) == expected
    assert reader.view().manifest.kind == "catalog"
    assert reader.problem is not None
    assert repair(catalog, store).repaired
    assert reader.refresh().manifest.kind == "exact"
    assert reader.problem is None
    assert _answers(reader) == expected


def test_an_open_snapshot_outlives_its_directory(
    published: Path, store: SnapshotStore, catalog: Catalog
) -> None:
    reader = IndexReader(catalog, store)
    expected = _answers(reader)
    shutil.rmtree(store.root)
    assert _answers(reader) == expected
    assert reader.refresh().manifest.name == published.name


def test_only_the_last_two_snapshots_are_kept(
    published: Path, store: SnapshotStore, catalog: Catalog, small_encoder: Any, draw_poster: Any
) -> None:
    (store.directory / ".writing-r1-exact-dead").mkdir()
    for name in ("a", "b", "c"):
        put_movie(catalog, store, lambda: small_encoder, MovieFacts(name), draw_poster(name))
        reindex(catalog, small_encoder, store, options=QUIET)
    pointer = store.pointer()
    assert pointer is not None
    left = {path.name for path in store.directory.iterdir()}
    assert len(left) == 2
    assert pointer.name in left
    assert published.name not in left


def test_a_file_that_a_publisher_cleared_away_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "damaged.faiss").write_bytes(b"no index")
    with pytest.raises(SnapshotError, match="not a FAISS index"):
        map_index(tmp_path / "damaged.faiss", 16)
    with pytest.raises(FileNotFoundError, match=r"cleared\.faiss"):
        map_index(tmp_path / "cleared.faiss", 16)


def _answers(reader: IndexReader) -> list[tuple[tuple[str, ...], list[float]]]:
    view = reader.view()
    rows = view.find_rows(IDS)
    queries = np.concatenate([rows.visual, 0.5 * rows.genre, rows.taste], axis=1)
    found = [view.search(query, 5) for query in queries]
    return [(one.movie_ids, one.scores.tolist()) for one in found]
