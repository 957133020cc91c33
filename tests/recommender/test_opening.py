from __future__ import annotations

import numpy as np
import pytest

from indexer.taste_map import unit_rows
from indexer.types import Ratings, Rows
from recommender.affinity_model import AffinityModel
from recommender.defaults import OPENING
from recommender.evaluation.lift import Lift
from recommender.evaluation.matched import Matched
from recommender.opening import KIND, learned_orders
from recommender.weight_choice import best_weights, make_lesson

N = 600


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Movies of six genres and thirty crowds; look knows neither."""
    rng = np.random.default_rng(1)
    look = unit_rows(rng.normal(size=(N, 8)).astype(np.float32))
    genre = np.eye(6, dtype=np.float32)[np.arange(N) % 6]
    crowd = rng.permutation(N) % 30
    taste = unit_rows((rng.normal(size=(30, 12))[crowd] + 0.4 * rng.normal(size=(N, 12))).astype(np.float32))
    ids = tuple(f"m{i:03d}" for i in range(N))
    return Rows(ids, look, genre, taste, np.ones((N, 3), bool), np.full(N, 20, np.int32))


def no_lift(rows: Rows) -> Lift:
    """Nobody rates anything alike."""
    nothing = np.empty(0)
    ratings = Ratings(nothing.astype(object), nothing.astype(object), nothing, nothing.astype(np.int64))
    return Lift(rows, AffinityModel().fit(ratings, rows.movie_ids))


def questions(rows: Rows, how_near: int, seed: int = 0) -> Matched:
    """Everybody looks for one of the movies that are so near in taste, beside 99 others."""
    rng = np.random.default_rng(seed)
    asking = rng.integers(N, size=900)
    order = np.argsort(-(rows.taste[asking] @ rows.taste.T), axis=1)
    targets = order[np.arange(len(asking)), rng.integers(1, 1 + how_near, size=len(asking))]
    others = rng.integers(N, size=(len(asking), 99))
    return Matched(np.repeat(np.arange(90), 10), asking, np.column_stack([targets, others]))


def test_where_the_nearest_do_not_matter_much_of_the_opening_goes_to_the_kind(rows: Rows) -> None:
    lesson = make_lesson("rated", rows, questions(rows, 100))
    opening, rest = learned_orders(lesson, rows, no_lift(rows))
    assert rest == best_weights(lesson)
    part = (rest[2] - opening[2]) / rest[2]
    assert part >= 0.3
    np.testing.assert_allclose(opening, (1 - part) * np.array(rest) + part * np.array(KIND), atol=1e-3)


def test_where_people_like_only_the_very_nearest_the_opening_is_left_to_liking(rows: Rows) -> None:
    lesson = make_lesson("rated", rows, questions(rows, OPENING // 5))
    opening, rest = learned_orders(lesson, rows, no_lift(rows))
    assert rest[2] > 0.8
    assert opening[2] > 0.75 * rest[2]


def test_weights_of_both_parts_sum_to_one(rows: Rows) -> None:
    for weights in learned_orders(make_lesson("few", rows, questions(rows, 30)), rows, no_lift(rows)):
        assert sum(weights) == pytest.approx(1.0, abs=1e-3)
        assert min(weights) >= 0
