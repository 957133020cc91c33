"""``onesheet compare``: several nets and rivals under one protocol, one table."""

from __future__ import annotations

import json
from pathlib import Path

import click

from embeddings.cli_train import labels_argument, posters_argument
from embeddings.errors import TrainingError


@click.command()
@labels_argument
@posters_argument
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the runs."
)
@click.option("--arch", "archs", multiple=True, help="An architecture to compare; repeat for more.")
@click.option("--experiment", help="A published comparison by name: batch_size, schedules, soft_f1, ...")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The comparison as TOML.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as one JSON document.")
def compare(
    labels_file: Path,
    posters_dir: Path,
    out: Path,
    archs: tuple[str, ...],
    experiment: str | None,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Train and judge several settings alike; run it again after an interruption and it goes on.

    Example: onesheet compare labels.csv posters/ --out runs/nets --arch mobilenet_v2 --arch resnet18
    """
    from embeddings.training.compare import compare as run
    from embeddings.training.compare_page import text_table
    from embeddings.training.config import read_toml
    from embeddings.training.experiments import read_comparison
    from embeddings.training.labels import read_labels

    tree = read_toml(config_file) if config_file else {}
    if experiment is not None:
        tree["experiment"] = experiment
    comparison = read_comparison(tree, archs, str(config_file or "compare"))
    rows = run(
        read_labels(labels_file), posters_dir, out, comparison, lambda line: click.echo(line, err=True)
    )
    click.echo(json.dumps({"rows": rows}, indent=1) if as_json else text_table(rows))
    click.echo(f"table: {out / 'compare.html'}", err=True)
    if all("error" in row for row in rows):
        raise TrainingError(f"none of the {len(rows)} runs came to an end; their lines say why.")
