from __future__ import annotations

import numpy as np
import pytest

from recommender.evaluation.bootstrap import interval, relative_gain


def test_the_interval_is_that_of_a_mean_of_independent_people() -> None:
    figures = np.random.default_rng(0).normal(0.5, 0.2, size=400)
    low, high = interval(figures, seed=1)
    half = 1.96 * figures.std() / np.sqrt(400)
    assert low == pytest.approx(figures.mean() - half, abs=0.003)
    assert high == pytest.approx(figures.mean() + half, abs=0.003)


def test_a_gain_that_everybody_has_is_certain_however_different_the_people() -> None:
    theirs = np.random.default_rng(0).random(50)
    gain, low, high = relative_gain(theirs * 1.2, theirs, seed=0)
    assert (gain, low, high) == (pytest.approx(0.2), pytest.approx(0.2), pytest.approx(0.2))


def test_no_difference_has_an_interval_around_zero() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.random(300), rng.random(300)
    _, low, high = relative_gain(one, other, seed=0)
    assert low < 0 < high


def test_a_gain_over_nothing_is_not_a_number() -> None:
    assert np.isnan(relative_gain(np.ones(3), np.zeros(3), seed=0)).all()
    assert np.isnan(interval(np.empty(0), seed=0)).all()
