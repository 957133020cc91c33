"""Deal labelled movies to sides as a training run does, without training: which posters stand on which.

The sides of the bundled checkpoint are

    python -m benchmarks.deal_sides ../shared/data/labels.csv ../shared/data/posters --out split.json

and ``onesheet evaluate --split split.json`` and ``onesheet evaluate-similar --protocol genre --split
split.json`` judge its test side alone.
"""

from __future__ import annotations

from pathlib import Path

import click

from embeddings.training.labels import read_labels
from embeddings.training.splits import make_splits

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("labels", type=_FILE)
@click.argument("posters", type=_FOLDER)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--fractions", type=(float, float, float), default=(0.75, 0.10, 0.15), show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(labels: Path, posters: Path, out: Path, fractions: tuple[float, float, float], seed: int) -> None:
    """Write the sides as JSON and say how many movies stand on each."""
    split = make_splits(read_labels(labels), posters, fractions, seed)
    split.save(out)
    click.echo(
        f"{len(split.train)} to learn from, {len(split.validation)} to validate, {len(split.test)} to test"
    )


if __name__ == "__main__":
    main()
