"""Classical rivals: frozen features or colour histograms, and a classifier of scikit-learn on top."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from embeddings.devices import autocast_dtype
from embeddings.errors import TrainingError
from embeddings.evaluation.calibration import fit_calibration
from embeddings.evaluation.document import JudgedPosters
from embeddings.evaluation.thresholds import fit_thresholds
from embeddings.models.registry import build_model, check_names
from embeddings.training.batches import batches_of
from embeddings.training.data import TrainingData

HISTOGRAM = "color_histogram"
_N_BINS = 8
_GRID = (3, 2)


@dataclass(frozen=True)
class Baseline:
    """A classical classifier on fixed features.

    Args:
        classifier: ``random_forest``, ``logistic_regression`` or ``linear_svc``.
        features: An architecture whose pooled features are taken, or ``color_histogram``.
        init: The architecture's weights.
        seed: Of the forest, the support vectors, and weights that are drawn.
    """

    classifier: str
    features: str
    init: str = "imagenet"
    seed: int = 0


CLASSIFIERS: Mapping[str, Callable[[int], Pipeline]] = {
    "random_forest": lambda seed: make_pipeline(
        RandomForestClassifier(300, min_samples_leaf=3, max_features="sqrt", random_state=seed)
    ),
    "logistic_regression": lambda seed: make_pipeline(
        StandardScaler(), OneVsRestClassifier(LogisticRegression(C=1e-3, max_iter=300))
    ),
    "linear_svc": lambda seed: make_pipeline(
        StandardScaler(), OneVsRestClassifier(LinearSVC(C=1e-4, random_state=seed))
    ),
}


def judge_baseline(baseline: Baseline, data: TrainingData, device: torch.device) -> JudgedPosters:
    """Fit a baseline on the training side and predict the test side.

    Scores are calibrated and cut on the validation side, as those of the nets are.

    Raises:
        TrainingError: The classifier is unknown, or there is no test side.
        InvalidRequestError: There is no such architecture or no such weights.
        CheckpointError: A weights file is missing.
    """
    check_baseline(baseline)
    if not len(data.test):
        raise TrainingError("a baseline is judged on the test side; give data.fractions a third share.")
    features = extract_features(baseline, data, device)
    model = CLASSIFIERS[baseline.classifier](baseline.seed)
    known = data.hard[data.train] > 0.5
    # scikit-learn wants one genre as a row, several as columns.
    model.fit(features[data.train], known if known.shape[1] > 1 else known.ravel())
    fitted = _scores(model, features[data.validation])
    calibration = fit_calibration(fitted, data.hard[data.validation])
    thresholds = fit_thresholds(calibration.apply(fitted), data.hard[data.validation])
    return JudgedPosters(
        tuple(data.cache.movie_ids[row] for row in data.test),
        data.genres,
        data.hard[data.test],
        calibration.apply(_scores(model, features[data.test])),
        np.asarray(thresholds, dtype=np.float32),
    )


def check_baseline(baseline: Baseline) -> None:
    """Refuse names that do not exist, without building anything.

    Raises:
        TrainingError: The classifier is unknown.
        InvalidRequestError: There is no such architecture or no such weights.
        CheckpointError: A weights file is missing.
    """
    if baseline.classifier not in CLASSIFIERS:
        raise TrainingError(
            f"there is no classifier {baseline.classifier!r}; choose one of {', '.join(CLASSIFIERS)}."
        )
    if baseline.features != HISTOGRAM:
        check_names(baseline.features, baseline.init)


def extract_features(baseline: Baseline, data: TrainingData, device: torch.device) -> NDArray[np.float32]:
    """Features of every cached poster, float32, (n, width)."""
    if baseline.features == HISTOGRAM:
        return np.stack([color_histogram(pixels) for pixels in data.cache.pixels])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(baseline.seed)
        net = build_model(baseline.features, len(data.genres), init=baseline.init)
    net = net.eval().to(device)
    dtype = autocast_dtype(device)
    rows = np.arange(len(data.cache), dtype=np.int64)
    parts = []
    with torch.inference_mode(), torch.autocast(device.type, dtype, dtype is not None):
        for pixels, _ in batches_of(data.cache.pixels, rows, 64, device):
            parts.append(net.forward_features(pixels).float().cpu().numpy())
    return np.concatenate(parts)


def color_histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shares of 8 levels of each channel in each of 3x2 fields.

    Args:
        pixels: uint8 RGB, (h, w, 3).

    Returns:
        float32, (144,); each channel of each field sums to 1.
    """
    levels = (pixels >> 5).astype(np.int64)
    fields = [
        part for row in np.array_split(levels, _GRID[0]) for part in np.array_split(row, _GRID[1], axis=1)
    ]
    counts = [
        np.bincount(field[..., channel].ravel(), minlength=_N_BINS) / field[..., channel].size
        for field in fields
        for channel in range(3)
    ]
    return np.concatenate(counts).astype(np.float32)


def _scores(model: Pipeline, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """One score per genre on a scale like logits, float32, (n, n_genres)."""
    if hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(features), dtype=np.float32)
        return scores.reshape(len(features), -1)
    # A forest gives one (n, n_classes) array for each genre, or that array alone where there is one genre;
    # a genre that all or none of the training movies have is one class. Smoothing keeps the logits finite.
    probs, classes = model.predict_proba(features), model.classes_
    if isinstance(probs, np.ndarray):
        probs, classes = [probs], [classes]
    positive = np.stack(
        [part[:, known > 0].sum(axis=1) for part, known in zip(probs, classes, strict=True)], axis=1
    )
    positive = np.clip(positive, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(positive / (1 - positive)), dtype=np.float32)
