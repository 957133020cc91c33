"""Losses against answers worked out by hand, and against each other where they must agree."""

import math

import pytest
import torch
import torch.nn.functional as F

from embeddings.errors import TrainingError
from embeddings.training.losses import LOSSES, GenreCounts, make_loss

COUNTS = GenreCounts(torch.tensor([25.0, 50.0]), 100)
LOGITS = torch.tensor([[2.0, -1.0], [-0.5, 0.3], [0.0, 1.0]])
TARGETS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def loss_of(
    name: str, logits: torch.Tensor = LOGITS, targets: torch.Tensor = TARGETS, **options: float
) -> float:
    return float(make_loss(name, COUNTS, options)(logits, targets))


def test_cross_entropy_of_even_odds_is_log_two() -> None:
    assert loss_of("bce", torch.zeros(3, 2)) == pytest.approx(math.log(2))


def test_weighted_cross_entropy_counts_a_positive_by_the_odds_against_it() -> None:
    # Genre 0 has 25 of 100 movies: weight 75 / 25 = 3; genre 1 has 50: weight 1. Even odds cost log 2 each.
    positives_only = torch.tensor([[1.0, 1.0]])
    assert loss_of("weighted_bce", torch.zeros(1, 2), positives_only, power=1.0) == pytest.approx(
        2 * math.log(2)
    )
    negatives_only = torch.zeros(1, 2)
    assert loss_of("weighted_bce", torch.zeros(1, 2), negatives_only, power=1.0) == pytest.approx(math.log(2))


def test_focal_without_focus_is_cross_entropy() -> None:
    assert loss_of("focal", gamma=0.0) == pytest.approx(loss_of("bce"))


def test_focal_at_even_odds_is_a_quarter_of_cross_entropy() -> None:
    assert loss_of("focal", torch.zeros(3, 2), gamma=2.0) == pytest.approx(math.log(2) / 4)


def test_focal_alpha_weighs_positives_and_negatives() -> None:
    logits, targets = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    assert loss_of("focal", logits, targets, gamma=0.0, alpha=0.25) == pytest.approx(math.log(2) / 2)
    assert loss_of("focal", logits, torch.ones(1, 2), gamma=0.0, alpha=0.25) == pytest.approx(math.log(2) / 4)


def test_asymmetric_loss_without_asymmetry_is_cross_entropy() -> None:
    assert loss_of("asl", gamma_negative=0, gamma_positive=0, margin=0.0) == pytest.approx(
        loss_of("bce"), rel=1e-5
    )


def test_asymmetric_loss_forgives_negatives_below_its_margin_entirely() -> None:
    sure = torch.full((1, 2), math.log(0.04 / 0.96))
    assert loss_of("asl", sure, torch.zeros(1, 2), margin=0.05) == 0.0


def test_asymmetric_loss_of_a_known_negative() -> None:
    # p = 0.5, shifted to 0.45: -(0.45 ** 4) * log(0.55).
    expected = -(0.45**4) * math.log(0.55)
    assert loss_of("asl", torch.zeros(1, 2), torch.zeros(1, 2)) == pytest.approx(expected, rel=1e-5)


def test_asymmetric_loss_of_a_known_positive() -> None:
    # p = 0.5, focused once: -(0.5) * log(0.5); the margin is for negatives alone.
    assert loss_of("asl", torch.zeros(1, 2), torch.ones(1, 2)) == pytest.approx(0.5 * math.log(2), rel=1e-5)


def test_soft_f1_is_nothing_when_all_is_right_and_one_when_all_is_wrong() -> None:
    sure = (TARGETS * 2 - 1) * 40
    assert loss_of("soft_f1", sure) == pytest.approx(0.0, abs=1e-6)
    assert loss_of("soft_f1", -sure) == pytest.approx(1.0, abs=1e-6)


