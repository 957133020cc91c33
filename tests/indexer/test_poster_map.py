"""The map of a snapshot: published, verified and carried on with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.catalog import Catalog, MovieFacts
from indexer.compact import compact
from indexer.ingest import put_movie
from indexer.learning import Fitters
from indexer.poster_map import MAP_FILE, PosterMap, map_bytes, parse_map, update_map
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.types import Rows
from indexer.verify import repair, verify

QUIET = ReindexOptions(progress=False)


class FirstTwo:
    """Stands for the drawer at its border: the first two numbers of a row are its place."""

    n_fits = 0

    def fit(self, visual: NDArray[np.float32]) -> tuple[NDArray[np.float32], str]:
        self.n_fits += 1
        return np.ascontiguousarray(visual[:, :2]), "first two"


def rows_of(visual: NDArray[np.float32], n_ratings: tuple[int, ...] = ()) -> Rows:
    """Rows ``tt0000000`` and on; the last one has no poster."""
    n = len(visual)
    none = np.zeros((n, 0), np.float32)
    known = np.tile([True, False, False], (n, 1))
    known[-1] = False
    ids = tuple(f"tt{i:07d}" for i in range(n))
    return Rows(ids, visual, none, none, known, np.array(n_ratings or np.zeros(n), np.int32))


def circle(n: int) -> NDArray[np.float32]:
    angles = np.linspace(0, np.pi / 2, n)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_map_reads_back_as_it_was_written() -> None:
    drawn = PosterMap(("a", "ö"), np.array([[0, 1], [0.5, 0.25]], np.float32), "encoder", "PCA")
    found = parse_map(map_bytes(drawn))
    assert (found.movie_ids, found.fingerprint, found.method) == (("a", "ö"), "encoder", "PCA")
    np.testing.assert_array_equal(found.positions, drawn.positions)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no map", b"\x93NUMPY"])
def test_bytes_that_are_no_map_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="is no map"):
        parse_map(data)


def test_without_a_map_before_only_a_fitter_draws_one_and_only_of_posters() -> None:
    rows = rows_of(circle(6))
    assert update_map(rows, "encoder", None) is None
    drawn = update_map(rows, "encoder", None, FirstTwo())
    assert drawn is not None
    assert drawn.movie_ids == rows.movie_ids[:5]
    np.testing.assert_array_equal(drawn.positions, rows.visual[:5, :2])


def test_a_few_new_posters_are_placed_between_their_nearest_and_the_others_stay() -> None:
    fitter, visual = FirstTwo(), circle(41)
    old = update_map(rows_of(visual[:37]), "encoder", None, fitter)
    assert old is not None
    new = update_map(rows_of(visual), "encoder", old, fitter)
    assert new is not None
    assert fitter.n_fits == 1
    np.testing.assert_array_equal(new.positions[:36], old.positions)
    # The five nearest of a poster beyond the end are the last five; their median is the third from the end.
    np.testing.assert_allclose(new.positions[36:], np.tile(np.median(old.positions[-5:], axis=0), (4, 1)))


def test_much_that_is_new_is_laid_out_anew_where_somebody_can() -> None:
    fitter, visual = FirstTwo(), circle(31)
    old = update_map(rows_of(visual[:16]), "encoder", None, fitter)
    drawn = update_map(rows_of(visual), "encoder", old, fitter)
    carried = update_map(rows_of(visual), "encoder", old)
    assert drawn is not None and carried is not None and old is not None
    np.testing.assert_array_equal(drawn.positions, visual[:30])
    np.testing.assert_array_equal(carried.positions[:15], old.positions)


def test_another_encoder_lays_the_map_out_anew_and_does_not_carry_it() -> None:
    rows, fitter = rows_of(circle(12)), FirstTwo()
    old = update_map(rows, "encoder", None, fitter)
    assert update_map(rows, "another", old) is None
    drawn = update_map(rows, "another", old, fitter)
    assert drawn is not None and drawn.fingerprint == "another"


def test_a_movie_that_left_leaves_the_map() -> None:
    visual = circle(12)
    old = update_map(rows_of(visual), "encoder", None, FirstTwo())
    new = update_map(rows_of(visual[:11]), "encoder", old)
    assert new is not None and new.movie_ids == rows_of(visual[:11]).movie_ids[:10]


def test_a_large_catalog_shows_its_most_rated_movies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.poster_map.MOST_POINTS", 10)
    rows = rows_of(circle(16), n_ratings=tuple(range(16)))
    drawn = update_map(rows, "encoder", None, FirstTwo())
    assert drawn is not None and drawn.movie_ids == rows.movie_ids[5:15]


@pytest.fixture
def mapped(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> SnapshotStore:
    """A published snapshot of twelve posters with its map."""
    add_movies([f"tt{i:07d}" for i in range(12)])
    reindex(catalog, small_encoder, store, Fitters(poster_map=FirstTwo()), QUIET)
    return store


def map_file(store: SnapshotStore) -> Path:
    manifest = store.manifest()
    assert manifest is not None
    return store.directory / manifest.name / MAP_FILE


def test_the_map_is_published_with_its_snapshot_and_drawn_once(
    catalog: Catalog, mapped: SnapshotStore, small_encoder: Any
) -> None:
    view = IndexReader(catalog, mapped).view()
    assert view.poster_map is not None
    stored = view.find_rows(view.poster_map.movie_ids).visual[:, :2]  # in half precision
    np.testing.assert_allclose(view.poster_map.positions, stored, atol=1e-3)
    fitter = FirstTwo()
    reindex(catalog, small_encoder, mapped, Fitters(poster_map=fitter), QUIET)
    assert fitter.n_fits == 0
    assert MAP_FILE in view.manifest.files


def test_a_snapshot_from_before_there_were_maps_gets_one_at_the_next_reindex(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> None:
    add_movies(["a", "b", "c"])
    old = reindex(catalog, small_encoder, store, options=QUIET).snapshot
    assert store.beside().poster_map is None
    new = reindex(catalog, small_encoder, store, Fitters(poster_map=FirstTwo()), QUIET).snapshot
    assert new != old
    assert store.beside().poster_map is not None


def test_a_map_that_was_changed_is_found_by_verify_and_gone_after_the_repair(
    catalog: Catalog, mapped: SnapshotStore, small_encoder: Any
) -> None:
    path = map_file(mapped)
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)
    found = verify(catalog, mapped)
    assert not found.ok
    assert f"{MAP_FILE} is damaged" in found.problems[0]
    assert repair(catalog, mapped).ok
    assert mapped.beside().poster_map is None
    fitter = FirstTwo()
    reindex(catalog, small_encoder, mapped, Fitters(poster_map=fitter), QUIET)
    assert (fitter.n_fits, mapped.beside().poster_map is None) == (1, False)


def test_compaction_carries_the_map_on(
    catalog: Catalog,
    mapped: SnapshotStore,
    small_encoder: Any,
    draw_poster: Callable[[str], bytes],
) -> None:
    before = mapped.beside().poster_map
    put_movie(catalog, mapped, lambda: small_encoder, MovieFacts("new", "New"), draw_poster("new"))
    compact(catalog, mapped)
    after = mapped.beside().poster_map
    assert before is not None and after is not None
    assert after.movie_ids == ("new", *before.movie_ids)
    np.testing.assert_array_equal(after.positions[1:], before.positions)
    assert (after.positions[0] >= before.positions.min(axis=0)).all()
