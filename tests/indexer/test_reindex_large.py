"""Reindexing a large catalog: what is new is left to the overlay until it is worth a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer import growth
from indexer.catalog import Catalog, MovieFacts
from indexer.learning import Fitters
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.taste_map import ERA_DIM, PREDICTED_LENGTH
from indexer.types import Ratings, Rows, TasteFactors
from indexer.verify import verify

QUIET = ReindexOptions(progress=False)
IDS = [f"tt{i:07d}" for i in range(20)]


class FirstColumns:
    """Taste is the first two columns of the look, so that a test knows it."""

    identity = "first-columns"

    def fit(self, ratings: Ratings, rows: Rows) -> TasteFactors:
        inputs = rows.visual.shape[1] + rows.genre.shape[1] + ERA_DIM + 1
        lengths = np.linalg.norm(rows.visual[:, :2], axis=1, keepdims=True)
        factors = rows.visual[:, :2] / np.maximum(lengths, 1e-9)
        taste_map = np.eye(inputs, 2, dtype=np.float32)
        return TasteFactors(rows.movie_ids, factors, rows.n_ratings, taste_map, f"model-{len(ratings)}")


def rated(movie_id: str) -> Ratings:
    names = [np.array([one], dtype=object) for one in ("anna", movie_id)]
    return Ratings(names[0], names[1], np.array([4.0], np.float32), np.array([1], np.int64))


@pytest.fixture
def indexed(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The snapshot of twenty movies, which count as a large catalog."""
    monkeypatch.setattr(growth, "LARGE", 10)
    add_movies(IDS)
    catalog.add_ratings(rated(IDS[0]))
    return reindex(catalog, small_encoder, store, Fitters(FirstColumns()), QUIET).snapshot


def run(catalog: Catalog, encoder: Any, store: SnapshotStore, **how: Any) -> Any:
    return reindex(catalog, encoder, store, Fitters(FirstColumns()), replace(QUIET, **how))


def test_new_posters_are_found_under_the_old_snapshot_with_their_taste_and_their_copies(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    indexed: str,
    add_movies: Callable[..., None],
    posters_dir: Path,
) -> None:
    reader = IndexReader(catalog, store)
    reader.view()
    add_movies(["new1", "new2"])
    (posters_dir / "new2.png").write_bytes((posters_dir / f"{IDS[3]}.png").read_bytes())
    report = run(catalog, small_encoder, store)
    assert (report.embedded, report.unchanged, report.snapshot) == (2, 20, indexed)
    view = reader.view()
    assert (view.manifest.name, len(view), view.overlay_size) == (indexed, 23, 3)
    rows = view.find_rows(["new1"])
    expected = PREDICTED_LENGTH * rows.visual[0, :2] / np.linalg.norm(rows.visual[0, :2])
    assert np.abs(rows.taste[0] - expected).max() < 2e-3
    numbers = view.row_numbers(["new2", IDS[3], IDS[4]])
    groups = view.facts.artwork_groups[numbers].tolist()
    assert groups[0] == groups[1] >= 0 > groups[2]
    assert verify(catalog, store).ok


def test_a_run_that_finds_nothing_new_embeds_places_and_publishes_nothing(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, indexed: str, add_movies: Callable[..., None]
) -> None:
    add_movies(["new1"])
    run(catalog, small_encoder, store)
    revision = catalog.revision()
    assert run(catalog, small_encoder, store).snapshot == indexed
    assert (small_encoder.n_encoded, catalog.revision()) == (21, revision)


def test_a_deleted_poster_leaves_the_answers_under_the_old_snapshot(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, indexed: str, posters_dir: Path
) -> None:
    (posters_dir / f"{IDS[7]}.png").unlink()
    report = run(catalog, small_encoder, store)
    assert (report.removed, report.snapshot) == (1, indexed)
    assert IndexReader(catalog, store).view().row_numbers([IDS[7]]).tolist() == [-1]


@pytest.mark.parametrize("why", ["asked", "grown", "rated", "waited for its ratings", "another encoder"])
def test_a_snapshot_is_written_when(
    why: str,
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    make_encoder: Any,
    indexed: str,
    add_movies: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder, how = small_encoder, {}
    if why == "rated":
        catalog.add_ratings(rated(IDS[1]))
    elif why == "waited for its ratings":
        catalog.add_ratings(rated("late"))
        indexed = run(catalog, small_encoder, store).snapshot
        catalog.upsert_movies([MovieFacts("late", genres=("Drama",))], "csv")
    else:
        add_movies(["new1", "new2"])
    if why == "asked":
        how["publish"] = True
    elif why == "grown":
        monkeypatch.setattr(growth, "LEAST_OVERLAY", 1)
    elif why == "another encoder":
        encoder = make_encoder("b" * 64)
    report = run(catalog, encoder, store, **how)
    view = IndexReader(catalog, store).view()
    assert report.snapshot != indexed
    assert (view.manifest.name, view.overlay_size) == (report.snapshot, 0)
