from __future__ import annotations

import numpy as np
import pytest

from indexer.affinities import Affinities
from indexer.types import Rows
from recommender.affinity import lifts
from recommender.evaluation.lift import Lift

N = 5


@pytest.fixture
def affinities() -> Affinities:
    """m0 is rated like m1 and m3, m3 like m0; m2 and m4 like nothing."""
    ids = np.array([f"m{i}".encode() for i in range(N)])
    return Affinities(
        ids,
        np.array([0, 2, 2, 2, 3, 3]),
        np.array([3, 1, 0], dtype=np.int32),
        np.array([0.6, 0.4, 0.6], dtype=np.float32),
        np.array([200, 200, 200], dtype=np.int32),
    )


@pytest.fixture
def lift(affinities: Affinities) -> Lift:
    genre = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (N, 1))
    genre[1] = [0.6, 0.8]
    rows = Rows(
        tuple(f"m{i}" for i in range(N)),
        np.zeros((N, 1), np.float32),
        genre,
        np.zeros((N, 1), np.float32),
        np.ones((N, 3), bool),
        np.ones(N, np.int32),
    )
    return Lift(rows, affinities)


def test_every_pair_is_lifted_by_its_strength_and_kind(lift: Lift) -> None:
    whole = lift.everything(np.arange(N))
    expected = np.zeros((N, N))
    expected[0, [1, 3]] = lifts(np.array([0.2, 0.3]), np.array([0.6, 1.0]))
    expected[3, 0] = expected[0, 3]
    np.testing.assert_allclose(whole, expected, atol=1e-6)
    queries, candidates = np.array([3, 0, 2]), np.array([[0, 1], [4, 1], [0, 1]])
    np.testing.assert_allclose(lift.pairs(queries, candidates), whole[queries[:, None], candidates])


def test_the_others_of_a_movie_are_those_it_has_an_affinity_to(lift: Lift) -> None:
    found = lift.others(np.array([0, 1, 3]))
    assert [sorted(set(row) - {-1}) for row in found.tolist()] == [[1, 3], [], [0]]
    assert lift.others(np.array([1, 2])).shape == (2, 0)
