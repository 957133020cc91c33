from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.matched import Matched
from recommender.weight_choice import (
    Lesson,
    best_weights,
    ndcg_by_person,
    weight_grid,
)


def lesson_where(signal_helps: tuple[float, float, float], seed: int = 0) -> Lesson:
    """Questions of 100 people; a signal scores the movie to be found so much above the 99 others."""
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(3, 800, 100))
    signals[:, :, 0] += np.array(signal_helps)[:, None]
    return Lesson("rated", asked_by(np.repeat(np.arange(100), 8)), signals)


def asked_by(people: NDArray[np.int64]) -> Matched:
    """Questions of these people about a hundred movies."""
    return Matched(people, np.zeros(len(people), np.int64), np.tile(np.arange(100), (len(people), 1)))


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
    figures = ndcg_by_person(
        Lesson("rated", asked_by(np.array([7, 9, 9])), signals), np.array([[1.0, 0.0, 0.0]])
    )
    np.testing.assert_allclose(figures, [[1.0, 0.5]])
