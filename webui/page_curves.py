"""The training curves of the model page: lines in a square that the page stretches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SIDE = 100.0
TABLE = (
    ("train_loss", "Training loss"),
    ("val_loss", "Validation loss"),
    ("macro_f1", "Macro F1"),
    ("mean_average_precision", "Mean average precision"),
    ("micro_f1", "Micro F1"),
)
# Title, how its numbers read, and key and name of each line; the line that counts comes first.
_CHARTS = (
    ("Loss", "lower is better", (("val_loss", "Validation"), ("train_loss", "Training"))),
    (
        "Validation figures",
        "higher is better",
        (
            ("macro_f1", "Macro F1"),
            ("mean_average_precision", "Mean average precision"),
            ("micro_f1", "Micro F1"),
        ),
    ),
)


@dataclass(frozen=True)
class Curve:
    """One figure by epoch: ``points`` of an SVG polyline, and its value after the last epoch."""

    name: str
    points: str
    last: float


@dataclass(frozen=True)
class Chart:
    """Curves on one scale from ``low`` to ``high``; ``kept`` is where the kept epoch lies in the square."""

    title: str
    reading: str
    curves: tuple[Curve, ...]
    low: float
    high: float
    epochs: tuple[int, int]
    kept: float | None


def training_charts(history: Sequence[Mapping[str, float]], kept_epoch: int | None) -> list[Chart]:
    """Losses and validation figures by epoch.

    Args:
        history: Rows of a checkpoint's manifest, each with ``epoch``.
        kept_epoch: The epoch whose weights were kept, where it is known.

    Returns:
        The charts that have at least one line; a line needs two epochs.
    """
    charts = (_chart(history, kept_epoch, *one) for one in _CHARTS)
    return [chart for chart in charts if chart is not None]


def _chart(
    history: Sequence[Mapping[str, float]],
    kept_epoch: int | None,
    title: str,
    reading: str,
    lines: Sequence[tuple[str, str]],
) -> Chart | None:
    told = {key: [row for row in history if key in row] for key, _ in lines}
    values = [row[key] for key, rows in told.items() if len(rows) > 1 for row in rows]
    if not values:
        return None
    low, high = min(values), max(values)
    first, last = int(history[0]["epoch"]), int(history[-1]["epoch"])

    def across(epoch: float) -> float:
        return round(SIDE * (epoch - first) / max(1, last - first), 2)

    def down(value: float) -> float:
        return round(SIDE * (high - value) / ((high - low) or 1.0), 2)

    curves = tuple(
        Curve(
            name,
            " ".join(f"{across(row['epoch'])},{down(row[key])}" for row in told[key]),
            told[key][-1][key],
        )
        for key, name in lines
        if len(told[key]) > 1
    )
    kept = across(kept_epoch) if kept_epoch is not None and first <= kept_epoch <= last else None
    return Chart(title, reading, curves, low, high, (first, last), kept)
