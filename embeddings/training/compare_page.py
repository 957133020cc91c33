"""The page of a comparison: one table, and quality against cost."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, MaxNLocator, NullLocator

_COLUMNS = (
    ("macro_f1", "macro F1", "{:.3f}"),
    ("mean_average_precision", "mAP", "{:.3f}"),
    ("micro_f1", "micro F1", "{:.3f}"),
    ("hamming_skill", "Hamming skill", "{:.3f}"),
    ("brier_skill", "Brier skill", "{:.3f}"),
    ("ece", "ECE", "{:.3f}"),
    ("macro_f1_at_0.25", "macro F1 at .25", "{:.3f}"),
    ("macro_f1_at_0.5", "at .5", "{:.3f}"),
    ("macro_f1_at_0.75", "at .75", "{:.3f}"),
    ("parameters", "parameters", "{:,}"),
    ("file_bytes", "file, bytes", "{:,}"),
    ("cpu_ms_per_poster", "CPU ms/poster", "{:.1f}"),
    ("train_seconds", "training, s", "{:.0f}"),
)
_WITH_INTERVAL = ("macro_f1", "mean_average_precision", "micro_f1")
_COSTS = (
    ("parameters", "parameters"),
    ("file_bytes", "bytes of the file"),
    ("cpu_ms_per_poster", "CPU ms per poster"),
    ("train_seconds", "seconds of training"),
)
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}"
    "td,th{padding:.2rem .6rem;text-align:right}td:first-child,th:first-child{text-align:left}"
    "tr:nth-child(even){background:#f3f5f7}small{color:#667}"
    # On a phone the table moves under the finger, and the page does not.
    "div{overflow-x:auto}img{display:block;max-width:100%;margin-top:1.5rem}"
)


def write_page(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table, best macro F1 first, and plots; everything inside one file."""
    ordered = sorted(rows, key=lambda row: -row.get("macro_f1", -1.0))
    head = "".join(f"<th>{label}</th>" for _, label, _ in _COLUMNS)
    body = "".join(_line(row) for row in ordered)
    judged = [row for row in ordered if "ci95" in row]
    plots = _image("Macro F1 and mAP of each run", _plot(judged))
    plots += _image("mAP of each run against what it costs", _cost_plot(judged)) if judged else ""
    path.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        f"<title>Comparison</title><style>{_STYLE}</style>"
        f"<h1>Comparison</h1><p>Test side; small: 95 % bootstrap interval over its movies.</p>"
        f"<div tabindex=0><table><tr><th>run</th>{head}</tr>{body}</table></div>"
        f"{plots}</html>",
        encoding="utf-8",
    )


def text_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table for a terminal, best macro F1 first; in brackets the 95 % intervals."""
    ordered = sorted(rows, key=lambda row: -row.get("macro_f1", -1.0))
    width = max(len(str(row["name"])) for row in ordered)
    head = " " * width + "".join(f"{label:>{_width(key)}}" for key, label, _ in _COLUMNS)
    lines = [head]
    for row in ordered:
        cells = "".join(
            f"{_cell(row, key, form) + _bracket(row, key):>{_width(key)}}" for key, _, form in _COLUMNS
        )
        lines.append(f"{row['name']:<{width}}" + (f"  {row['error']}" if "error" in row else cells))
    return "\n".join(lines)


def _width(key: str) -> int:
    return 20 if key in _WITH_INTERVAL else 16


def _bracket(row: Mapping[str, Any], key: str) -> str:
    interval = row.get("ci95", {}).get(key)
    return " ({}-{})".format(*(f"{end:.3f}".replace("0.", ".", 1) for end in interval)) if interval else ""


def _line(row: Mapping[str, Any]) -> str:
    name = f"<td>{html.escape(str(row['name']))}</td>"
    if "error" in row:
        return f"<tr>{name}<td colspan={len(_COLUMNS)}>{html.escape(row['error'])}</td></tr>"
    cells = []
    for key, _, form in _COLUMNS:
        interval = row.get("ci95", {}).get(key)
        small = f"<br><small>{interval[0]:.3f}–{interval[1]:.3f}</small>" if interval else ""
        cells.append(f"<td>{_cell(row, key, form)}{small}</td>")
    return f"<tr>{name}{''.join(cells)}</tr>"


def _cell(row: Mapping[str, Any], key: str, form: str) -> str:
    return form.format(row[key]) if key in row else ""


def _image(alt: str, figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return f'<img alt="{alt}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _plot(judged: Sequence[Mapping[str, Any]]) -> Figure:
    """Macro F1 and mAP of each run, with their intervals."""
    shown = judged[::-1]
    figure = Figure(figsize=(9, 0.4 * len(shown) + 1), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (key, label) in zip(
        axes, (("macro_f1", "macro F1"), ("mean_average_precision", "mAP")), strict=True
    ):
        for place, row in enumerate(shown):
            low, high = row["ci95"][key]
            panel.plot([low, high], [place, place], color="#9aa5b1")
            panel.plot(row[key], place, "o", color="#2f5d8a")
        panel.set_xlabel(label)
        panel.set_yticks(range(len(shown)), [str(row["name"]) for row in shown])
    return figure


def _short(value: float, _: object) -> str:
    return f"{value:g}" if value < 1000 else EngFormatter(sep="").format_eng(value)


def _cost_plot(judged: Sequence[Mapping[str, Any]]) -> Figure:
    """mAP with its interval against each cost; a rival without such a cost is left out of that panel."""
    figure = Figure(figsize=(11, 3.6 + 0.08 * len(judged)), layout="constrained")
    axes = figure.subplots(1, len(_COSTS), sharey=True)
    colors = colormaps["turbo"](np.linspace(0.05, 0.95, len(judged)))
    for row, color in zip(judged, colors, strict=True):
        low, high = row["ci95"]["mean_average_precision"]
        for panel, (key, _) in zip(axes, _COSTS, strict=True):
            if key in row:
                panel.plot([row[key], row[key]], [low, high], color=color, alpha=0.35)
                panel.plot(row[key], row["mean_average_precision"], "o", color=color)
    for panel, (key, label) in zip(axes, _COSTS, strict=True):
        panel.set_xlabel(label)
        costs = [row[key] for row in judged if key in row]
        if costs and max(costs) > 4 * min(costs) > 0:
            panel.set_xscale("log")
            panel.xaxis.set_minor_locator(NullLocator())
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        else:
            panel.xaxis.set_major_locator(MaxNLocator(2))
        panel.xaxis.set_major_formatter(FuncFormatter(_short))
    axes[0].set_ylabel("mAP")
    handles = [Line2D([], [], marker="o", linestyle="", color=color) for color in colors]
    figure.legend(handles, [str(row["name"]) for row in judged], loc="outside lower center", ncols=4)
    return figure
