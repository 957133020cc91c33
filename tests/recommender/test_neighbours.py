from __future__ import annotations

import numpy as np
import pytest
from implicit.nearest_neighbours import bm25_weight
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recommender import neighbours
from recommender.neighbours import narrowed, neighbour_factors


def ratings(n_people: int = 60, n_movies: int = 40) -> csr_matrix:
    rng = np.random.default_rng(0)
    camp = np.equal.outer(np.arange(n_people) % 2, np.arange(n_movies) % 2)
    return csr_matrix((rng.random((n_people, n_movies)) < np.where(camp, 0.5, 0.05)).astype(np.float32))


def table(confidence: csr_matrix) -> NDArray[np.float64]:
    weighted = bm25_weight(confidence.T.tocsr(), K1=100.0, B=0.2).toarray()
    whole = weighted @ weighted.T
    return np.asarray(whole - np.diag(np.diag(whole)))


def test_inner_products_come_nearer_to_the_table_the_wider_the_factors() -> None:
    confidence = ratings()
    wanted, off = table(confidence), ~np.eye(40, dtype=bool)
    errors = []
    for dim in (1, 2, 20):
        factors = neighbour_factors(confidence, dim, 100.0, 0.2)
        errors.append(float(np.abs((factors @ factors.T - wanted)[off]).mean()))
    assert errors[0] > errors[1] >= errors[2]
    assert np.corrcoef((factors @ factors.T)[off], wanted[off])[0, 1] > 0.9


def test_the_table_that_is_never_built_gives_the_same_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    confidence = ratings()
    built = neighbour_factors(confidence, 4, 100.0, 0.2)
    monkeypatch.setattr(neighbours, "_SMALL", 0)
    implied = neighbour_factors(confidence, 4, 100.0, 0.2)
    again = neighbour_factors(confidence, 4, 100.0, 0.2)
    np.testing.assert_allclose(implied @ implied.T, built @ built.T, atol=1e-4)
    assert implied.tobytes() == again.tobytes()


def test_fewer_movies_than_factors_leave_the_rest_zero() -> None:
    factors = neighbour_factors(ratings(20, 5), 8, 100.0, 0.2)
    assert factors.shape == (5, 8)
    assert not factors[:, 5:].any()


def test_narrowed_rows_keep_their_inner_products_as_far_as_the_axes_reach() -> None:
    rng = np.random.default_rng(6)
    rows = (rng.normal(size=(50, 3)) @ rng.normal(size=(3, 12))).astype(np.float32)
    np.testing.assert_allclose(narrowed(rows, 3) @ narrowed(rows, 3).T, rows @ rows.T, rtol=1e-3, atol=1e-3)
    lost = [np.square(rows @ rows.T - narrowed(rows, dim) @ narrowed(rows, dim).T).sum() for dim in (1, 2)]
    assert lost[0] > lost[1] > 0
    assert narrowed(rows, 12) is rows
