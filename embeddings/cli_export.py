"""``onesheet export``: a checkpoint for other runtimes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from embeddings.checkpoint import BUNDLED, MANIFEST_NAME
from embeddings.cli_options import chosen_model, model_option


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option("--onnx", is_flag=True, default=True, help="As ONNX, the only format there is so far.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@model_option
@click.pass_context
def export(ctx: click.Context, directory: Path, onnx: bool, as_json: bool, model: Path | None) -> None:
    """Write a checkpoint as DIR/model.onnx and check it against torch.

    Where DIR is a checkpoint itself and no --model is given, that one is exported.

    Example: onesheet export exported/ --onnx
    """
    from embeddings.export import export_onnx

    if model is None and (directory / MANIFEST_NAME).is_file():
        checkpoint = directory
    else:
        checkpoint = chosen_model(ctx, model) or BUNDLED
    report = export_onnx(checkpoint, directory)
    difference = report.max_difference
    if as_json:
        found = {"onnx": str(report.path), "bytes": report.n_bytes, "max_difference": difference}
        click.echo(json.dumps(found))
    else:
        click.echo(f"{report.path}: {report.n_bytes / 1e6:.1f} MB, at most {difference:.1e} away from torch")