def test_soft_f1_of_even_odds_by_hand() -> None:
    # Three movies at 0.5, two of them of the genre: F1+ = 2*1/(1.5+2), F1- = 2*0.5/(1.5+1).
    targets = torch.tensor([[1.0], [1.0], [0.0]])
    assert loss_of("soft_f1", torch.zeros(3, 1), targets) == pytest.approx(1 - (2 / 3.5 + 1 / 2.5) / 2)


def test_sigmoid_f1_of_even_odds_by_hand() -> None:
    targets = torch.tensor([[1.0], [1.0], [0.0]])
    assert loss_of("sigmoid_f1", torch.zeros(3, 1), targets) == pytest.approx(1 - 2 / 3.5)
    assert loss_of("sigmoid_f1", torch.zeros(3, 1), targets, steepness=9.0) == pytest.approx(1 - 2 / 3.5)
    assert loss_of("sigmoid_f1", torch.ones(3, 1), targets, offset=-1.0) == pytest.approx(1 - 2 / 3.5)


def test_distribution_balanced_without_tolerance_or_shift_is_weighted_cross_entropy() -> None:
    options = {"negative_scale": 1.0, "bias_scale": 0.0, "beta": 0.0, "gamma": 0.0, "balance": 1.0}
    # With beta 0 the re-balancing weight is 0.1 + sigmoid(0) = 0.6 everywhere.
    assert loss_of("distribution_balanced", **options) == pytest.approx(0.6 * loss_of("bce"), rel=1e-5)


def test_distribution_balanced_weighs_the_rarer_genre_of_a_movie_more() -> None:
    options = {"negative_scale": 1.0, "bias_scale": 0.0, "gamma": 0.0, "balance": 1.0}
    both = torch.ones(1, 2)
    shares = torch.tensor([1 / 25, 1 / 50]) / (1 / 25 + 1 / 50)
    weights = 0.1 + torch.sigmoid(10 * (shares - 0.3))
    expected = float((weights * math.log(2)).mean())
    assert loss_of("distribution_balanced", torch.zeros(1, 2), both, **options) == pytest.approx(
        expected, rel=1e-5
    )


def test_distribution_balanced_of_a_known_movie_with_its_published_defaults() -> None:
    # Only genre 0: rarities 1/25 and 1/50 over 1/25; shifts 0.01 log(3) and 0; negatives five times as steep;
    # focal: twice the square of what is not believed yet.
    weights = [0.1 + 1 / (1 + math.exp(-10 * (share - 0.3))) for share in (1.0, 0.5)]
    doubt = 1 / (1 + 3**-0.01)
    positive = 2 * doubt**2 * -math.log(1 - doubt)
    negative = 2 * 0.5**2 * math.log(2) / 5
    expected = (weights[0] * positive + weights[1] * negative) / 2
    found = loss_of("distribution_balanced", torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_teaches_a_linear_model_to_separate(name: str) -> None:
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(64, 2, generator=rng)
    targets = (x > 0.5).float()
    weight, bias = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    loss = make_loss(name, COUNTS)
    before = loss_of(name, torch.zeros(64, 2), targets)
    optimizer = torch.optim.Adam([weight, bias], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        value = loss(x * weight + bias, targets)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert float(value.detach()) < before
    assert (weight > 0.5).all()


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_stays_finite_at_extreme_logits(name: str) -> None:
    logits = torch.tensor([[90.0, -90.0], [-90.0, 90.0]], requires_grad=True)
    value = make_loss(name, COUNTS)(logits, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    value.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_unknown_losses_and_options_are_refused_by_name() -> None:
    with pytest.raises(TrainingError, match="no loss 'hinge'"):
        make_loss("hinge", COUNTS)
    with pytest.raises(TrainingError, match="gama"):
        make_loss("focal", COUNTS, {"gama": 1.0})


def test_cross_entropy_is_torchs_own() -> None:
    assert loss_of("bce") == pytest.approx(float(F.binary_cross_entropy_with_logits(LOGITS, TARGETS)))
