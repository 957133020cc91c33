"""The map: alike posters lie near each other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.poster_map import MapDrawer


def three_groups(n_each: int) -> NDArray[np.float32]:
    """Unit rows around three axes, group after group."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(3, 16, dtype=np.float32), n_each, axis=0)
    rows += rng.normal(scale=0.05, size=rows.shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_nearest_point_is_of_the_same_group() -> None:
    positions, method = MapDrawer().fit(three_groups(20))
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert method == "t-SNE"
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    assert positions.min() == 0
    assert positions.max() == 1


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_a_handful_of_posters_has_a_map_too(n: int) -> None:
    positions, method = MapDrawer().fit(three_groups(3)[:n])
    assert positions.shape == (n, 2)
    assert np.isfinite(positions).all()
    assert method == "PCA"
