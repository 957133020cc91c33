"""The page of a comparison: one table, and quality against cost."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

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
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}"
    "td,th{padding:.2rem .6rem;text-align:right}td:first-child{text-align:left}"
    "tr:nth-child(even){background:#f3f5f7}small{color:#667}"
)


def write_page(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table, best macro F1 first, and a plot; everything inside one file."""
    ordered = sorted(rows, key=lambda row: -row.get("macro_f1", -1.0))
    head = "".join(f"<th>{label}</th>" for _, label, _ in _COLUMNS)
    body = "".join(_line(row) for row in ordered)
    plot = base64.b64encode(_plot(ordered)).decode()
    path.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Comparison</title><style>{_STYLE}</style>"
        f"<h1>Comparison</h1><p>Test side; small: 95 % bootstrap interval.</p>"
        f"<table><tr><th>run</th>{head}</tr>{body}</table>"
        f'<img alt="Macro F1 and mAP of each run" src="data:image/png;base64,{plot}"></html>',
        encoding="utf-8",
    )


def text_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table for a terminal, best macro F1 first."""
    ordered = sorted(rows, key=lambda row: -row.get("macro_f1", -1.0))
    width = max(len(str(row["name"])) for row in ordered)
    head = " " * width + "".join(f"{label:>16}" for _, label, _ in _COLUMNS)
    lines = [head]
    for row in ordered:
        cells = "".join(f"{_cell(row, key, form):>16}" for key, _, form in _COLUMNS)
        lines.append(f"{row['name']:<{width}}" + (f"  {row['error']}" if "error" in row else cells))
    return "\n".join(lines)


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


def _plot(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Macro F1 and mAP of each run, with their intervals."""
    shown = [row for row in rows if "ci95" in row][::-1]
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
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
