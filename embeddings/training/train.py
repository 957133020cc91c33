"""One training run from labels to checkpoint, as one readable loop.

Under the run's folder lie ``settings.json``, ``split.json``, ``history.csv``,
``state/`` (to go on after a kill), ``best.safetensors``, ``epochs/`` (a
checkpoint of each, where asked for), ``figures.json``, ``report/``, and ``checkpoint/``, which is the result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from embeddings.devices import choose_device
from embeddings.errors import TrainingError
from embeddings.evaluation.metrics import average_precisions, macro_columns
from embeddings.evaluation.report import write_report
from embeddings.evaluation.thresholds import sweep_thresholds
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData, deal_sides, load_data
from embeddings.training.distributed import Processes, joined_processes, local_device
from embeddings.training.finish import Finished, Told, finish, write_figures
from embeddings.training.frozen import FrozenTrainer
from embeddings.training.history import write_history, write_tensorboard
from embeddings.training.labels import Labels, find_posters
from embeddings.training.run_state import (
    RunState,
    labels_digest,
    load_state,
    make_folder,
    refuse_another_run,
    save_state,
    write_tensors,
)
from embeddings.training.soup import best_between, check_start
from embeddings.training.splits import Split
from embeddings.training.staged import StagedTrainer
from embeddings.training.start import check_settings, first_net
from embeddings.training.trainer import Trainer

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainedModel:
    """What a run left behind.

    Args:
        checkpoint: Folder of the checkpoint.
        history: Figures of each epoch.
        best_epoch: Number of the kept epoch, from 1.
        finished: Manifest and figures.
        n_failed: Posters that could not be read.
    """

    checkpoint: Path
    history: tuple[dict[str, float], ...]
    best_epoch: int
    finished: Finished
    n_failed: int


def train(
    labels: Labels, posters_dir: Path, out: Path, config: TrainConfig, say: Say = lambda _: None
) -> TrainedModel | None:
    """Train an encoder; called again after a kill, it goes on after the last finished epoch.

    Args:
        labels: Movies and their genres.
        posters_dir: Folder of posters.
        out: The run's folder; made if absent.
        config: The run's settings.
        say: Is told each step in a line.

    Returns:
        The result; None in a process that only helped (``torchrun``).

    Raises:
        TrainingError: The data or settings do not fit, or ``out`` holds another run.
    """
    check_settings(config)
    device = choose_device(local_device(config.device))
    make_folder(out)
    # Before anything is written or decoded: a run that is refused leaves the one before as it was.
    refuse_another_run(out, labels, config)
    with joined_processes(device) as processes:
        data = _load(labels, posters_dir, out, config, processes)
        if processes.leads:
            say(_describe(data))
        check_start(config, data)
        net = first_net(config, data)
        trainer = _kind(config)(net, data, config, device, processes)
        history = _learn(trainer, out, config, labels_digest(labels), processes, say)
        if not processes.leads:
            return None
        best = best_epoch(history, config.monitor)
        told = Told(_provenance(config, data, best) | _load_best(trainer, out, config, say), history)
        finished = finish(out / "checkpoint", trainer.judged, data, config, told, device)
        write_figures(out / "figures.json", finished)
        shown = find_posters(posters_dir, finished.judged.movie_ids)
        write_report(
            out / "report",
            finished.judged,
            finished.test or finished.validation,
            shown,
            history,
            config.model.arch,
        )
        return TrainedModel(out / "checkpoint", history, best, finished, len(data.cache.failed))


def _load_best(trainer: Trainer, out: Path, config: TrainConfig, say: Say) -> dict[str, Any]:
    """Put the weights to be kept into the judged net; gives what is to be told of them."""
    ended, told = load_file(out / "best.safetensors"), {}
    if config.optim.blend_with_start:

        def judge(trainer: Trainer) -> float:
            return _figures((validation_figures(trainer),), config.monitor)[0]

        ended, share = best_between(trainer, ended, config, trainer.data, judge)
        told = {"share_of_start": share}
        say(f"weights: {share:.0%} those of the start, {1 - share:.0%} those of the best epoch")
    trainer.judged.load_state_dict(ended)
    return told


def _kind(config: TrainConfig) -> type[Trainer]:
    if not config.optim.frozen_views:
        return Trainer
    return StagedTrainer if config.optim.freeze_stages else FrozenTrainer


def best_epoch(history: tuple[dict[str, float], ...], monitor: str) -> int:
    """Number of the epoch with the best monitored figure, from 1; the first of equals."""
    return int(np.argmax(_figures(history, monitor))) + 1


def _learn(
    trainer: Trainer, out: Path, config: TrainConfig, labels: str, processes: Processes, say: Say
) -> tuple[dict[str, float], ...]:
    """Run the epochs that are still to be run."""
    settings, genres = config.model_dump(mode="json"), trainer.data.genres.genres
    state = _state_of_these_genres(trainer, out)
    history = state.history if state else ()
    while len(history) < config.epochs and not _gave_up(history, config):
        epoch, started = len(history), time.perf_counter()
        result = trainer.run_epoch(epoch, _figures(history, config.monitor))
        row = {"epoch": epoch + 1, "lr": result.lr, "train_loss": result.loss}
        row |= {"images_per_second": result.images_per_second}
        if processes.leads:
            row |= validation_figures(trainer) | {"seconds": time.perf_counter() - started}
        row[config.monitor] = processes.agree(row.get(config.monitor, 0.0), trainer.device)
        history = (*history, row)
        if processes.leads:
            _record(out, history, config, trainer, RunState(history, settings, genres, labels))
            say(_line(row, config))
        processes.wait()
    return history


def _state_of_these_genres(trainer: Trainer, out: Path) -> RunState | None:
    """The state with its tensors; states that keep no digest of their labels tell others by their genres."""
    state = load_state(out / "state")
    if state is not None and state.genres != trainer.data.genres.genres:
        raise TrainingError(f"{out} holds a run with other genres; give another --out or remove it.")
    return load_state(out / "state", trainer)


def validation_figures(trainer: Trainer) -> dict[str, float]:
    """Figures of the validation side: ranking, F1 at the best common cut, cross-entropy."""
    targets = trainer.data.hard[trainer.data.validation]
    logits = trainer.predict(trainer.data.validation).astype(np.float64)
    probs = (0.5 * (1 + np.tanh(logits / 2))).astype(np.float32)
    sweep = sweep_thresholds(probs, targets)
    return {
        "val_loss": float(np.mean(np.logaddexp(0.0, logits) - targets * logits)),
        "mean_average_precision": float(average_precisions(targets, probs)[macro_columns(targets)].mean()),
        "macro_f1": float(sweep.macro_f1.max()),
        "micro_f1": float(sweep.micro_f1.max()),
        "val_brier": float(np.mean((probs - targets) ** 2)),
    }


def _record(
    out: Path, history: tuple[dict[str, float], ...], config: TrainConfig, trainer: Trainer, state: RunState
) -> None:
    """Write what the epoch gave: best weights first, the state that vouches for them last."""
    weights = trainer.judged_state()
    if best_epoch(history, config.monitor) == len(history):
        write_tensors(weights, out / "best.safetensors.new")
        (out / "best.safetensors.new").replace(out / "best.safetensors")
    if config.keep_epochs:
        folder = out / "epochs" / f"epoch-{len(history):04d}"
        told = Told(_provenance(config, trainer.data, len(history)), history)
        # The test side is for the end: an epoch is judged by the movies that it may be chosen by.
        seen = replace(trainer.data, test=trainer.data.test[:0])
        finish(folder, trainer.judged, seen, config, told, trainer.device)
    if config.tensorboard:
        write_tensorboard(out, history[-1])
    write_history(out, history)
    save_state(out / "state", state, trainer)


def _load(
    labels: Labels, posters_dir: Path, out: Path, config: TrainConfig, processes: Processes
) -> TrainingData:
    """Deal the sides and decode, in the leading process first: the others find its files."""
    cache_dir = config.data.cache_dir or out / "cache"
    data = None
    if processes.leads:
        (out / "settings.json").write_text(config.model_dump_json(indent=1), encoding="utf-8")
        data = load_data(labels, posters_dir, config, _split(labels, posters_dir, out, config), cache_dir)
    processes.wait()
    return data or load_data(labels, posters_dir, config, Split.load(out / "split.json"), cache_dir)


def _split(labels: Labels, posters_dir: Path, out: Path, config: TrainConfig) -> Split:
    """The run's split: dealt once, then read again when the run goes on."""
    if (out / "split.json").is_file() and (out / "state").is_dir():
        return Split.load(out / "split.json")
    split = deal_sides(labels, posters_dir, config.data)
    split.save(out / "split.json")
    return split


