"""Losses for many genres at once, by name.

Each takes logits and targets of shape (n, n_genres), targets in [0, 1], and
gives one number to minimise. ``make_loss`` hands the counts of the training
movies to those that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from embeddings.errors import TrainingError

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class GenreCounts:
    """How often genres occur among the training movies.

    Args:
        positives: float32, (n_genres,): movies of each genre.
        n_movies: Movies altogether.
    """

    positives: Tensor
    n_movies: int


def bce(counts: GenreCounts) -> Loss:
    """Binary cross-entropy, every genre alike.

    Source:
        C. Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.2.
    """
    del counts
    return F.binary_cross_entropy_with_logits


def weighted_bce(counts: GenreCounts, power: float = 0.5, largest: float = 20.0) -> Loss:
    """Cross-entropy whose positives weigh (negatives / positives) ** power.

    Source:
        G. King, L. Zeng, "Logistic Regression in Rare Events Data", Political Analysis 9(2), 2001.
    """
    positives = counts.positives.clamp_min(1)
    weights = ((counts.n_movies - positives).clamp_min(1) / positives).pow(power).clamp_max(largest)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights.to(logits.device))

    return loss


def focal(counts: GenreCounts, gamma: float = 2.0, alpha: float = -1.0) -> Loss:
    """Cross-entropy that looks away from what is already right.

    Args:
        counts: Not used.
        gamma: How much; 0 is plain cross-entropy.
        alpha: Weight of positives, 1 - alpha of negatives; below 0 weighs both alike.

    Source:
        T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
    """
    del counts

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        probs = torch.sigmoid(logits)
        missed = probs * (1 - targets) + (1 - probs) * targets
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none") * missed.pow(gamma)
        if alpha >= 0:
            each = each * (alpha * targets + (1 - alpha) * (1 - targets))
        return each.mean()

    return loss


def asl(
    counts: GenreCounts, gamma_negative: float = 4.0, gamma_positive: float = 1.0, margin: float = 0.05
) -> Loss:
    """Asymmetric loss: easy negatives, which are nearly all, count for little.

    Source:
        T. Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021.
    """
    del counts

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        probs = torch.sigmoid(logits)
        shifted = (probs - margin).clamp_min(0)
        positive = targets * (1 - probs).pow(gamma_positive) * F.logsigmoid(logits)
        negative = (1 - targets) * shifted.pow(gamma_negative) * torch.log1p(-shifted.clamp_max(1 - 1e-7))
        return -(positive + negative).mean()

    return loss


def soft_f1(counts: GenreCounts) -> Loss:
    """1 - macro F1 with probabilities for counts, over the batch, for presence and absence.

    Source:
        A. Maiza, "The Unknown Benefits of using a Soft-F1 Loss in Classification Systems", 2019.
    """
    del counts

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        probs = torch.sigmoid(logits)
        return 1 - (_f1(probs, targets) + _f1(1 - probs, 1 - targets)).mean() / 2

    return loss


def sigmoid_f1(counts: GenreCounts, steepness: float = 1.0, offset: float = 0.0) -> Loss:
    """1 - macro F1 of ``sigmoid(steepness * (logit + offset))``, over the batch.

    Source:
        G. Bénédict et al., "sigmoidF1: A Smooth F1 Score Surrogate Loss for Multilabel
        Classification", TMLR 2022.
    """
    del counts

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return 1 - _f1(torch.sigmoid(steepness * (logits + offset)), targets).mean()

    return loss


def distribution_balanced(
    counts: GenreCounts,
    alpha: float = 0.1,
    beta: float = 10.0,
    mu: float = 0.3,
    negative_scale: float = 5.0,
    bias_scale: float = 0.05,
    gamma: float = 2.0,
    balance: float = 2.0,
) -> Loss:
    """Cross-entropy re-balanced for genres that come together, tolerant of easy negatives, focal.

    Source:
        T. Wu et al., "Distribution-Balanced Loss for Multi-Label Classification in
        Long-Tailed Datasets", ECCV 2020; with the focal factor and the defaults of the authors'
        recipe for VOC (mapping .1, 10, .3; negatives scaled by 5, bias .05 over that scale; focal 2, 2).
    """
    positives = counts.positives.clamp_min(1)
    rarity = 1 / positives
    odds = torch.log((counts.n_movies / positives - 1).clamp_min(1e-3))
    shift = bias_scale / negative_scale * odds

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        rare, moved = rarity.to(logits.device), logits - shift.to(logits.device)
        expected = (targets * rare).sum(1, keepdim=True).clamp_min(1e-12)
        weight = alpha + torch.sigmoid(beta * (rare / expected - mu))
        right, wrong = F.logsigmoid(moved), F.logsigmoid(-negative_scale * moved)
        # What is believed already counts less; exact at both ends, where a difference of one would round.
        positive = -targets * right * torch.sigmoid(-moved).pow(gamma)
        negative = -(1 - targets) * wrong * torch.sigmoid(negative_scale * moved).pow(gamma) / negative_scale
        return balance * (weight * (positive + negative)).mean()

    return loss


LOSSES: Mapping[str, Callable[..., Loss]] = {
    "bce": bce,
    "weighted_bce": weighted_bce,
    "focal": focal,
    "asl": asl,
    "soft_f1": soft_f1,
    "sigmoid_f1": sigmoid_f1,
    "distribution_balanced": distribution_balanced,
}


def make_loss(name: str, counts: GenreCounts, options: Mapping[str, float] | None = None) -> Loss:
    """Build a loss by name.

    Raises:
        TrainingError: The name or an option is unknown.
    """
    if name not in LOSSES:
        raise TrainingError(f"there is no loss {name!r}; choose one of {', '.join(LOSSES)}.")
    try:
        return LOSSES[name](counts, **(options or {}))
    except TypeError as error:
        raise TrainingError(f"loss {name}: {error}; see its function for its options.") from error


def _f1(probs: Tensor, targets: Tensor) -> Tensor:
    """F1 of each genre over the batch with probabilities for counts, (n_genres,)."""
    agreed = (probs * targets).sum(0)
    return 2 * agreed / (probs.sum(0) + targets.sum(0)).clamp_min(1e-12)
