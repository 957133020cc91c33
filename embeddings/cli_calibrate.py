"""``onesheet calibrate``: probabilities and cuts of a checkpoint, fitted to one's own posters."""

from __future__ import annotations

import json
from pathlib import Path

import click

from embeddings.checkpoint import BUNDLED
from embeddings.cli_options import chosen_model, device_option, model_option
from embeddings.cli_train import labels_argument, posters_argument


@click.command()
@labels_argument
@posters_argument
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The new checkpoint."
)
@model_option
@click.option(
    "--split",
    type=click.Path(path_type=Path),
    help="A split.json of a run: fit on its validation side, judge on its test side.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@device_option
@click.pass_context
def calibrate(
    ctx: click.Context,
    /,
    labels_file: Path,
    posters_dir: Path,
    out: Path,
    model: Path | None,
    split: Path | None,
    as_json: bool,
    device: str,
) -> None:
    """Fit a checkpoint's probabilities and cuts to labelled posters; its net and embeddings stay.

    Example: onesheet calibrate mine.csv posters/ --out runs/calibrated
    """
    from embeddings.training.finish import HEADLINES
    from embeddings.training.labels import read_labels
    from embeddings.training.recalibrate import recalibrate
    from embeddings.training.splits import Split

    sides = None if split is None else Split.load(split)
    checkpoint = chosen_model(ctx, model) or BUNDLED
    finished = recalibrate(checkpoint, read_labels(labels_file), posters_dir, out, sides, device)
    figures = finished.test or finished.validation
    judged_on = "the test side" if finished.test else "the posters that were fitted on, which flatters"
    told = {name: figures[name] for name in HEADLINES} | {"judged_on": judged_on, "checkpoint": str(out)}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{out}: judged on {judged_on}")
    click.echo(", ".join(f"{name} {figures[name]:.4f}" for name in HEADLINES[1:]))
