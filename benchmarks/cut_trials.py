"""How far cuts are best drawn towards the one common cut, on posters that nothing was fitted on.

Cuts are fitted on a part of the validation and test sides of a checkpoint as large as its validation side
and judged on the others, several times:

    python -m benchmarks.deal_sides ../shared/data/labels.csv ../shared/data/posters --out split.json
    python -m benchmarks.cut_trials ../shared/data/labels.csv ../shared/data/posters --split split.json
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from embeddings.encoded import Poster
from embeddings.encoder import Encoder, join_encoded
from embeddings.evaluation.metrics import macro_columns
from embeddings.evaluation.thresholds import fit_thresholds
from embeddings.training.labels import find_labelled_posters, read_labels
from embeddings.training.splits import Split

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

Numbers = NDArray[np.float32]


def figures(probs: Numbers, targets: Numbers, cuts: tuple[float, ...]) -> tuple[float, float]:
    """Macro F1 over the genres with enough posters, and micro F1."""
    chosen = probs >= np.asarray(cuts)
    hits, sizes = (chosen * targets).sum(axis=0), chosen.sum(axis=0) + targets.sum(axis=0)
    macro = (2 * hits / np.maximum(sizes, 1))[macro_columns(targets)].mean()
    return float(macro), float(2 * hits.sum() / sizes.sum())


@click.command()
@click.argument("labels_file", type=_FILE)
@click.argument("posters_dir", type=_FOLDER)
@click.option("--split", type=_FILE, required=True, help="Sides of the checkpoint's training.")
@click.option("--model", type=_FOLDER, default=None, help="Checkpoint; default the bundled one.")
@click.option("--draws", default=12, show_default=True)
def main(labels_file: Path, posters_dir: Path, split: Path, model: Path | None, draws: int) -> None:
    """Print mean macro and micro F1 for each share as JSON."""
    sides = Split.load(split)
    labels = read_labels(labels_file).select(sides.validation + sides.test)
    files, encoder = find_labelled_posters(labels, posters_dir), Encoder.load(model)
    parts = list(encoder.encode_batches(Poster(movie_id, path) for movie_id, path in files.items()))
    encoded = join_encoded(parts, encoder.embedding_dim, len(encoder.genres))
    probs, targets = encoded.genre_probs, labels.select(encoded.movie_ids).targets(encoder.genres)
    rng, found = np.random.default_rng(0), {share: [] for share in SHARES}
    for draw in range(draws):
        order = rng.permutation(len(probs))
        fitted, judged = order[: len(sides.validation)], order[len(sides.validation) :]
        for share in SHARES:
            cuts = fit_thresholds(probs[fitted], targets[fitted], draw, share)
            found[share].append(figures(probs[judged], targets[judged], cuts))
    table = {share: np.mean(rows, axis=0).round(4).tolist() for share, rows in found.items()}
    click.echo(json.dumps({"macro_and_micro_f1_by_share": table}))


if __name__ == "__main__":
    main()
