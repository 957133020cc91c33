"""The reliability bins of an evaluation: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.evaluation.document import JudgedPosters, reliability_bins
from embeddings.genres import GenreVocabulary


def judged(probs: list[float], targets: list[float]) -> JudgedPosters:
    n = len(probs)
    return JudgedPosters(
        tuple(map(str, range(n))),
        GenreVocabulary(("Drama",)),
        np.array(targets, np.float32)[:, None],
        np.array(probs, np.float32)[:, None],
        np.array([0.5], np.float32),
    )


def test_each_bin_says_what_was_predicted_and_what_came_true() -> None:
    probs = [0.1] * 15 + [0.8] * 15
    targets = ([1.0] + [0.0] * 14) + [1.0] * 15
    bins = reliability_bins(judged(probs, targets))
    assert sum(one["count"] for one in bins) == 30
    low = [one for one in bins if one["predicted"] == pytest.approx(0.1)]
    high = [one for one in bins if one["predicted"] == pytest.approx(0.8)]
    assert sum(one["observed"] * one["count"] for one in low) == pytest.approx(1)
    assert all(one["observed"] == 1 for one in high)


def test_fewer_predictions_than_bins_get_a_bin_each() -> None:
    bins = reliability_bins(judged([0.9, 0.2], [1.0, 0.0]))
    assert [one["predicted"] for one in bins] == pytest.approx([0.2, 0.9])
