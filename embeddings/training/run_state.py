"""The state of a run between two epochs, so that a killed run goes on where it was.

Tensors lie in a safetensors file, the rest in JSON; ``state.json`` names the
tensor file that belongs to it and is replaced by one rename, so a reader
finds the state of the last finished epoch whatever instant the run died at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from embeddings.errors import TrainingError
from embeddings.training.trainer import Trainer

_STATE = "state.json"


@dataclass(frozen=True)
class RunState:
    """What has happened so far.

    Args:
        history: One row of figures for each finished epoch.
        settings: The run's settings, as JSON, to refuse going on with others.
        genres: The vocabulary.
    """

    history: tuple[dict[str, float], ...]
    settings: dict[str, Any]
    genres: tuple[str, ...]


def make_folder(folder: Path) -> None:
    """Make the folder of a run.

    Raises:
        TrainingError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder} cannot be made ({error.strerror}); give another --out.") from error


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
        state = RunState(tuple(content["history"]), content["settings"], tuple(content["genres"]))
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
