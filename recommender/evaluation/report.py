"""What was found, for people: a table on the terminal, and a directory with JSON, Markdown and a plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from recommender.evaluation.outcome import NEAREST, Outcome

COLUMNS = (
    "matched_ndcg_at_10",
    "matched_hr_at_10",
    "nearest_ndcg_at_10",
    "ndcg_at_10",
    "recall_at_10",
    "recall_at_100",
    "genre_agreement_at_10",
    "coverage",
    "jaccard_at_10",
)


def as_markdown(outcome: Outcome) -> str:
    """A table of every row, and the comparisons below it."""
    document = outcome.as_json()
    rows = outcome.rows_as_json()
    columns = [name for name in COLUMNS if any(name in row for row in rows.values())]
    lines = [
        f"Protocol {outcome.protocol}: {len(outcome.people)} people, {outcome.n_queries} questions, "
        f"{outcome.n_left_out} pairs left out."
        if outcome.people
        else f"Protocol {outcome.protocol}: {outcome.n_queries} questions.",
        "",
        "| row | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name, row in rows.items():
        lines.append("| " + " | ".join([f"`{name}`", *(_cell(row, column) for column in columns)]) + " |")
    comparisons = document.get("comparisons")
    if isinstance(comparisons, list):
        lines += ["", f"Relative gain in {outcome.headline}, drawn over the same people (95 %):", ""]
        lines += [_sentence(one) for one in comparisons]
    by_decile = document.get("comparisons_by_decile")
    if isinstance(by_decile, list):
        for one in by_decile:
            lines += _tenths(one)
    return "\n".join(lines) + "\n"


def write_report(outcome: Outcome, directory: Path) -> None:
    """Write ``PROTOCOL.json``, ``PROTOCOL.md`` and, where rows have deciles, ``PROTOCOL-deciles.svg``.

    Raises:
        OSError: The directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(outcome.as_json(), indent=1, ensure_ascii=False)
    (directory / f"{outcome.protocol}.json").write_text(text + "\n", encoding="utf-8")
    (directory / f"{outcome.protocol}.md").write_text(as_markdown(outcome), encoding="utf-8")
    if outcome.popularity:
        # Imported here: matplotlib takes a second, and only a report draws.
        from recommender.evaluation.plots import plot_deciles

        plot_deciles(outcome, directory / f"{outcome.protocol}-deciles.svg")


def _cell(row: dict[str, object], column: str) -> str:
    value = row.get(column)
    if not isinstance(value, float):
        return ""
    intervals = row["ci95"]
    ends = intervals.get(column) if isinstance(intervals, dict) else None
    return f"{value:.4f}" if ends is None else f"{value:.4f} ({ends[0]:.3f}–{ends[1]:.3f})"


def _tenths(comparison: dict[str, Any]) -> list[str]:
    """A table of the tenths of the questions, with a line that says what it shows."""
    ours, theirs = comparison["row"], comparison["against"]
    lines = [
        "",
        f"`{ours}` beside `{theirs}` by tenth of the questions, least popular movie to be found first "
        f"({comparison['metric']}, 95 %):",
        "",
        f"| ratings | `{ours}` | `{theirs}` | difference |",
        "|---|---|---|---|",
    ]
    for tenth in comparison["tenths"]:
        low, high = tenth["ci95"]
        lines.append(
            f"| {tenth['from']}–{tenth['to']} | {tenth['ours']:.4f} | {tenth['theirs']:.4f} "
            f"| {tenth['difference']:+.4f} ({low:+.4f} to {high:+.4f}) |"
        )
    return lines


def _sentence(comparison: dict[str, object]) -> str:
    gain, ends = comparison["relative_gain"], comparison["ci95"]
    if not isinstance(gain, float) or not isinstance(ends, list):
        return f"- `{comparison['row']}` over `{comparison['against']}`: not defined"
    return (
        f"- `{comparison['row']}` over `{comparison['against']}`: {gain:+.1%} "
        f"({ends[0]:+.1%} to {ends[1]:+.1%})"
        + (f", by `{comparison['metric']}`" if comparison["metric"] == NEAREST else "")
    )
