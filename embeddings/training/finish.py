"""From the best epoch's weights to a checkpoint: stored narrow, calibrated, cut, judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.checkpoint import Calibration, CheckpointManifest
from embeddings.checkpoint_weights import save_checkpoint
from embeddings.encoder import Encoder
from embeddings.evaluation.calibration import fit_calibration
from embeddings.evaluation.document import JudgedPosters, at_common_cuts, evaluation_document
from embeddings.evaluation.thresholds import fit_thresholds
from embeddings.models.poster_net import PosterNet
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData
from embeddings.training.history import told_history
from embeddings.transforms import Preprocessing

HEADLINES = (
    "n",
    "macro_f1",
    "micro_f1",
    "mean_average_precision",
    "hamming_skill",
    "brier_skill",
    "ece",
    "jaccard",
    "subset_accuracy",
)
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Told:
    """What a checkpoint tells about how it came to be.

    Args:
        provenance: Data, settings, the kept epoch.
        history: Figures of each epoch.
    """

    provenance: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Finished:
    """A finished checkpoint and its figures.

    Args:
        manifest: As written.
        validation: Figures of the movies that cuts and calibration were fitted on: flattering.
        test: Figures of movies that nothing was fitted on; None without a test side.
        judged: Predictions behind ``test``, or behind ``validation`` without a test side.
        held_out: Predictions behind ``validation``.
    """

    manifest: CheckpointManifest
    validation: dict[str, Any]
    test: dict[str, Any] | None
    judged: JudgedPosters
    held_out: JudgedPosters


def finish(
    directory: Path,
    net: PosterNet,
    data: TrainingData,
    config: TrainConfig,
    told: Told,
    device: torch.device,
) -> Finished:
    """Write a checkpoint and judge it.

    The net is stored first and judged as it comes back, so that calibration,
    cuts and figures are those of the narrow weights that users get.

    Args:
        directory: Where the checkpoint goes.
        net: The net of the best epoch.
        data: The run's movies.
        config: The run's settings.
        told: What the manifest says about how it came to be.
        device: Where the net runs.
    """
    model, n_genres = config.model, len(data.genres)
    plain = CheckpointManifest(
        arch=model.arch,
        net={},
        embedding_dim=model.embedding_dim,
        genres=data.genres,
        thresholds=(0.5,) * n_genres,
        calibration=Calibration.none(n_genres),
        preprocessing=Preprocessing(model.width, model.height, model.fit, model.interpolation),
        provenance=dict(told.provenance) | {"date": datetime.now(UTC).date().isoformat()},
        history=told_history(told.history),
    )
    save_checkpoint(directory, net, plain, config.stored_as)
    encoder = Encoder.load(directory, str(device))
    logits = predict_logits(encoder, data, data.validation)
    calibration = fit_calibration(logits, data.hard[data.validation])
    probs = calibration.apply(logits)
    thresholds = fit_thresholds(probs, data.hard[data.validation], config.seed)
    fitted = replace(plain, calibration=calibration, thresholds=thresholds)
    judged = held_out = _judged(fitted, data, data.validation, probs)
    validation = evaluation_document(held_out) | {"common_cuts": at_common_cuts(held_out, held_out)}
    test = None
    if len(data.test):
        unseen = calibration.apply(predict_logits(encoder, data, data.test))
        judged = _judged(fitted, data, data.test, unseen)
        test = evaluation_document(judged) | {"common_cuts": at_common_cuts(held_out, judged)}
    told_whole = replace(fitted, metrics=told_metrics(validation, test))
    written = save_checkpoint(directory, encoder.net, told_whole, config.stored_as)
    return Finished(written, validation, test, judged, held_out)


def write_figures(path: Path, finished: Finished) -> None:
    """Write both documents as JSON."""
    content = {"validation": finished.validation, "test": finished.test}
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def predict_logits(encoder: Encoder, data: TrainingData, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Logits of cached posters, float32, (len(rows), n_genres)."""
    parts = [rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE)]
    return np.concatenate([encoder.encode_pixels(data.cache.pixels[part])[1] for part in parts])


def _judged(
    manifest: CheckpointManifest, data: TrainingData, rows: NDArray[np.int64], probs: NDArray[np.float32]
) -> JudgedPosters:
    ids = tuple(data.cache.movie_ids[row] for row in rows)
    thresholds = np.asarray(manifest.thresholds, dtype=np.float32)
    return JudgedPosters(ids, data.genres, data.hard[rows], probs, thresholds)


def told_metrics(validation: Mapping[str, Any], test: Mapping[str, Any] | None) -> dict[str, Any]:
    """The figures that a checkpoint carries.

    The judged side is told whole: the model page draws each genre, the trivial predictors, reliability.
    """
    if test is None:
        return {"validation": dict(validation)}
    return {"validation": {name: validation[name] for name in HEADLINES}, "test": dict(test)}
