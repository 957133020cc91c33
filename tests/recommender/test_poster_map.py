"""The map: alike posters lie near each other, and it changes little when little changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.types import Facts, Rows, SnapshotManifest
from recommender.poster_map import PosterMap, fit_positions, load_map, refresh_map, save_map


@dataclass
class StandingView:
    """An index view over given embeddings, at our own border."""

    visual: NDArray[np.float32]
    fingerprint: str = "encoder"
    n_ratings: tuple[int, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"tt{i:07d}" for i in range(len(self.visual)))

    @property
    def manifest(self) -> SnapshotManifest:
        return SnapshotManifest("one", "exact", self.fingerprint, (), (self.visual.shape[1], 0, 0))

    @property
    def facts(self) -> Facts:
        n = len(self.visual)
        zeros = np.zeros(n, np.int32)
        return Facts(
            np.array([one.encode() for one in self.ids], np.bytes_),
            zeros.astype(np.int16),
            zeros.astype(np.uint64),
            zeros - 1,
            np.array(self.n_ratings or zeros, np.int32),
            np.ones(n, np.bool_),
        )

    def find_rows(self, movie_ids: list[str]) -> Rows:
        at = [self.ids.index(one) for one in movie_ids]
        none = np.zeros((len(at), 0), np.float32)
        known = np.tile([True, False, False], (len(at), 1))
        return Rows(tuple(movie_ids), self.visual[at], none, none, known, np.zeros(len(at), np.int32))


def three_groups(n_each: int) -> NDArray[np.float32]:
    """Unit rows around three axes, group after group."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(3, 16, dtype=np.float32), n_each, axis=0)
    rows += rng.normal(scale=0.05, size=rows.shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_nearest_point_is_of_the_same_group() -> None:
    positions, method = fit_positions(three_groups(20))
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert method == "t-SNE"
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    assert positions.min() == 0
    assert positions.max() == 1


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_a_handful_of_posters_has_a_map_too(n: int) -> None:
    positions, method = fit_positions(three_groups(3)[:n])
    assert positions.shape == (n, 2)
    assert np.isfinite(positions).all()
    assert method == "PCA"


def test_a_saved_map_is_read_back(tmp_path: Path) -> None:
    poster_map = PosterMap(("a", "ö"), np.array([[0, 1], [0.5, 0.25]], np.float32), "encoder", "PCA")
    save_map(poster_map, tmp_path / "map.npz")
    found = load_map(tmp_path / "map.npz")
    assert found is not None
    assert (found.movie_ids, found.fingerprint, found.method) == (("a", "ö"), "encoder", "PCA")
    np.testing.assert_array_equal(found.positions, poster_map.positions)


def test_a_missing_or_damaged_map_is_none(tmp_path: Path) -> None:
    assert load_map(tmp_path / "map.npz") is None
    (tmp_path / "map.npz").write_bytes(b"PK\x03\x04 no map")
    assert load_map(tmp_path / "map.npz") is None


def test_a_few_new_posters_are_placed_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    visual = three_groups(20)
    old = refresh_map(StandingView(visual[:55]), path)
    new = refresh_map(StandingView(visual), path)
    np.testing.assert_array_equal(new.positions[:55], old.positions)
    near = np.linalg.norm(new.positions[55:, None] - old.positions[None], axis=2).argmin(axis=1)
    assert (near // 20 == 2).all()
    assert load_map(path) is not None


def test_another_encoder_lays_the_map_out_anew(tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    visual = three_groups(5)
    refresh_map(StandingView(visual), path)
    turned = refresh_map(StandingView(-visual[:, ::-1].copy(), "another"), path)
    assert turned.fingerprint == "another"


def test_a_movie_that_left_leaves_the_map(tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    visual = three_groups(5)
    refresh_map(StandingView(visual), path)
    assert refresh_map(StandingView(visual[:14]), path).movie_ids == StandingView(visual[:14]).ids


def test_a_large_catalog_shows_its_most_rated_movies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.poster_map.MOST_POINTS", 10)
    view = StandingView(three_groups(5), n_ratings=tuple(range(15)))
    assert refresh_map(view, tmp_path / "map.npz").movie_ids == view.ids[5:]
