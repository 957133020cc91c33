"""What a checkpoint still tells from posters that were changed on their way: sizes, saving, frames, cuts.

Example: python -m benchmarks.changed_posters LABELS POSTERS --split split.json -n 1000

Prints for each change mean average precision and F1 of the same posters (the checkpoint's own cuts), the
difference of mAP to the untouched ones, how many of the genres chosen stay the same (Jaccard), and the cosine
of the changed look to the untouched one (5 %, median).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks.poster_copies import COPIES, jpeg, wide
from embeddings.encoded import EncodedPosters, Poster
from embeddings.encoder import Encoder, join_encoded
from embeddings.evaluation.document import JudgedPosters, evaluation_document
from embeddings.training.labels import find_labelled_posters, read_labels
from embeddings.training.splits import Split


def _progressive(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    wide(picture, 500).save(buffer, "JPEG", quality=90, progressive=True)
    return buffer.getvalue()


def _webp(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=60)
    return buffer.getvalue()


def _turned(picture: Image.Image) -> Image.Image:
    return picture.rotate(3, Image.Resampling.BICUBIC, expand=True, fillcolor="white")


CHANGES: Mapping[str, Callable[[Image.Image], bytes]] = {
    **COPIES,
    "500 pixels wide, progressive": _progressive,
    "2,000 pixels wide, quality 85": lambda picture: jpeg(wide(picture, 2000), 85),
    "WebP, quality 60": _webp,
    "quality 25": lambda picture: jpeg(picture, 25),
    "sharpened": lambda picture: jpeg(picture.filter(ImageFilter.UnsharpMask(1, 80, 0)), 90),
    "blurred by a pixel": lambda picture: jpeg(picture.filter(ImageFilter.GaussianBlur(1)), 90),
    "a quarter darker": lambda picture: jpeg(ImageEnhance.Brightness(picture).enhance(0.75), 90),
    "faded, half the colour": lambda picture: jpeg(ImageEnhance.Color(picture).enhance(0.5), 90),
    "without colour": lambda picture: jpeg(picture.convert("L").convert("RGB"), 90),
    "turned by 3 degrees": lambda picture: jpeg(_turned(picture), 90),
}


@click.command()
@click.argument("labels_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("posters_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-n", "n_posters", default=1000, show_default=True, help="Posters of the test side; 0: all.")
@click.option("--seed", default=0, show_default=True)
def main(
    labels_file: Path, posters_dir: Path, split: Path, model: Path | None, n_posters: int, seed: int
) -> None:
    """Print a table of changes."""
    side = np.random.default_rng(seed).permutation(np.array(Split.load(split).test)).tolist()
    labels = read_labels(labels_file).labelled().select(side[: n_posters or None])
    files = find_labelled_posters(labels, posters_dir)
    encoder = Encoder.load(model)
    untouched = _encode(encoder, files, Path.read_bytes)
    judged = _judge(encoder, untouched, labels.select(untouched.movie_ids).targets(encoder.genres))
    plain = _figures(judged)
    click.echo(
        f"| change of {len(untouched)} posters | mAP | difference | macro F1 | micro F1 | genres kept | "
        "look's cosine, 5 / 50 % |\n|---|---|---|---|---|---|---|"
    )
    click.echo(f"| none | {plain[0]:.3f} | | {plain[1]:.3f} | {plain[2]:.3f} | 1.000 | |")
    for name, change in CHANGES.items():
        changed = _encode(encoder, files, _reader(change))
        if changed.movie_ids != untouched.movie_ids:
            raise click.ClickException(f"{name}: a changed poster could not be read")
        again = _judge(encoder, changed, judged.targets)
        figures = _figures(again)
        either = (judged.chosen | again.chosen).sum(axis=1)
        kept = ((judged.chosen & again.chosen).sum(axis=1) / np.maximum(either, 1))[either > 0].mean()
        low, middle = np.percentile((untouched.embeddings * changed.embeddings).sum(axis=1), (5, 50))
        click.echo(
            f"| {name} | {figures[0]:.3f} | {figures[0] - plain[0]:+.3f} | {figures[1]:.3f} | "
            f"{figures[2]:.3f} | {kept:.3f} | {low:.3f} / {middle:.3f} |"
        )


def _reader(change: Callable[[Image.Image], bytes]) -> Callable[[Path], bytes]:
    return lambda path: change(Image.open(path).convert("RGB"))


def _encode(encoder: Encoder, files: Mapping[str, Path], read: Callable[[Path], bytes]) -> EncodedPosters:
    posters = (Poster(movie_id, read(path)) for movie_id, path in files.items())
    parts = list(encoder.encode_batches(posters))
    return join_encoded(parts, encoder.embedding_dim, len(encoder.genres))


def _judge(encoder: Encoder, encoded: EncodedPosters, targets: np.ndarray) -> JudgedPosters:
    cuts = np.asarray(encoder.manifest.thresholds, dtype=np.float32)
    return JudgedPosters(encoded.movie_ids, encoder.genres, targets, encoded.genre_probs, cuts)


def _figures(judged: JudgedPosters) -> tuple[float, float, float]:
    document = evaluation_document(judged)
    return document["mean_average_precision"], document["macro_f1"], document["micro_f1"]


if __name__ == "__main__":
    main()
