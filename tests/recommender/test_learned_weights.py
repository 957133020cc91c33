from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.learned_weights import Lesson, best_weights, even_weights, ndcg_by_person, weight_grid


def lesson_where(signal_helps: tuple[float, float, float], seed: int = 0) -> Lesson:
    """Questions of 100 people; a signal scores the movie to be found so much above the 99 others."""
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(3, 800, 100))
    signals[:, :, 0] += np.array(signal_helps)[:, None]
    return Lesson("rated", np.repeat(np.arange(100), 8), signals)


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


def test_signals_that_help_alike_get_alike_shares() -> None:
    np.testing.assert_allclose(shares(even_weights(lesson_where((2.0, 2.0, 2.0)))), 1 / 3, atol=0.06)


def test_a_signal_that_helps_alone_gets_nearly_everything() -> None:
    assert even_weights(lesson_where((0.0, 0.0, 2.0)))[2] >= 0.75


@pytest.mark.parametrize("helps", [(0.5, 1.0, 2.0), (0.0, 0.5, 2.5), (2.0, 0.3, 0.3)])
def test_the_even_weighting_is_nearly_as_good_as_the_best_and_no_less_even(helps) -> None:
    lesson = lesson_where(helps)
    even, best = shares(even_weights(lesson)), shares(best_weights(lesson))
    figures = ndcg_by_person(lesson, np.stack([even, best])).mean(axis=1)
    assert figures[0] >= 0.97 * figures[1]
    assert (even**2).sum() <= (best**2).sum() + 1e-9
