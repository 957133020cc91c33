from __future__ import annotations

import numpy as np
import pytest

from recommender.blend import Scale
from recommender.percentiles import Percentiles, SetShape, pair_percentiles, set_percentiles
from recommender.types import Weights


def test_a_score_maps_to_the_share_of_random_pairs_below_it() -> None:
    scores = np.random.default_rng(0).normal(size=20_000)
    percentiles = Percentiles(scores, 10.0)
    for share in (0.01, 0.25, 0.5, 0.9, 0.999):
        assert percentiles.share_below(np.quantile(scores, share)) == pytest.approx(share, abs=1e-3)


def test_the_map_is_strictly_increasing_even_where_pairs_tie() -> None:
    scores = np.repeat([-1.0, 0.0, 0.5, 2.0], 500)
    percentiles = Percentiles(scores, 3.0)
    shares = percentiles.share_below(np.linspace(-3, 3, 2001))
    assert (np.diff(shares) > 0).all()
    assert percentiles.share_below(0.5) == pytest.approx(0.5, abs=1e-3)


def test_only_a_movie_with_itself_reaches_one() -> None:
    percentiles = Percentiles(np.linspace(-1, 1, 100), 4.0)
    assert percentiles.share_below(4.0) == 1.0
    assert percentiles.share_below(3.99) < 1.0


def test_where_random_pairs_are_identical_the_top_says_so() -> None:
    scores = np.concatenate([np.linspace(-1, 1, 900), np.full(100, 2.0)])
    assert Percentiles(scores, 2.0).share_below(2.0) == pytest.approx(0.9, abs=2e-3)


@pytest.mark.parametrize("least", [-9.0, -1.0, 0.31, 1.9, 2.0, 3.5])
def test_the_first_answer_is_that_of_the_whole_sample(least: float) -> None:
    scores = np.random.default_rng(3).normal(size=2_000).round(2)  # many are equal
    scores[::7] = np.nan
    whole = Percentiles(scores, 4.0)
    whole.share_below(np.array([0.0]))
    asked = np.array([least, 3.9, 2.2, max(least, 0.5)])
    np.testing.assert_array_equal(Percentiles(scores, 4.0).share_below(asked), whole.share_below(asked))


def test_a_page_without_movies_and_a_catalog_without_pairs_are_answered() -> None:
    assert len(Percentiles(np.arange(5.0), 9.0).share_below(np.empty(0))) == 0
    assert Percentiles(np.empty(0), 2.0).share_below(np.array([-2.0, 0.0, 2.0])).tolist() == [0.0, 0.5, 1.0]


def test_score_at_is_the_inverse() -> None:
    percentiles = Percentiles(np.random.default_rng(0).normal(size=500), 10.0)
    for share in (0.1, 0.5, 0.97, 1.0):
        assert percentiles.share_below(percentiles.score_at(share)) == pytest.approx(share)


def test_random_pairs_are_spread_evenly_over_the_percentiles(view) -> None:
    pairs = view.random_pairs()
    scale, weights = Scale.of_pairs(pairs), Weights(0.5, 0.2, 0.3)
    percentiles = pair_percentiles(pairs[::2], weights, scale)
    others = pairs[1::2] @ (np.array(weights.as_tuple()) / scale.spreads)
    shares = percentiles.share_below(others)
    assert np.histogram(shares, bins=10, range=(0, 1))[0] == pytest.approx(len(shares) / 10, rel=0.25)


def test_means_over_several_movies_are_judged_beside_means_over_several_movies(view, rows) -> None:
    scale, weights = Scale.of_pairs(view.random_pairs()), Weights(0.5, 0.2, 0.3)
    one = set_percentiles(rows, SetShape(1), weights, scale)
    five = set_percentiles(rows, SetShape(5), weights, scale)
    assert five.score_at(0.99) < one.score_at(0.99)
    assert five.score_at(0.5) == pytest.approx(one.score_at(0.5), abs=0.5)


def test_set_percentiles_are_the_same_each_time(view, rows) -> None:
    scale, weights = Scale.of_pairs(view.random_pairs()), Weights(0.5, 0.2, 0.3)
    first, second = (set_percentiles(rows, SetShape(2, 1), weights, scale) for _ in range(2))
    np.testing.assert_array_equal(first.knots, second.knots)
