from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.taste_map import unit_rows
from indexer.types import Rows
from recommender.weight_choice import (
    Lesson,
    best_weights,
    genre_agreement,
    kindred_weights,
    ndcg_by_person,
    weight_grid,
)


def lesson_where(signal_helps: tuple[float, float, float], seed: int = 0) -> Lesson:
    """Questions of 100 people; a signal scores the movie to be found so much above the 99 others."""
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(3, 800, 100))
    signals[:, :, 0] += np.array(signal_helps)[:, None]
    return Lesson("rated", np.repeat(np.arange(100), 8), signals)


@pytest.fixture(scope="module")
def rows() -> Rows:
    """300 movies of six genres; look and taste know nothing of the genre."""
    rng = np.random.default_rng(1)
    look, taste = (unit_rows(rng.normal(size=(300, 8)).astype(np.float32)) for _ in range(2))
    genre = np.eye(6, dtype=np.float32)[np.arange(300) % 6]
    ids = tuple(f"m{i:03d}" for i in range(300))
    return Rows(ids, look, genre, taste, np.ones((300, 3), bool), np.full(300, 20, np.int32))


def test_the_best_weights_lie_in_the_middle_of_the_best_region_not_at_a_lucky_point() -> None:
    taste_alone = shares(best_weights(lesson_where((0.0, 0.0, 2.0))))
    np.testing.assert_allclose(taste_alone, (0, 0, 1), atol=0.16)


def shares(weights: tuple[float, float, float]) -> NDArray[np.float64]:
    return np.array(weights)


def test_the_grid_holds_every_weighting_once_and_each_sums_to_one() -> None:
    grid = weight_grid(0.25)
    assert len(grid) == 15 == len({tuple(row) for row in grid.tolist()})
    np.testing.assert_allclose(grid.sum(axis=1), 1.0)


def test_the_figure_of_a_person_is_the_mean_over_their_questions() -> None:
    signals = np.zeros((3, 3, 100))
    signals[0, 0, 0] = signals[0, 1, 0] = 1.0  # found first by the visual signal
    signals[0, 2, 1:] = 1.0  # found last
    figures = ndcg_by_person(Lesson("rated", np.array([7, 9, 9]), signals), np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(figures, [[1.0, 0.5]])


def test_lists_by_genre_agree_wholly_and_lists_by_chance_as_often_as_genres_meet(rows: Rows) -> None:
    by_genre, by_look = genre_agreement(rows, np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    assert by_genre == pytest.approx(1.0)
    assert by_look == pytest.approx(1 / 6, abs=0.03)


def test_too_few_movies_have_no_agreement(rows: Rows) -> None:
    assert genre_agreement(rows.take(np.arange(10)), weight_grid(0.5)).tolist() == [0.0] * 6


def test_a_signal_that_helps_alone_gets_nearly_everything(rows: Rows) -> None:
    assert kindred_weights(lesson_where((0.0, 0.0, 2.0)), rows)[2] >= 0.75


def test_where_look_and_genre_help_alike_genre_gets_no_less(rows: Rows) -> None:
    visual, genre, _ = kindred_weights(lesson_where((1.0, 1.0, 2.0)), rows)
    assert genre >= visual


@pytest.mark.parametrize("helps", [(0.5, 1.0, 2.0), (0.0, 0.5, 2.5), (2.0, 0.3, 0.3)])
def test_the_chosen_weights_are_nearly_as_good_as_the_best_and_their_lists_agree_no_less(helps, rows) -> None:
    lesson = lesson_where(helps)
    grid = weight_grid()
    best = grid[np.argmax(ndcg_by_person(lesson, grid).mean(axis=1))]
    chosen = shares(kindred_weights(lesson, rows))
    figures = ndcg_by_person(lesson, np.stack([chosen, best])).mean(axis=1)
    assert figures[0] >= 0.98 * figures[1]
    agreement = genre_agreement(rows, np.stack([chosen, best]))
    assert agreement[0] >= agreement[1] - 0.03
