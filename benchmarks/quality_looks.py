"""Other ways to make "look" out of a poster, judged beside the embedding of a home.

Example: python -m benchmarks.quality_looks --home HOME --labels test_labels.csv \
    --arch mobilenet_v2+efficientnet_lite0 --init A.safetensors+B.safetensors

Rows: ImageNet features without our training (pooled, standardised), colours and a
thumbnail, and the home's embedding centred, whitened (ZCA with shrinkage of the covariance) and cut
to its principal axes. Every way is fitted to all posters of the home, genres unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

import embeddings.torchvision_ops  # noqa: F401 - must come before torchvision
from embeddings.errors import PosterError
from embeddings.models.registry import build_model
from embeddings.posters import read_poster
from indexer.catalog import open_catalog
from indexer.settings import load_settings
from indexer.taste_map import unit_rows
from recommender.cli_evaluate import read_truth
from recommender.evaluation.cold import judge_cold
from recommender.evaluation.data import CatalogData, read_catalog
from recommender.evaluation.genre import judge_genre
from recommender.evaluation.looks import colour_histograms
from recommender.evaluation.outcome import Outcome
from recommender.evaluation.protocol import JudgeOptions
from recommender.evaluation.report import as_markdown
from recommender.evaluation.warm import judge_warm

SIZE = (192, 288)
_BATCH = 32
Rows = NDArray[np.float32]


def whitened(rows: Rows, shrinkage: float, n_axes: int | None = None) -> Rows:
    """Unit rows after ZCA (all axes) or PCA whitening; shrinkage 1 would only centre.

    Source:
        A. Kessy, A. Lewin and K. Strimmer, "Optimal Whitening and Decorrelation", 2018;
        O. Ledoit and M. Wolf, "A Well-Conditioned Estimator for Large-Dimensional
        Covariance Matrices", 2004.
    """
    known = np.any(rows != 0, axis=1)
    centred = rows - rows[known].mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(centred[known].T))
    values = (1 - shrinkage) * values + shrinkage * values.mean()
    kept = slice(None) if n_axes is None else slice(len(values) - n_axes, None)
    turned = centred @ (axes[:, kept] / np.sqrt(np.maximum(values[kept], 1e-12)))
    return unit_rows(np.where(known[:, None], turned, 0).astype(np.float32))


def imagenet_rows(posters: list[str | None], arch: str, init: str) -> Rows:
    """Pooled features of a net that only saw ImageNet, standardised, unit rows; zero without a poster."""
    net = build_model(arch, 2, init=init).eval()
    found = np.zeros((len(posters), net.num_features), dtype=np.float32)
    wanted = [i for i, poster in enumerate(posters) if poster is not None]
    for start in tqdm(range(0, len(wanted), _BATCH), desc="ImageNet", unit="batch"):
        part = wanted[start : start + _BATCH]
        pixels = np.stack([_pixels(str(posters[i])) for i in part])
        with torch.inference_mode():
            features = net.forward_features(torch.from_numpy(pixels).permute(0, 3, 1, 2))
        found[part] = features.float().numpy()
    seen = np.any(found != 0, axis=1)
    spread = found[seen].std(axis=0) + 1e-3
    return unit_rows(
        np.where(seen[:, None], (found - found[seen].mean(axis=0)) / spread, 0).astype(np.float32)
    )


def _pixels(poster: str) -> NDArray[np.uint8]:
    try:
        picture = read_poster(Path(poster), size=SIZE).resize(SIZE, Image.Resampling.BICUBIC)
    except PosterError:
        picture = Image.new("RGB", SIZE)
    return np.asarray(picture)


@click.command()
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option(
    "--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="True genres, for genre."
)
@click.option(
    "--protocol",
    "protocols",
    type=click.Choice(["genre", "warm", "cold"]),
    multiple=True,
    default=["genre"],
    show_default=True,
)
@click.option("--arch", help="Net of the ImageNet row; none leaves the row out.")
@click.option("--init", help="Its weights, as of `onesheet train --init`.")
def main(
    home: Path, labels: Path | None, protocols: tuple[str, ...], arch: str | None, init: str | None
) -> None:
    """Judge every way and print a table for each protocol."""
    if labels is None and "genre" in protocols:
        raise click.UsageError("The protocol genre needs --labels.")
    data = read_catalog(open_catalog(load_settings(home), create=False))
    truth = None if labels is None else read_truth(labels)
    visual = data.rows.visual
    looks = {
        "visual_centred": whitened(visual, 1.0),
        **{f"visual_zca_{shrinkage:g}": whitened(visual, shrinkage) for shrinkage in (0.1, 0.5, 0.9)},
        "visual_pca_64": whitened(visual, 0.5, 64),
    }
    judged = set(truth or {}) if protocols == ("genre",) else set(data.rows.movie_ids)
    pairs = zip(data.rows.movie_ids, data.posters, strict=True)
    posters = [poster if one in judged else None for one, poster in pairs]
    looks["visual_histogram"] = colour_histograms(posters)
    if arch is not None:
        looks["visual_imagenet"] = imagenet_rows(posters, arch, init or "imagenet")
    for protocol in protocols:
        click.echo(as_markdown(_judge(protocol, data, truth, JudgeOptions(repeats=3, looks=looks))))


def _judge(
    protocol: str, data: CatalogData, truth: Mapping[str, frozenset[str]] | None, options: JudgeOptions
) -> Outcome:
    if protocol == "genre":
        return judge_genre(data, truth, options)
    return (judge_warm if protocol == "warm" else judge_cold)(data, None, options)


if __name__ == "__main__":
    main()
