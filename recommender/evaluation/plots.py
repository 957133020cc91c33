"""Plots of the report, as SVG that is the same for the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recommender.evaluation.outcome import Outcome

SHOWN = ("popularity", "genre_known", "visual", "era", "taste", "blend_default")


def plot_deciles(outcome: Outcome, path: Path) -> None:
    """The headline by popularity of the movie to be found, one line per row."""
    deciles = {name: outcome.by_decile(row) for name, row in outcome.rows.items() if name in SHOWN}
    with _style():
        figure, axes = _figure()
        for name, parts in deciles.items():
            heights = [part[outcome.headline] for part in parts]
            axes.plot(range(1, len(parts) + 1), heights, marker="o", markersize=3, label=name)  # type: ignore[arg-type]
        axes.set_xlabel("tenth of the questions, by popularity of the movie to be found")
        axes.set_ylabel(outcome.headline)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, ncols=2)
        _save(figure, path)


def plot_simplex(weights: NDArray[np.float64], figures: NDArray[np.float64], title: str, path: Path) -> None:
    """nDCG over the triangle of blends.

    Args:
        weights: (n, 3), visual, genre, taste.
        figures: (n,), one figure per weighting.
        title: What was judged.
        path: Where the SVG goes.
    """
    x, y = weights[:, 1] + 0.5 * weights[:, 2], weights[:, 2] * np.sqrt(0.75)
    with _style():
        figure, axes = _figure(5.2, 4.4)
        colours = axes.scatter(x, y, c=figures, s=130, marker="h", cmap="viridis")
        best = int(np.argmax(figures))
        axes.plot(x[best], y[best], marker="*", markersize=12, color="white", markeredgecolor="black")
        for name, across, up in (("visual", 0.0, -0.07), ("genre", 1.0, -0.07), ("taste", 0.5, 0.92)):
            axes.text(across, up, name, ha="center")
        axes.set_title(title, pad=18)
        axes.set_aspect("equal")
        axes.set_axis_off()
        figure.colorbar(colours, ax=axes, label="matched nDCG@10", shrink=0.8)
        _save(figure, path)


def plot_dial(dial: Sequence[float], lines: Mapping[str, Sequence[float]], path: Path) -> None:
    """Figures along the diversity dial, each as a share of its value at 0."""
    with _style():
        figure, axes = _figure()
        for name, values in lines.items():
            axes.plot(dial, np.asarray(values) / values[0], marker="o", markersize=3, label=name)
        axes.set_xlabel("diversity")
        axes.set_ylabel("share of the value at 0")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
        _save(figure, path)


def _style() -> AbstractContextManager[None]:
    # Letters as paths look the same everywhere; a fixed salt makes the same plot the same bytes.
    return matplotlib.rc_context({"svg.hashsalt": "onesheet", "svg.fonttype": "path", "font.size": 9})


def _figure(width: float = 6.4, height: float = 3.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None})
