"""The state of a run between two epochs, so that a killed run goes on where it was.

Tensors lie in a safetensors file, the rest in JSON; ``state.json`` names the
tensor file that belongs to it and is replaced by one rename, so a reader
finds the state of the last finished epoch whatever instant the run died at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from embeddings.errors import TrainingError
from embeddings.genres import GenreVocabulary
from embeddings.training.config import TrainConfig
from embeddings.training.labels import Labels
from embeddings.training.splits import Split
from embeddings.training.trainer import Trainer

_STATE = "state.json"
# Settings that a run may go on without: they change how long, where and beside which files it runs.
_FREE = {"epochs", "device", "patience", "tensorboard", "keep_epochs", "data.cache_dir"}


@dataclass(frozen=True)
class RunState:
    """What has happened so far.

    Args:
        history: One row of figures for each finished epoch.
        settings: The run's settings, as JSON, to refuse going on with others.
        genres: The vocabulary.
        labels: Digest of the labels; "" in states of before it was kept.
    """

    history: tuple[dict[str, float], ...]
    settings: dict[str, Any]
    genres: tuple[str, ...]
    labels: str = ""


def make_folder(folder: Path) -> None:
    """Make the folder of a run.

    Raises:
        TrainingError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder} cannot be made ({error.strerror}); give another --out.") from error


def labels_digest(labels: Labels) -> str:
    """Name what the labels say: the same for the same genres of the same movies, in whatever order."""
    known = sorted((i, *names) for i, names in zip(labels.movie_ids, labels.genres, strict=True) if names)
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def refuse_another_run(out: Path, labels: Labels, config: TrainConfig) -> None:
    """Going on is only right with the labels and settings of before; more epochs are allowed.

    Raises:
        TrainingError: ``out`` holds a run with other labels or settings, or its state is damaged.
    """
    state = load_state(out / "state")
    if state is None:
        return
    changed = _changed(state, config, out)
    if changed:
        raise TrainingError(
            f"{out} holds a run with other settings ({', '.join(changed)} differ); give another --out or "
            "remove it."
        )
    if state.labels and state.labels != labels_digest(labels):
        raise TrainingError(
            f"the run in {out} was made with other labels than these; give another --out or remove it."
        )


def _changed(state: RunState, config: TrainConfig, out: Path) -> list[str]:
    """Names of the settings that are not those of the state."""
    before, now = (
        {name: json.dumps(value, sort_keys=True) for name, value in _flat(tree)}
        for tree in (state.settings, config.model_dump(mode="json"))
    )
    changed = {name for name in now if name not in _FREE and before.get(name) != now[name]}
    # The same genres by name are those that the run found.
    if config.data.genres and GenreVocabulary(config.data.genres).genres == state.genres:
        changed.discard("data.genres")
    file = config.data.split_file
    if file is not None and file.is_file() and (out / "split.json").is_file():
        # What the file says counts, not where it lies.
        changed.discard("data.split_file")
        if not _deals_alike(Split.load(file), Split.load(out / "split.json"), bool(config.data.folds)):
            changed.add("data.split_file")
    return sorted(changed)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by their dotted names; options of a loss or schedule are one setting."""
    for name, value in tree.items():
        if isinstance(value, dict) and not prefix:
            yield from _flat(value, f"{name}.")
        else:
            yield prefix + name, value


def _deals_alike(given: Split, own: Split, in_parts: bool) -> bool:
    """Whether a run's own split is the given one, or a part of it held out."""
    if not in_parts:
        return given == own
    inner = set(given.train + given.validation) == set(own.train + own.validation)
    return inner and set(given.test) == set(own.test)


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file.

    Raises:
        TrainingError: It cannot be written, as on a full disk.
    """
    try:
        save_file(tensors, path)
    except (SafetensorError, OSError) as error:
        raise TrainingError(
            f"{path} cannot be written ({error}); free some space and run the same command again: it goes on "
            "after the last whole epoch."
        ) from error


def save_state(folder: Path, state: RunState, trainer: Trainer) -> None:
    """Write state and tensors aside, then publish them by one rename."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors_name = f"epoch-{len(state.history):04d}.safetensors"
    write_tensors(_tensors(trainer), folder / tensors_name)
    content = {
        "history": list(state.history),
        "settings": state.settings,
        "genres": list(state.genres),
        "labels": state.labels,
        "tensors": tensors_name,
    }
    aside = folder / (_STATE + ".new")
    aside.write_text(json.dumps(content), encoding="utf-8")
    aside.replace(folder / _STATE)
    for old in folder.glob("epoch-*.safetensors"):
        if old.name != tensors_name:
            old.unlink()


def load_state(folder: Path, trainer: Trainer | None = None) -> RunState | None:
    """Read the state of a run, and put its tensors into ``trainer``.

    Returns:
        None where no epoch was ever finished.

    Raises:
        TrainingError: The state is damaged or belongs to another net.
    """
    path = folder / _STATE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        state = RunState(
            tuple(content["history"]),
            dict(content["settings"]),
            tuple(content["genres"]),
            str(content.get("labels", "")),
        )
        if trainer is not None:
            _restore(trainer, load_file(folder / content["tensors"]))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise TrainingError(
            f"the state of the run in {folder} cannot be read ({error}); remove the folder to start anew."
        ) from error
    return state


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    found = {f"net.{name}": tensor for name, tensor in trainer.net.state_dict().items()}
    if trainer.ema is not None:
        found |= {f"ema.{name}": tensor for name, tensor in trainer.ema.state_dict().items()}
    for index, entries in trainer.optimizer.state_dict()["state"].items():
        found |= {f"optim.{index}.{name}": value for name, value in entries.items() if value is not None}
    # safetensors stores no strides and refuses shared memory.
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in found.items()}


def _restore(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    def below(prefix: str) -> dict[str, Tensor]:
        return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}

    trainer.net.load_state_dict(below("net."))
    if trainer.ema is not None:
        trainer.ema.load_state_dict(below("ema."))
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in below("optim.").items():
        index, _, key = name.partition(".")
        entries.setdefault(int(index), {})[key] = value.to(torch.float32)
    current = trainer.optimizer.state_dict()
    trainer.optimizer.load_state_dict({"state": entries, "param_groups": current["param_groups"]})