def _figures(history: tuple[dict[str, float], ...], monitor: str) -> list[float]:
    sign = -1.0 if monitor.endswith(("loss", "brier")) else 1.0
    values = [sign * row[monitor] for row in history]
    return [-math.inf if math.isnan(value) else value for value in values]


def _gave_up(history: tuple[dict[str, float], ...], config: TrainConfig) -> bool:
    if not config.patience or not history:
        return False
    return len(history) - best_epoch(history, config.monitor) >= config.patience


def _line(row: Mapping[str, float], config: TrainConfig) -> str:
    return (
        f"epoch {row['epoch']:.0f}/{config.epochs}: loss {row['train_loss']:.4f}, "
        f"validation {row['val_loss']:.4f}, "
        f"mAP {row['mean_average_precision']:.4f}, macro-F1 {row['macro_f1']:.4f}, "
        f"micro-F1 {row['micro_f1']:.4f}, {row['images_per_second']:.1f} posters/s"
    )


def _describe(data: TrainingData) -> str:
    sides = f"{len(data.train)} to learn from, {len(data.validation)} to validate, {len(data.test)} to test"
    failed = "".join(f"\nunreadable: {bad.poster}: {bad.error}" for bad in data.cache.failed)
    return f"{sides}; {len(data.genres)} genres: {', '.join(data.genres)}{failed}"


def _provenance(config: TrainConfig, data: TrainingData, best: int) -> dict[str, Any]:
    settings = config.model_dump(mode="json", exclude={"data": {"cache_dir"}, "device": True})
    # A checkpoint is given away: it names files, not the folders of the machine that made it.
    settings["model"]["init"] = "+".join(Path(part).name for part in config.model.init.split("+"))
    settings["loss"]["soft_labels"] = [path.name for path in config.loss.soft_labels]
    settings["data"]["split_file"] = config.data.split_file.name if config.data.split_file else None
    return {
        "settings": settings,
        "n_train": len(data.train),
        "n_validation": len(data.validation),
        "n_test": len(data.test),
        "best_epoch": best,
        "torch": torch.__version__,
    }
