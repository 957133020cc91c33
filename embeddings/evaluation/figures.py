"""The plots of a report, each as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from embeddings.evaluation.document import JudgedPosters
from embeddings.evaluation.metrics import N_BINS
from embeddings.evaluation.thresholds import sweep_thresholds

_BLUE, _GREY, _RED = "#2f5d8a", "#9aa5b1", "#b5483a"
_N_CURVES = 8


def learning_curves(history: Sequence[Mapping[str, float]]) -> bytes:
    """Losses on the left, validation figures on the right, by epoch."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for name, colour in (("train_loss", _GREY), ("val_loss", _BLUE)):
        left.plot(epochs, [row[name] for row in history], color=colour, label=name.replace("_", " "))
    for name in ("mean_average_precision", "macro_f1", "micro_f1"):
        right.plot(epochs, [row[name] for row in history], label=name.replace("_", " "))
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
    return _png(figure)


def genre_bars(document: Mapping[str, Any]) -> bytes:
    """F1 and average precision of each genre, the best first."""
    rows = sorted(document["per_genre"].items(), key=lambda item: item[1]["average_precision"])
    figure = Figure(figsize=(7, 0.28 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(rows))
    axes.barh(places + 0.2, [row["f1"] for _, row in rows], 0.4, color=_BLUE, label="F1")
    axes.barh(places - 0.2, [row["average_precision"] for _, row in rows], 0.4, color=_GREY, label="AP")
    axes.set_yticks(places, _plain(genre for genre, _ in rows))
    axes.set_xlim(0, 1)
    axes.legend(loc="lower right")
    return _png(figure)


def genre_counts(document: Mapping[str, Any]) -> bytes:
    """How many judged movies each genre has."""
    rows = sorted(document["per_genre"].items(), key=lambda item: item[1]["support"])
    figure = Figure(figsize=(7, 0.24 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(_plain(genre for genre, _ in rows), [row["support"] for _, row in rows], color=_BLUE)
    axes.bar_label(bars, padding=2, fontsize=8)
    return _png(figure)


def confusion(judged: JudgedPosters) -> bytes:
    """Of the movies that have the row's genre, the share for which the column's was chosen."""
    truth, chosen = judged.targets, judged.chosen.astype(np.float32)
    shares = (truth.T @ chosen) / np.maximum(truth.sum(axis=0), 1)[:, None]
    size = 0.32 * len(judged.genres) + 1.6
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(judged.genres)), _plain(judged.genres), rotation=90)
    axes.set_yticks(range(len(judged.genres)), _plain(judged.genres))
    axes.set_xlabel("chosen")
    axes.set_ylabel("true")
    for i, j in np.ndindex(shares.shape):
        if shares[i, j] >= 0.1:
            colour = "white" if shares[i, j] > 0.6 else "black"
            axes.text(
                j, i, f"{shares[i, j]:.1f}".lstrip("0"), ha="center", va="center", fontsize=6, color=colour
            )
    return _png(figure)


def reliability(judged: JudgedPosters) -> bytes:
    """Probability against frequency in bins of equally many predictions."""
    probs, truth = judged.probs.ravel(), judged.targets.ravel()
    bins = np.array_split(np.argsort(probs, kind="stable"), min(N_BINS, probs.size))
    said, came = [probs[rows].mean() for rows in bins], [truth[rows].mean() for rows in bins]
    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":")
    axes.plot(said, came, marker="o", color=_BLUE)
    limit = max(*said, *came) * 1.1
    axes.set(
        xlim=(0, limit), ylim=(0, limit), xlabel="predicted probability", ylabel="share that has the genre"
    )
    return _png(figure)


def threshold_curves(judged: JudgedPosters) -> bytes:
    """F1 by one common cut, and where each genre's own cut lies."""
    sweep = sweep_thresholds(judged.probs, judged.targets)
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(sweep.thresholds, sweep.macro_f1, color=_BLUE, label="macro F1")
    axes.plot(sweep.thresholds, sweep.micro_f1, color=_GREY, label="micro F1")
    axes.plot(judged.thresholds, np.zeros_like(judged.thresholds), "|", color=_RED, label="genres' own cuts")
    axes.set_xlabel("common cut")
    axes.legend()
    return _png(figure)


def precision_recall(judged: JudgedPosters) -> bytes:
    """Precision by recall of the genres with the most movies."""
    common = np.argsort(-judged.targets.sum(axis=0), kind="stable")[:_N_CURVES]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    names = _plain(judged.genres)
    for column in common:
        precision, recall, _ = precision_recall_curve(judged.targets[:, column], judged.probs[:, column])
        axes.plot(recall, precision, label=names[column])
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="recall", ylabel="precision")
    axes.legend(fontsize=8)
    return _png(figure)


def extreme_cells(judged: JudgedPosters, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The surest hits and the surest misses.

    Returns:
        Two arrays of (row, column), int64, (at most n, 2): genres that were most
        surely predicted and are true, and those that are not; each movie once.
    """
    cells = np.stack(np.unravel_index(np.argsort(-judged.probs, axis=None), judged.probs.shape), axis=1)
    hit = judged.targets[cells[:, 0], cells[:, 1]] > 0.5
    return _each_movie_once(cells[hit], n), _each_movie_once(cells[~hit], n)


def _each_movie_once(cells: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    first = np.sort(np.unique(cells[:, 0], return_index=True)[1])[:n]
    return cells[first]


def _plain(names: Iterable[str]) -> list[str]:
    """Names as they are: between two dollar signs matplotlib reads mathematics."""
    return [name.replace("$", r"\$") for name in names]


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
