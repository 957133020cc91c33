"""``onesheet evaluate``: how good a checkpoint's genres are, beside predictors that never look."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from embeddings.cli_options import chosen_model, device_option, model_option
from embeddings.cli_train import labels_argument, posters_argument

if TYPE_CHECKING:
    from embeddings.encoded import EncodedPosters
    from embeddings.encoder import Encoder
    from embeddings.evaluation.document import JudgedPosters

_SHOWN = ("macro_f1", "micro_f1", "mean_average_precision", "hamming_skill", "brier_skill", "ece", "jaccard")


@click.command()
@labels_argument
@posters_argument
@model_option
@click.option(
    "--report",
    "report_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write a page with plots, and the figures as JSON and CSV, here.",
)
@click.option(
    "--split", type=click.Path(path_type=Path), help="A split.json of a run: judge only its test side."
)
@click.option("--flip", is_flag=True, help="Average each poster's probabilities with its mirror image's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@device_option
@click.pass_context
def evaluate(
    ctx: click.Context,
    /,
    labels_file: Path,
    posters_dir: Path,
    model: Path | None,
    report_dir: Path | None,
    split: Path | None,
    flip: bool,
    as_json: bool,
    device: str,
) -> None:
    """Judge a checkpoint's genres on labelled posters.

    Example: onesheet evaluate labels.csv posters/ --report report/
    """
    from embeddings.evaluation.document import evaluation_document
    from embeddings.training.run_state import make_folder

    if report_dir is not None:
        make_folder(report_dir)  # what cannot be written is said before the work
    judged, failed = _judge(
        _Question(labels_file, posters_dir, split, flip), chosen_model(ctx, model), device
    )
    for poster, error in failed:
        click.echo(f"onesheet: {poster}: {error}", err=True)
    document = evaluation_document(judged)
    if report_dir is not None:
        from embeddings.evaluation.report import write_report
        from embeddings.training.labels import find_posters

        page = write_report(report_dir, judged, document, find_posters(posters_dir, judged.movie_ids))
        click.echo(f"report: {page}", err=True)
    click.echo(json.dumps(document, indent=1) if as_json else _table(document))


@dataclass(frozen=True)
class _Question:
    """Which posters are judged, and how they are looked at."""

    labels_file: Path
    posters_dir: Path
    split: Path | None
    flip: bool


def _judge(
    question: _Question, model: Path | None, device: str
) -> tuple[JudgedPosters, list[tuple[str, str]]]:
    """Predictions of the labelled posters that can be read, and those that cannot."""
    import numpy as np

    from embeddings.encoder import Encoder
    from embeddings.evaluation.document import JudgedPosters
    from embeddings.training.labels import find_labelled_posters, read_labels
    from embeddings.training.splits import Split

    labels = read_labels(question.labels_file)
    if question.split is not None:
        side = set(Split.load(question.split).test)
        labels = labels.select(movie_id for movie_id in labels.movie_ids if movie_id in side)
    files = find_labelled_posters(labels, question.posters_dir)
    encoder = Encoder.load(model, device)
    encoded, *mirror = [_encode(encoder, files, mirrored) for mirrored in (False, True)[: 1 + question.flip]]
    probs = np.mean([encoded.genre_probs, *(other.genre_probs for other in mirror)], axis=0)
    targets = labels.select(encoded.movie_ids).targets(encoder.genres)
    thresholds = np.asarray(encoder.manifest.thresholds, dtype=np.float32)
    judged = JudgedPosters(encoded.movie_ids, encoder.genres, targets, probs, thresholds)
    return judged, [(bad.poster, bad.error) for bad in encoded.failed]


def _encode(encoder: Encoder, files: Mapping[str, Path], mirrored: bool) -> EncodedPosters:
    from embeddings.encoded import Poster
    from embeddings.encoder import join_encoded

    posters = (Poster(movie_id, path) for movie_id, path in files.items())
    parts = []
    with tqdm(total=len(files), unit="poster", disable=not sys.stderr.isatty()) as bar:
        for part in encoder.encode_batches(posters, mirrored=mirrored):
            parts.append(part)
            bar.update(len(part) + len(part.failed))
    return join_encoded(parts, encoder.embedding_dim, len(encoder.genres))


def _table(document: dict[str, Any]) -> str:
    rows = {"this checkpoint": document, **document["trivial"]}
    width = max(map(len, rows))
    lines = [f"{document['n']} posters, {len(document['labels'])} genres"]
    lines.append(
        " " * width + "".join(f"{name.replace('mean_average_precision', 'mAP'):>15}" for name in _SHOWN)
    )
    lines += [
        f"{name:<{width}}" + "".join(f"{row[key]:>15.4f}" for key in _SHOWN) for name, row in rows.items()
    ]
    lines.append("")
    lines.append(f"{'genre':<14}{'support':>8}{'precision':>11}{'recall':>9}{'F1':>8}{'AP':>8}{'cut':>8}")
    for genre, row in document["per_genre"].items():
        lines.append(
            f"{genre:<14}{row['support']:>8}{row['precision']:>11.3f}{row['recall']:>9.3f}{row['f1']:>8.3f}"
            f"{row['average_precision']:>8.3f}{row['threshold']:>8.3f}"
        )
    return "\n".join(lines)
