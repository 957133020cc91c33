"""Calibration and cuts of a finished checkpoint, fitted again on labelled posters of one's own.

What a net sees does not change, so embeddings stay what they are; how likely
a genre is among the movies of another catalog, and where it is best cut, may.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.checkpoint import WEIGHTS_NAME, Calibration, CheckpointManifest
from embeddings.checkpoint_weights import load_net
from embeddings.devices import choose_device
from embeddings.encoded import EncodedPosters, Poster
from embeddings.encoder import Encoder, join_encoded
from embeddings.eras import ERAS_NAME
from embeddings.errors import TrainingError
from embeddings.evaluation.calibration import fit_calibration
from embeddings.evaluation.document import JudgedPosters, at_common_cuts, evaluation_document
from embeddings.evaluation.thresholds import fit_thresholds
from embeddings.lettering import LETTERING_NAME
from embeddings.training.finish import Finished, told_metrics
from embeddings.training.labels import Labels, find_labelled_posters
from embeddings.training.run_state import make_folder
from embeddings.training.splits import Split

LEAST_POSTERS = 20
_SURE = 1e-7


def recalibrate(
    model: Path,
    labels: Labels,
    posters_dir: Path,
    out: Path,
    split: Split | None = None,
    device: str = "auto",
) -> Finished:
    """Fit calibration and cuts of a checkpoint again and write the result as a checkpoint.

    Args:
        model: The checkpoint.
        labels: Movies and their genres.
        posters_dir: Folder of posters.
        out: Where the new checkpoint goes; may be ``model``.
        split: Fit on its validation side and judge on its test side; None fits on every labelled
            poster, and judges on the same, which flatters.
        device: Where the net runs.

    Raises:
        TrainingError: Fewer than 20 posters to fit on, or none of its genres among them.
        CheckpointError: The checkpoint is missing or damaged.
    """
    manifest = CheckpointManifest.read(model)
    plain = replace(manifest, calibration=Calibration.none(len(manifest.genres)))
    encoder = Encoder(load_net(model, manifest), plain, choose_device(device))
    fitted_on = _side(labels, None if split is None else split.validation)
    encoded = _encode(encoder, find_labelled_posters(fitted_on, posters_dir))
    targets = labels.select(encoded.movie_ids).targets(manifest.genres)
    if len(encoded) < LEAST_POSTERS or not targets.any():
        n_genres = int(targets.any(axis=0).sum())
        raise TrainingError(
            f"{len(encoded)} labelled posters with {n_genres} of the checkpoint's genres are too few to fit "
            f"on; give {LEAST_POSTERS} or more."
        )
    logits = _logits(encoded.genre_probs)
    calibration = fit_calibration(logits, targets)
    probs = calibration.apply(logits)
    fitted = replace(manifest, calibration=calibration, thresholds=fit_thresholds(probs, targets))
    held_out = _judged(fitted, encoded.movie_ids, targets, probs)
    judged, test = held_out, None
    if split is not None and split.test:
        unseen = _encode(encoder, find_labelled_posters(_side(labels, split.test), posters_dir))
        truth = labels.select(unseen.movie_ids).targets(manifest.genres)
        judged = _judged(fitted, unseen.movie_ids, truth, calibration.apply(_logits(unseen.genre_probs)))
        test = evaluation_document(judged) | {"common_cuts": at_common_cuts(held_out, judged)}
    validation = evaluation_document(held_out) | {"common_cuts": at_common_cuts(held_out, held_out)}
    written = replace(fitted, metrics=told_metrics(validation, test))
    _write(model, out, manifest, written)
    return Finished(written, validation, test, judged, held_out)


def _side(labels: Labels, movie_ids: Iterable[str] | None) -> Labels:
    if movie_ids is None:
        return labels.labelled()
    known = set(labels.movie_ids)
    return labels.select(movie_id for movie_id in movie_ids if movie_id in known)


def _encode(encoder: Encoder, posters: Mapping[str, Path]) -> EncodedPosters:
    parts = list(encoder.encode_batches(Poster(movie_id, path) for movie_id, path in posters.items()))
    return join_encoded(parts, encoder.embedding_dim, len(encoder.genres))


def _logits(probs: NDArray[np.float32]) -> NDArray[np.float32]:
    sure = np.clip(probs.astype(np.float64), _SURE, 1 - _SURE)
    return np.asarray(np.log(sure) - np.log1p(-sure), dtype=np.float32)


def _judged(
    manifest: CheckpointManifest,
    movie_ids: tuple[str, ...],
    targets: NDArray[np.float32],
    probs: NDArray[np.float32],
) -> JudgedPosters:
    thresholds = np.asarray(manifest.thresholds, dtype=np.float32)
    return JudgedPosters(movie_ids, manifest.genres, targets, probs, thresholds)


def _write(model: Path, out: Path, before: CheckpointManifest, written: CheckpointManifest) -> None:
    """The same weights and what is read off their embeddings, under the new manifest, which comes last."""
    make_folder(out)
    if out.resolve() != model.resolve():
        shutil.copyfile(model / WEIGHTS_NAME, out / WEIGHTS_NAME)
    for name in (ERAS_NAME, LETTERING_NAME):
        if (model / name).is_file():
            reading = json.loads((model / name).read_text(encoding="utf-8"))
            if reading.get("fingerprint") == before.fingerprint:
                reading["fingerprint"] = written.fingerprint
                (out / name).write_text(json.dumps(reading) + "\n", encoding="utf-8")
    written.write(out)
