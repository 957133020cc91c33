"""Classical rivals: frozen features or colour histograms, and a classifier of scikit-learn on top."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


class FittedBaseline:
    """A baseline that has learnt: features, classifier, calibration and cuts.

    Args:
        baseline: What it is.
        data: The movies; the training side is learnt from, calibration and cuts are of the validation side.
        device: Where a net that gives features runs.

    Raises:
        TrainingError: The classifier is unknown.
        InvalidRequestError: There is no such architecture or no such weights.
        CheckpointError: A weights file is missing.
    """

    def __init__(self, baseline: Baseline, data: TrainingData, device: torch.device) -> None:
        check_baseline(baseline)
        self._look = FeatureReader(baseline, len(data.genres), device)
        self._model = CLASSIFIERS[baseline.classifier](baseline.seed)
        known = data.hard[data.train] > 0.5
        # scikit-learn wants one genre as a row, several as columns.
        target = known if known.shape[1] > 1 else known.ravel()
        self._model.fit(self._look(data.cache.pixels, data.train), target)
        fitted = _scores(self._model, self._look(data.cache.pixels, data.validation))
        self._calibration = fit_calibration(fitted, data.hard[data.validation])
        cuts = fit_thresholds(self._calibration.apply(fitted), data.hard[data.validation])
        self._thresholds = np.asarray(cuts, dtype=np.float32)

    @property
    def n_parameters(self) -> int:
        """How many numbers it predicts with: of net, scaler and classifier; a forest's are its nodes."""
        return self._look.n_parameters + sum(_n_numbers(step) for _, step in self._model.steps)

    def predict(self, pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Calibrated probabilities, float32, (len(rows), n_genres), of posters (n, h, w, 3)."""
        return self._calibration.apply(_scores(self._model, self._look(pixels, rows)))

    def judge(self, data: TrainingData) -> JudgedPosters:
        """Predictions for the test side.

        Raises:
            TrainingError: There is none.
        """
        if not len(data.test):
            raise TrainingError("a baseline is judged on the test side; give data.fractions a third share.")
        return JudgedPosters(
            tuple(data.cache.movie_ids[row] for row in data.test),
            data.genres,
            data.hard[data.test],
            self.predict(data.cache.pixels, data.test),
            self._thresholds,
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


class FeatureReader:
    """Features of decoded posters: of a net that does not learn, or of their colours.

    Args:
        baseline: Which features; where weights are drawn, by its seed.
        n_genres: Of the net's head, which is not asked.
        device: Where the net runs.
    """

    def __init__(self, baseline: Baseline, n_genres: int, device: torch.device) -> None:
        self._device, self._net = device, None
        if baseline.features != HISTOGRAM:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(baseline.seed)
                net = build_model(baseline.features, n_genres, init=baseline.init)
            self._net = net.eval().to(device)

    @property
    def n_parameters(self) -> int:
        """Parameters of the net's backbone; 0 for colours."""
        return 0 if self._net is None else sum(value.numel() for value in self._net.backbone.parameters())

    def __call__(self, pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Features of some of ``pixels`` (n, h, w, 3), float32, (len(rows), width)."""
        if self._net is None:
            return np.stack([color_histogram(pixels[row]) for row in rows])
        dtype, parts = autocast_dtype(self._device), []
        with torch.inference_mode(), torch.autocast(self._device.type, dtype, dtype is not None):
            for batch, _ in batches_of(pixels, rows, 64, self._device):
                parts.append(self._net.forward_features(batch).float().cpu().numpy())
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


def _n_numbers(step: Any) -> int:
    """How many fitted numbers a step of a classifier's pipeline predicts with."""
    if isinstance(step, StandardScaler):
        return int(step.mean_.size + step.scale_.size)
    if isinstance(step, RandomForestClassifier):
        return int(sum(tree.tree_.node_count for tree in step.estimators_))
    # A genre that all or none of the training movies have has a constant in place of weights.
    parts = [part for part in step.estimators_ if hasattr(part, "coef_")]
    return int(sum(part.coef_.size + part.intercept_.size for part in parts))
