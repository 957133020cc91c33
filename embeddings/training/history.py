"""The figures of each epoch: a CSV file, and TensorBoard where it is wanted."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from embeddings.errors import TrainingError

HISTORY_NAME = "history.csv"
_TOLD = ("epoch", "train_loss", "val_loss", "macro_f1", "micro_f1", "mean_average_precision")


def write_history(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write one line for each epoch; the file is replaced whole, so it is never half a line."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    aside = folder / (HISTORY_NAME + ".new")
    with aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(history)
    aside.replace(folder / HISTORY_NAME)


def told_history(history: Sequence[Mapping[str, float]]) -> tuple[dict[str, float], ...]:
    """The part of a history that a checkpoint carries: losses and figures, five digits, no clock.

    A figure that an epoch does not have, or that is no number, is left out of its row.
    """
    return tuple(
        {name: round(row[name], 5) for name in _TOLD if math.isfinite(row.get(name, math.nan))}
        for row in history
    )


def read_history(folder: Path) -> list[dict[str, float]]:
    """Read the epochs of a run; empty where there is no history.

    Raises:
        TrainingError: The file is no history.
    """
    path = folder / HISTORY_NAME
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)
            ]
    except (ValueError, TypeError, OSError) as error:
        raise TrainingError(f"{path} is no history of a run ({error}); remove it.") from error


def write_tensorboard(folder: Path, row: Mapping[str, float]) -> None:
    """Add one epoch's figures to TensorBoard's events.

    Raises:
        TrainingError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError("TensorBoard is not installed; pip install 'onesheet[train]'.") from error
    with SummaryWriter(str(folder / "tensorboard")) as writer:
        for name, value in row.items():
            if name != "epoch":
                writer.add_scalar(name, value, int(row["epoch"]))
