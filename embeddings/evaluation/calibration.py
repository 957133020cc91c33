"""Making probabilities mean what they say: Platt scaling, one genre at a time, steadied by all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from embeddings.checkpoint import Calibration

# A genre's own scale and bias pay for leaving the common ones as if this many movies spoke against it.
_PRIOR_MOVIES = 20.0


def fit_calibration(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> Calibration:
    """Fit scale and bias of each genre on validation movies.

    First one scale and one bias for all genres; then each genre's own, drawn
    towards the common ones, so that a genre of thirty movies is not fitted to
    its accidents.

    Args:
        logits: float32, (n, n_genres).
        targets: Zeros and ones, float32, (n, n_genres).

    Raises:
        ValueError: The shapes differ or there is no row.

    Source:
        J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999;
        C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    if logits.shape != targets.shape or not len(logits):
        raise ValueError(f"logits {logits.shape} and targets {targets.shape} must agree and not be empty")
    z, y = logits.astype(np.float64), targets.astype(np.float64)
    common = _fit_platt(z.ravel(), y.ravel(), np.array([0.0, 0.0]), 0.0)
    own = [_fit_platt(z[:, g], y[:, g], common, _PRIOR_MOVIES) for g in range(z.shape[1])]
    return Calibration(
        tuple(float(np.exp(log_scale)) for log_scale, _ in own), tuple(float(bias) for _, bias in own)
    )


def fit_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> Calibration:
    """Fit one temperature for all genres and no bias: what is left when validation movies are few.

    Raises:
        ValueError: The shapes differ or there is no row.
    """
    if logits.shape != targets.shape or not len(logits):
        raise ValueError(f"logits {logits.shape} and targets {targets.shape} must agree and not be empty")
    z, y = logits.astype(np.float64).ravel(), targets.astype(np.float64).ravel()
    found = minimize(lambda p: _loss(np.array([p[0], 0.0]), z, y)[0] / len(z), [0.0], method="L-BFGS-B")
    n_genres = logits.shape[1]
    return Calibration((float(np.exp(found.x[0])),) * n_genres, (0.0,) * n_genres)


def _fit_platt(
    z: NDArray[np.float64], y: NDArray[np.float64], centre: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    """Log scale and bias that minimise cross-entropy plus a pull towards ``centre``.

    The scale is fitted as its logarithm: a negative one would turn the ranking round.
    """

    def objective(p: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = _loss(p, z, y)
        away = p - centre
        return (value + strength * float(away @ away)) / len(z), (slope + 2 * strength * away) / len(z)

    bounds = [(-4.0, 4.0), (-20.0, 20.0)]
    found: NDArray[np.float64] = minimize(objective, centre, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found


def _loss(
    p: NDArray[np.float64], z: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Summed cross-entropy of sigmoid(exp(p0) z + p1), and its slope."""
    scaled = np.exp(p[0]) * z
    margin = scaled + p[1]
    missed = 0.5 * (1 + np.tanh(0.5 * margin)) - y
    value = float(np.sum(np.logaddexp(0.0, margin) - y * margin))
    return value, np.array([float(missed @ scaled), float(missed.sum())])
