"""k-fold training: a figure with its spread, and what each net believes about posters it never saw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.encoded import Poster
from embeddings.encoder import Encoder, join_encoded
from embeddings.errors import TrainingError
from embeddings.training.config import DataConfig, TrainConfig
from embeddings.training.data import deal_sides
from embeddings.training.finish import HEADLINES
from embeddings.training.labels import Labels, find_posters
from embeddings.training.run_state import load_state, make_folder
from embeddings.training.soft_labels import SoftLabels, average_soft_labels, write_soft_labels
from embeddings.training.splits import Split, make_folds
from embeddings.training.train import Say, TrainedModel, train


@dataclass(frozen=True)
class Folds:
    """What k runs left behind.

    Args:
        models: One for each part.
        mean: Mean of each headline figure over the parts' validation sides.
        spread: Its standard deviation (n - 1).
        soft_labels: File of out-of-fold probabilities.
    """

    models: tuple[TrainedModel, ...]
    mean: dict[str, float]
    spread: dict[str, float]
    soft_labels: Path


def train_folds(
    labels: Labels, posters_dir: Path, out: Path, config: TrainConfig, say: Say = lambda _: None
) -> Folds:
    """Train ``config.data.folds`` nets, each validated on another part; resumable like one run.

    ``soft_labels.npz`` then holds, for each labelled movie outside the test
    side, what the net says that did not learn from it, and for every other
    poster in the folder (test side excepted) the mean of all nets.

    Raises:
        TrainingError: ``data.folds`` is not set, or as ``train``.
    """
    if not config.data.folds:
        raise TrainingError("k-fold training needs data.folds (--folds K) of at least 2.")
    # The folds of one run share their decoded posters and their genres.
    shared = config.with_values(
        {
            "data.cache_dir": config.data.cache_dir or out / "cache",
            "data.genres": config.data.genres or _genres_of_all(labels, posters_dir, out, config.data),
        }
    )
    models = []
    for fold in range(config.data.folds):
        say(f"fold {fold + 1} of {config.data.folds}")
        model = train(labels, posters_dir, out / f"fold-{fold}", shared.with_values({"data.fold": fold}), say)
        if model is None:
            raise TrainingError("k-fold training runs in one process; start it without torchrun.")
        models.append(model)
    figures = {name: [float(model.finished.validation[name]) for model in models] for name in HEADLINES}
    mean = {name: float(np.mean(values)) for name, values in figures.items()}
    spread = {name: float(np.std(values, ddof=1)) for name, values in figures.items()}
    summary = {"folds": len(models), "mean": mean, "spread": spread}
    (out / "folds.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    path = out / "soft_labels.npz"
    write_soft_labels(path, _out_of_fold(labels, posters_dir, out, models))
    return Folds(tuple(models), mean, spread, path)


def folds_genres(labels: Labels, posters_dir: Path, config: DataConfig) -> tuple[str, ...]:
    """Genres that have ``min_support`` training movies whichever part is held out, in alphabetic order.

    Nets of one k-fold run are averaged, so none may lack a genre of another.

    Raises:
        TrainingError: The split names a movie that the labels do not have, or there are too few movies.
    """
    whole = deal_sides(labels, posters_dir, config.model_copy(update={"folds": 0, "fold": 0}))
    try:
        inner = labels.select(whole.train + whole.validation)
    except KeyError as error:
        raise TrainingError(f"the split names movie {error}, which is not in the labels file.") from error
    support = inner.support()
    parts = [
        inner.select(part).support()
        for part in make_folds(inner, posters_dir, config.folds, config.split_seed)
    ]
    return tuple(
        sorted(
            name
            for name in support
            if all(support[name] - part[name] >= config.min_support for part in parts)
        )
    )


def _genres_of_all(labels: Labels, posters_dir: Path, out: Path, config: DataConfig) -> tuple[str, ...]:
    """The genres that the first part began with; found anew where none has begun."""
    make_folder(out)
    begun = load_state(out / "fold-0" / "state")
    return begun.genres if begun else folds_genres(labels, posters_dir, config)


def predict_soft_labels(checkpoint: Path, posters: Mapping[str, Path], device: str = "auto") -> SoftLabels:
    """What a checkpoint believes about posters, calibrated; unreadable posters are left out.

    Args:
        checkpoint: Folder of the checkpoint.
        posters: File of each movie.
        device: Where it runs.
    """
    encoder = Encoder.load(checkpoint, device)
    parts = list(encoder.encode_batches(Poster(movie_id, path) for movie_id, path in posters.items()))
    encoded = join_encoded(parts, encoder.embedding_dim, len(encoder.genres))
    return SoftLabels(encoded.movie_ids, encoder.genres, encoded.genre_probs)


def _out_of_fold(labels: Labels, posters_dir: Path, out: Path, models: list[TrainedModel]) -> SoftLabels:
    splits = [Split.load(out / f"fold-{fold}" / "split.json") for fold in range(len(models))]
    dealt = {i for split in splits for i in split.train + split.validation + split.test}
    everyone = sorted(
        {path.stem for path in posters_dir.iterdir()} - dealt - set(labels.labelled().movie_ids)
    )
    unlabelled = find_posters(posters_dir, everyone)
    own: list[SoftLabels] = []
    others: list[SoftLabels] = []
    for model in models:
        held_out = model.finished.held_out
        own.append(SoftLabels(held_out.movie_ids, held_out.genres, held_out.probs))
        if unlabelled:
            others.append(predict_soft_labels(model.checkpoint, unlabelled))
    joined = own + ([average_soft_labels(others)] if others else [])
    if any(part.genres != joined[0].genres for part in joined):
        raise TrainingError(
            "the folds learnt different genres; fix them with data.genres or a larger min_support."
        )
    return SoftLabels(
        tuple(movie_id for part in joined for movie_id in part.movie_ids),
        joined[0].genres,
        np.concatenate([part.probs for part in joined]),
    )
