from __future__ import annotations

import numpy as np
import pytest

from recommender.blend import Scale, blend, cosines
from recommender.diversity import blended_similarities, first_of_each, mmr_order
from recommender.types import Weights


def test_without_diversity_the_order_of_the_scores_stays() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    assert mmr_order(scores, np.ones((4, 4)), 0.0, 3) == [0, 1, 2]


def test_twins_of_a_picked_movie_wait_for_something_else() -> None:
    twins = np.eye(4)
    twins[0, 1] = twins[1, 0] = 1.0
    assert mmr_order(np.array([0.9, 0.89, 0.5, 0.4]), twins, 0.5, 4) == [0, 2, 3, 1]


def test_the_closest_movie_opens_the_list_at_any_diversity() -> None:
    for diversity in (0.0, 0.5, 1.0):
        assert mmr_order(np.array([0.2, 0.9, 0.5]), np.eye(3), diversity, 1) == [1]


def test_an_empty_pool_gives_an_empty_list() -> None:
    assert mmr_order(np.zeros(0), np.zeros((0, 0)), 0.5, 5) == []


def test_more_diversity_makes_lists_less_alike(rows, view) -> None:
    weights, scale = Weights(0.4, 0.3, 0.3), Scale.of_pairs(view.random_pairs())
    similarities = blended_similarities(rows, weights, scale)
    inside = []
    for diversity in (0.0, 0.3, 0.6, 0.9):
        order = mmr_order(similarities[0], similarities, diversity, 10)
        inside.append(similarities[np.ix_(order, order)][np.triu_indices(10, 1)].mean())
    assert inside == sorted(inside, reverse=True)
    assert inside[-1] < inside[0]


def test_similarities_are_the_blend_as_a_share_of_an_identical_pair(partial_view) -> None:
    weights, scale = Weights(0.4, 0.3, 0.3), Scale.of_pairs(partial_view.random_pairs())
    rows = partial_view.rows
    similarities = blended_similarities(rows, weights, scale)
    full = np.flatnonzero(rows.known.all(axis=1))
    first = rows.take(full[:1])
    highest = (np.array(weights.as_tuple()) / scale.spreads).sum()
    expected = blend(cosines(first, rows), weights, scale) / highest
    np.testing.assert_allclose(similarities[full[0]], expected, atol=1e-5)
    np.testing.assert_allclose(similarities, similarities.T, atol=1e-12)


@pytest.mark.parametrize(
    ("groups", "taken", "kept"),
    [([1, 1, 2, 2], set(), [0, 2]), ([-1, -1, -1], set(), [0, 1, 2]), ([5, 6], {5}, [1]), ([], set(), [])],
)
def test_one_of_each_artwork_is_kept(groups, taken, kept) -> None:
    assert first_of_each(np.array(groups, dtype=np.int32), taken) == kept
