"""A report that travels: one HTML page with everything inside, and the figures as JSON and CSV."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from embeddings.errors import PosterError
from embeddings.evaluation import figures
from embeddings.evaluation.document import JudgedPosters
from embeddings.posters import read_poster

_N_POSTERS = 12
_THUMBNAIL = (110, 165)
_HEADLINES = (
    ("macro_f1", "macro F1"),
    ("micro_f1", "micro F1"),
    ("mean_average_precision", "mAP"),
    ("hamming_skill", "Hamming skill"),
    ("brier_skill", "Brier skill"),
    ("ece", "ECE"),
    ("jaccard", "Jaccard"),
    ("subset_accuracy", "subset accuracy"),
    ("top_1_accuracy", "top-1"),
    ("top_3_accuracy", "top-3"),
    ("r_precision", "R-precision"),
    ("label_ranking_average_precision", "LRAP"),
)
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1d2733}
table{border-collapse:collapse;display:block;overflow-x:auto}td,th{padding:.2rem .6rem;text-align:right}
th:first-child,td:first-child{text-align:left}tr:nth-child(even){background:#f3f5f7}img{max-width:100%}
.posters{display:flex;flex-wrap:wrap;gap:.8rem}.posters figure{margin:0;width:110px;font-size:12px}
"""


def write_report(
    folder: Path,
    judged: JudgedPosters,
    document: Mapping[str, Any],
    posters: Mapping[str, Path],
    history: Sequence[Mapping[str, float]] = (),
    title: str = "Genres of posters",
) -> Path:
    """Write ``report.html``, ``metrics.json``, ``per_genre.csv`` and ``predictions.csv``.

    Args:
        folder: Made if absent.
        judged: Predictions and truth.
        document: What ``evaluation_document`` made of them.
        posters: File of each movie, for the sheets of hits and misses.
        history: Figures of each epoch; empty leaves the learning curves out.
        title: Heading of the page.

    Returns:
        Path of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    judged = judged.present()
    (folder / "metrics.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    _write_per_genre(folder / "per_genre.csv", document)
    _write_predictions(folder / "predictions.csv", judged)
    parts = [f"<h1>{html.escape(title)}</h1>", _headline_table(document)]
    if history:
        parts.append(_section("Learning curves", figures.learning_curves(history)))
    parts += [
        _section("Genres, best first", figures.genre_bars(document)),
        _genre_table(document),
        _whole_table(document),
        _section("Chosen genres by true genre", figures.confusion(judged), "Shares of a row's movies."),
        _section("Reliability", figures.reliability(judged), "On the dotted line, probabilities are honest."),
        _section("F1 by one common cut", figures.threshold_curves(judged)),
        _section("Precision and recall", figures.precision_recall(judged)),
        _section("Movies of each genre", figures.genre_counts(document)),
        *_poster_sheets(judged, posters),
    ]
    page = folder / "report.html"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    page.write_text(
        f"<!doctype html><html lang=en><head>{head}<title>{html.escape(title)}</title></head>"
        f"<body>{''.join(parts)}</body></html>",
        encoding="utf-8",
    )
    return page


def _headline_table(document: Mapping[str, Any]) -> str:
    rows = {"this checkpoint": document, **document["trivial"]}
    head = "".join(f"<th>{label}</th>" for _, label in _HEADLINES)
    body = "".join(
        f"<tr><td>{html.escape(name.replace('_', ' '))}</td>"
        + "".join(f"<td>{row[key]:.3f}</td>" for key, _ in _HEADLINES)
        + "</tr>"
        for name, row in rows.items()
    )
    cuts = "; ".join(f"{what}: {html.escape(cut)}" for what, cut in document["cuts"].items())
    return (
        f"<p>{document['n']} posters, {len(document['labels'])} genres; macro figures over "
        f"{html.escape(', '.join(document['macro_labels']))}.</p>"
        f"<table><tr><th></th>{head}</tr>{body}</table><p>Cuts: {cuts}.</p>"
    )


def _whole_table(document: Mapping[str, Any]) -> str:
    """Every figure there is, one a line, beside the trivial predictors'."""
    rows = {"this checkpoint": document, **document["trivial"]}
    head = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in rows)
    body = "".join(
        f"<tr><td>{key.replace('_', ' ')}</td>"
        + "".join(f"<td>{row[key]:.4f}</td>" for row in rows.values())
        + "</tr>"
        for key in document["trivial"]["all_negative"]
    )
    return f"<h2>All figures</h2><table><tr><th></th>{head}</tr>{body}</table>"


def _genre_table(document: Mapping[str, Any]) -> str:
    columns = ("support", "precision", "recall", "f1", "average_precision", "threshold")
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in columns)
    body = "".join(
        f"<tr><td>{html.escape(genre)}</td><td>{row['support']}</td>"
        + "".join(f"<td>{row[name]:.3f}</td>" for name in columns[1:])
        + "</tr>"
        for genre, row in document["per_genre"].items()
    )
    return f"<table><tr><th></th>{head}</tr>{body}</table>"


def _section(title: str, png: bytes, text: str = "") -> str:
    note = f"<p>{html.escape(text)}</p>" if text else ""
    return (
        f'<h2>{html.escape(title)}</h2>{note}<img alt="{html.escape(title)}" src="{_data_url(png, "png")}">'
    )


def _poster_sheets(judged: JudgedPosters, posters: Mapping[str, Path]) -> list[str]:
    hits, misses = figures.extreme_cells(judged, _N_POSTERS)
    sheets = []
    for title, cells in (("Surest hits", hits), ("Surest misses", misses)):
        shown = "".join(
            _poster(judged, posters.get(judged.movie_ids[row]), row, column) for row, column in cells
        )
        sheets.append(f"<h2>{title}</h2><div class=posters>{shown}</div>")
    return sheets


def _poster(judged: JudgedPosters, path: Path | None, row: int, column: int) -> str:
    truth = ", ".join(judged.genres.names(judged.targets[row] > 0.5))
    said = f"{judged.genres.genres[column]} {judged.probs[row, column]:.2f}"
    words = f"<b>{html.escape(said)}</b><br>{html.escape(judged.movie_ids[row])}: {html.escape(truth)}"
    picture = f'<img alt="" src="{_data_url(_thumbnail(path), "jpeg")}">' if path else ""
    return f"<figure>{picture}<figcaption>{words}</figcaption></figure>"


def _thumbnail(path: Path) -> bytes:
    """The poster made small; a grey card where it cannot be read any more."""
    try:
        image = read_poster(path, _THUMBNAIL).resize(_THUMBNAIL)
    except (PosterError, OSError):
        image = Image.new("RGB", _THUMBNAIL, "grey")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _data_url(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _write_per_genre(path: Path, document: Mapping[str, Any]) -> None:
    columns = ("support", "precision", "recall", "f1", "average_precision", "threshold")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("genre", *columns))
        for genre, row in document["per_genre"].items():
            writer.writerow((genre, *(row[name] for name in columns)))


def _write_predictions(path: Path, judged: JudgedPosters) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("movie_id", "true", "predicted", *judged.genres))
        for movie_id, target, chosen, probs in zip(
            judged.movie_ids, judged.targets, judged.chosen, judged.probs, strict=True
        ):
            true, predicted = judged.genres.names(target > 0.5), judged.genres.names(chosen)
            writer.writerow((movie_id, "|".join(true), "|".join(predicted), *np.round(probs, 5).tolist()))
