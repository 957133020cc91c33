"""Confidence intervals by drawing people again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 1_000


def interval(per_person: NDArray[np.float64], seed: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean over people.

    Args:
        per_person: (n_people,), one figure per person.
        seed: Of the draws.
        level: Share of the draws inside.
    """
    means = _draws(len(per_person), seed) @ per_person if len(per_person) else per_person
    return _quantiles(means, level)


def relative_gain(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], seed: int, level: float = 0.95
) -> tuple[float, float, float]:
    """How much higher the mean of ``ours`` is than that of ``theirs``, as a share of theirs.

    Both are figures of the same people, who are drawn together: what makes a
    person hard for both does not widen the interval.

    Returns:
        Gain, and its interval; NaN where the mean of ``theirs`` is 0.
    """
    if not len(theirs) or theirs.mean() == 0:
        return float("nan"), float("nan"), float("nan")
    draws = _draws(len(ours), seed)
    base = draws @ theirs
    gains = np.where(base > 0, (draws @ ours) / np.maximum(base, 1e-12) - 1.0, np.nan)
    low, high = _quantiles(gains[~np.isnan(gains)], level)
    return float(ours.mean() / theirs.mean() - 1.0), low, high


def _draws(n: int, seed: int) -> NDArray[np.float64]:
    """How often each person is drawn, as shares: (N_DRAWS, n)."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.multinomial(n, np.full(n, 1.0 / n), size=N_DRAWS) / n)


def _quantiles(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
