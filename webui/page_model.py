"""The model page: a checkpoint's own figures, beside predictors that never look at a poster."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

CARD_NAME = "MODEL_CARD.md"
TRIVIAL = (
    ("all_negative", "Nothing"),
    ("all_positive", "Everything"),
    ("most_frequent", "The commonest"),
)
# Key, name, whether higher is better, how it is written.
HEADLINES = (
    ("macro_f1", "Macro F1", True),
    ("micro_f1", "Micro F1", True),
    ("mean_average_precision", "Mean average precision", True),
    ("jaccard", "Jaccard", True),
    ("hamming_skill", "Hamming skill", True),
    ("brier_skill", "Brier skill", True),
    ("subset_accuracy", "All genres right", True),
    ("binary_accuracy", "Binary accuracy", True),
    ("hamming_loss", "Hamming loss", False),
    ("ece", "Calibration error", False),
)


@dataclass(frozen=True)
class Headline:
    """One figure of the checkpoint, and the same of each trivial predictor, in the order of ``TRIVIAL``."""

    name: str
    value: float
    higher_is_better: bool
    trivial: tuple[float | None, ...]


@dataclass(frozen=True)
class GenreFigures:
    """How well one genre is told, on ``support`` posters that have it."""

    genre: str
    precision: float
    recall: float
    f1: float
    average_precision: float
    support: int
    threshold: float


@dataclass(frozen=True)
class Dot:
    """One bin of the reliability diagram: said, came true, how many; ``x``, ``y``, ``r`` in drawing units."""

    said: float
    true: float
    count: int
    x: float
    y: float
    r: float


def find_figures(metrics: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The evaluation among a manifest's metrics: itself, its ``test`` part, or the first part that is one."""
    parts = [metrics, metrics.get("test"), *metrics.values()]
    return next((part for part in parts if isinstance(part, Mapping) and "per_genre" in part), None)


def headlines(figures: Mapping[str, Any]) -> list[Headline]:
    """The figures that the evaluation has, in reading order."""
    trivial = figures.get("trivial", {})
    return [
        Headline(
            name,
            float(figures[key]),
            higher,
            tuple(_number(trivial.get(row, {}).get(key)) for row, _ in TRIVIAL),
        )
        for key, name, higher in HEADLINES
        if _number(figures.get(key)) is not None
    ]


def genre_figures(figures: Mapping[str, Any]) -> list[GenreFigures]:
    """Genres, the one with most posters first."""
    names = [one.name for one in fields(GenreFigures) if one.name != "genre"]
    rows = [
        GenreFigures(genre=genre, **{name: row[name] for name in names})
        for genre, row in figures["per_genre"].items()
    ]
    return sorted(rows, key=lambda row: (-row.support, row.genre))


def reach(figures: Mapping[str, Any]) -> float:
    """How far the reliability diagram goes: the first tenth above every bin; 1 without bins."""
    bins = [one for one in figures.get("reliability", ()) if int(one["count"])]
    shares = [float(one[name]) for one in bins for name in ("predicted", "observed")]
    return min(1.0, math.ceil(10 * max(shares, default=1.0)) / 10) or 0.1


def reliability(figures: Mapping[str, Any], side: float = 100.0) -> list[Dot]:
    """Dots of the reliability diagram in a square of ``side``; none where the evaluation has no bins."""
    bins: Sequence[Mapping[str, Any]] = figures.get("reliability", ())
    side_of_one = side / reach(figures)
    most = max((int(one["count"]) for one in bins), default=1)
    return [
        Dot(
            said=float(one["predicted"]),
            true=float(one["observed"]),
            count=int(one["count"]),
            x=round(side_of_one * float(one["predicted"]), 2),
            y=round(side - side_of_one * float(one["observed"]), 2),
            r=round(0.6 + 1.4 * (int(one["count"]) / most) ** 0.5, 2),
        )
        for one in bins
        if int(one["count"])
    ]


def facts_of(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where a checkpoint comes from, as names and short texts; what is nested deeper stays in the API."""
    return [
        (name.replace("_", " "), str(value))
        for name, value in provenance.items()
        if isinstance(value, (str, int, float)) and value != ""
    ]


def card_html(checkpoint: Path) -> str | None:
    """The model card as HTML, with any HTML in it shown as text; None without a card."""
    path = checkpoint / CARD_NAME
    if not path.is_file():
        return None
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    rendered: str = markdown.render(path.read_text(encoding="utf-8"))
    return rendered


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
