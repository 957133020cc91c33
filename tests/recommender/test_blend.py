from __future__ import annotations

import numpy as np
import pytest

from embeddings.errors import InvalidRequestError
from indexer.types import Rows
from recommender.blend import (
    UNLIKE_SHARE,
    Scale,
    blend,
    cosines,
    query_row,
    shown_cosines,
    weights_in_force,
)
from recommender.types import Weights

CORNERS = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
INSIDE = [(1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1), (0.05, 0.15, 0.8)]
SCALE = Scale(np.array([0.2, 0.3, 0.0]), np.array([0.25, 0.4, 0.15]))
ALL = np.array([True, True, True])
DEFAULT = Weights(0.2, 0.3, 0.5)


def take(rows: Rows, *positions: int) -> Rows:
    return rows.take(np.array(positions, dtype=np.int64))


@pytest.mark.parametrize("weights", CORNERS + INSIDE)
def test_one_inner_product_is_the_weighted_sum_of_the_three_cosines(rows: Rows, weights) -> None:
    shares = Weights(*weights)
    joined = np.concatenate([rows.visual, rows.genre, rows.taste], axis=1)
    product = joined @ query_row(take(rows, 5), None, shares, SCALE)
    brute = np.zeros(len(rows))
    for i, block in enumerate((rows.visual, rows.genre, rows.taste)):
        for j in range(len(rows)):
            brute[j] += weights[i] * float(np.dot(block[5], block[j])) / SCALE.spreads[i]
    np.testing.assert_allclose(product, brute, atol=1e-5)
    np.testing.assert_allclose(blend(cosines(take(rows, 5), rows), shares, SCALE), brute, atol=1e-5)


def test_several_liked_movies_score_the_mean_and_an_unliked_one_takes_its_share_away(rows: Rows) -> None:
    shares = Weights(0.5, 0.2, 0.3)
    joined = np.concatenate([rows.visual, rows.genre, rows.taste], axis=1)
    both = joined @ query_row(take(rows, 5, 9), None, shares, SCALE)
    each = [joined @ query_row(take(rows, i), None, shares, SCALE) for i in (5, 9)]
    np.testing.assert_allclose(both, (each[0] + each[1]) / 2, atol=1e-5)
    less = joined @ query_row(take(rows, 5), take(rows, 9), shares, SCALE)
    np.testing.assert_allclose(less, each[0] - UNLIKE_SHARE * each[1], atol=1e-5)


def test_a_signal_the_query_lacks_gives_its_weight_to_the_others_in_proportion() -> None:
    got = weights_in_force(Weights(0.6, 0.2, 0.2), np.array([True, True, False]), DEFAULT)
    np.testing.assert_allclose(got.as_tuple(), (0.75, 0.25, 0.0))


def test_a_weight_wholly_on_a_signal_the_query_lacks_falls_back_to_the_default_shares_of_the_others() -> None:
    got = weights_in_force(Weights(0, 0, 1), np.array([True, True, False]), DEFAULT)
    np.testing.assert_allclose(got.as_tuple(), (0.4, 0.6, 0.0))
    got = weights_in_force(Weights(0, 0, 1), np.array([True, False, False]), Weights(0, 1, 1))
    assert got == Weights(1.0, 0.0, 0.0)


def test_weights_of_any_sum_come_back_summing_to_one() -> None:
    assert weights_in_force(Weights(30, 10, 0), ALL, DEFAULT) == Weights(0.75, 0.25, 0.0)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((1e308, 1e308, 0), (0.5, 0.5, 0)),
        ((1.7e308, 0, 1.7e308), (0.5, 0, 0.5)),
        ((1e308, 1e-308, 0), (1, 0, 0)),
        ((5e-324, 5e-324, 0), (0.5, 0.5, 0)),
    ],
)
def test_weights_of_any_size_come_back_summing_to_one(weights, expected) -> None:
    got = weights_in_force(Weights(*weights), ALL, DEFAULT).as_tuple()
    assert got == expected
    assert sum(weights_in_force(Weights(1e308, 1e308, 1e308), ALL, DEFAULT).as_tuple()) == pytest.approx(1)


@pytest.mark.parametrize("weights", [(-1, 2, 0), (0, 0, 0), (float("nan"), 1, 1), (float("inf"), 0, 0)])
def test_impossible_weights_are_refused(weights) -> None:
    with pytest.raises(InvalidRequestError, match="weights must be numbers >= 0"):
        weights_in_force(Weights(*weights), ALL, DEFAULT)


def test_a_query_without_any_signal_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no poster, genre or rating"):
        weights_in_force(Weights(1, 1, 1), np.zeros(3, dtype=bool), DEFAULT)


def test_an_unknown_signal_counts_as_its_mean_and_the_others_keep_their_shares() -> None:
    columns = np.array([[0.5, 0.4, np.nan], [0.5, 0.4, 0.0], [np.nan, np.nan, np.nan]], dtype=np.float32)
    scores = blend(columns, Weights(0.5, 0.3, 0.2), SCALE)
    assert scores[0] == pytest.approx(scores[1])
    assert np.isnan(scores[2])


def test_a_movie_known_only_by_signals_without_a_share_has_no_score() -> None:
    columns = np.array([[0.9, np.nan, 0.9]], dtype=np.float32)
    assert np.isnan(blend(columns, Weights(0, 1, 0), SCALE)[0])


def test_cosines_are_nan_where_either_side_lacks_the_signal(rows: Rows) -> None:
    known = rows.known.copy()
    known[3, 0] = False
    partly = Rows(rows.movie_ids, rows.visual, rows.genre, rows.taste, known, rows.n_ratings)
    columns = cosines(take(partly, 0), partly)
    assert np.isnan(columns[3, 0])
    assert not np.isnan(columns[3, 1:]).any()
    assert np.isnan(cosines(take(partly, 3), partly)[:, 0]).all()


def test_the_scale_of_pairs_leaves_unknown_ones_out() -> None:
    pairs = np.array([[0.0, np.nan, np.nan], [0.4, 0.5, np.nan]], dtype=np.float32)
    scale = Scale.of_pairs(pairs)
    np.testing.assert_allclose(scale.means, [0.2, 0.5, 0.0], atol=1e-6)
    np.testing.assert_allclose(scale.spreads, [0.2, 1.0, 1.0], atol=1e-6)


def test_nothing_handed_in_is_written_to(rows: Rows) -> None:
    before = [block.copy() for block in (rows.visual, rows.genre, rows.taste)]
    query_row(take(rows, 1), take(rows, 2), Weights(1, 1, 1), SCALE)
    cosines(take(rows, 1), rows)
    for block, copy in zip((rows.visual, rows.genre, rows.taste), before, strict=True):
        np.testing.assert_array_equal(block, copy)


def test_shown_cosines_are_true_ones_whatever_the_length_of_the_rows(rows: Rows) -> None:
    short = Rows(rows.movie_ids, rows.visual, rows.genre, 0.25 * rows.taste, rows.known, rows.n_ratings)
    np.testing.assert_allclose(shown_cosines(take(short, 0), short), cosines(take(rows, 0), rows), atol=1e-6)
    assert cosines(take(short, 0), short)[0, 2] == pytest.approx(1 / 16)
