"""Cuts and calibration fitted on movies whose truth is known."""

import numpy as np
import pytest

from embeddings.checkpoint import Calibration
from embeddings.evaluation.calibration import fit_calibration, fit_temperature
from embeddings.evaluation.metrics import adaptive_ece
from embeddings.evaluation.thresholds import best_cut, fit_thresholds, sweep_thresholds


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def honest_world(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True logits of a common, a middling and a rare genre, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal([0.0, -1.5, -4.0], 1.5, (n, 3))
    return logits.astype(np.float32), (rng.random((n, 3)) < sigmoid(logits)).astype(np.float32)


def test_the_best_cut_lies_between_the_movies_it_parts() -> None:
    probs = np.array([0.9, 0.8, 0.4, 0.3], dtype=np.float32)
    assert best_cut(probs, np.array([1, 1, 0, 0], dtype=np.float32)) == pytest.approx(0.6)
    assert best_cut(probs, np.array([0, 0, 0, 0], dtype=np.float32)) == 0.5


def test_the_best_cut_never_falls_between_equal_probabilities() -> None:
    probs = np.array([0.7, 0.5, 0.5, 0.1], dtype=np.float32)
    cut = best_cut(probs, np.array([1, 1, 0, 0], dtype=np.float32))
    assert ((probs >= cut).sum()) in (1, 3)


def test_platt_scaling_finds_the_distortion_again() -> None:
    logits, targets = honest_world(20_000)
    distorted = ((logits - 0.7) / 0.4).astype(np.float32)
    found = fit_calibration(distorted, targets)
    assert found.scale == pytest.approx((0.4, 0.4, 0.4), rel=0.1)
    assert found.bias == pytest.approx((0.7, 0.7, 0.7), abs=0.15)


def test_calibration_makes_overconfident_logits_honest_on_unseen_movies() -> None:
    logits, targets = honest_world(4000)
    distorted = logits * 3
    found = fit_calibration(distorted[:2000], targets[:2000])
    truth = targets[2000:].ravel().astype(float)
    before = adaptive_ece(truth, sigmoid(distorted[2000:]).ravel())
    after = adaptive_ece(truth, found.apply(distorted[2000:]).ravel().astype(float))
    assert after < 0.02 < before


def test_a_genre_of_a_handful_of_movies_stays_near_the_common_calibration() -> None:
    logits, targets = honest_world(400)
    targets[:, 2] = 0
    targets[np.argsort(logits[:, 2])[:3], 2] = 1  # three movies, all where they are least expected
    found = fit_calibration(logits, targets)
    assert found.scale[2] > 0, "the ranking is never turned round"
    own_only = fit_calibration(logits[:, 2:], targets[:, 2:])
    common = fit_calibration(logits[:, :2], targets[:, :2])
    middle = np.mean(common.scale)
    assert abs(np.log(found.scale[2] / middle)) <= abs(np.log(own_only.scale[0] / middle)) + 1e-6


def test_one_temperature_finds_the_distortion_again() -> None:
    logits, targets = honest_world(20_000)
    found = fit_temperature((logits / 0.5).astype(np.float32), targets)
    assert found.scale[0] == pytest.approx(0.5, rel=0.05)
    assert found.bias == (0.0, 0.0, 0.0)


def test_calibration_of_no_movies_is_refused() -> None:
    with pytest.raises(ValueError, match="must agree and not be empty"):
        fit_calibration(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))


def test_a_common_cut_sweep_covers_one_to_ninety_nine_percent() -> None:
    logits, targets = honest_world(500)
    sweep = sweep_thresholds(Calibration.none(3).apply(logits), targets)
    assert (len(sweep.thresholds), sweep.thresholds[0], sweep.thresholds[-1]) == (99, 0.01, 0.99)
    chosen = Calibration.none(3).apply(logits) >= 0.5
    hits = (chosen * targets).sum(0)
    f1 = 2 * hits / (chosen.sum(0) + targets.sum(0))
    assert sweep.macro_f1[49] == pytest.approx(f1.mean())


def f1_of(logits: np.ndarray, targets: np.ndarray, cuts: object) -> np.ndarray:
    chosen = sigmoid(logits) >= np.asarray(cuts)
    result: np.ndarray = 2 * (chosen * targets).sum(0) / (chosen.sum(0) + targets.sum(0))
    return result


def test_fitted_cuts_are_nearly_as_good_on_unseen_movies_as_the_best_there_are() -> None:
    unseen_logits, unseen = honest_world(20_000, seed=99)
    best = [best_cut(sigmoid(unseen_logits[:, g]), unseen[:, g]) for g in range(3)]
    ceiling = f1_of(unseen_logits, unseen, best)
    reached = np.mean(
        [
            f1_of(unseen_logits, unseen, fit_thresholds(sigmoid(z).astype(np.float32), y))
            for z, y in (honest_world(1500, seed) for seed in range(5))
        ],
        axis=0,
    )
    assert (reached > ceiling - np.array([0.01, 0.02, 0.06])).all()


def test_steadied_cuts_serve_a_rare_genre_better_than_its_own_best_cut() -> None:
    unseen_logits, unseen = honest_world(20_000, seed=99)
    steadied, own = [], []
    for seed in range(10):
        logits, targets = honest_world(400, seed)
        probs = sigmoid(logits).astype(np.float32)
        steadied.append(f1_of(unseen_logits, unseen, fit_thresholds(probs, targets))[2])
        own.append(f1_of(unseen_logits, unseen, [best_cut(probs[:, g], targets[:, g]) for g in range(3)])[2])
    assert np.mean(steadied) > np.mean(own)
    assert min(steadied) > 0


def test_cuts_drawn_towards_the_common_one_serve_all_genres_together_and_hardly_cost_single_ones() -> None:
    unseen_logits, unseen = honest_world(20_000, seed=99)

    def figures(towards_common: float) -> tuple[float, float]:
        macro, micro = [], []
        for seed in range(5):
            logits, targets = honest_world(1000, seed)
            cuts = fit_thresholds(sigmoid(logits).astype(np.float32), targets, 0, towards_common)
            chosen = sigmoid(unseen_logits) >= np.asarray(cuts)
            macro.append(f1_of(unseen_logits, unseen, cuts).mean())
            micro.append(2 * (chosen * unseen).sum() / (chosen.sum() + unseen.sum()))
        return float(np.mean(macro)), float(np.mean(micro))

    (macro, micro), (drawn_macro, drawn_micro) = figures(0.0), figures(0.1)
    assert drawn_micro > micro
    assert drawn_macro > macro - 0.005


def test_the_same_movies_give_the_same_cuts() -> None:
    logits, targets = honest_world(300)
    probs = sigmoid(logits).astype(np.float32)
    assert fit_thresholds(probs, targets) == fit_thresholds(probs, targets)
