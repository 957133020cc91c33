"""Draw the posters of which most seems to be lettering, to be looked at: tried as a reason, and lost.

Regions that stay the same over many thresholds (MSER) and stand in lines of
five or more of like height are taken for letters; the share of a poster that
their lines cover is what it is ranked by. Crowds, grids of faces and
ornaments stand in lines as well (``docs/quality.md``).

    python -m benchmarks.lettering_sheet ../shared/data/posters --out lettering.png
"""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.errors import PosterError
from embeddings.posters import read_poster

WIDTH = 256
LEAST_NEIGHBOURS = 4
TILE, COLUMNS = (120, 180), 15


def letters(grey: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Boxes that may be letters: x, y, width, height, (n, 4)."""
    height, width = grey.shape
    regions, boxes = cv2.MSER.create(3, 12, int(0.03 * width * height), 0.25).detectRegions(grey)
    if not len(regions):
        return np.empty((0, 4), dtype=np.int64)
    found = np.asarray(boxes, dtype=np.int64)
    filled = np.array([len(region) for region in regions]) / (found[:, 2] * found[:, 3])
    slim = found[:, 2] / found[:, 3]
    likely = (found[:, 3] >= 4) & (found[:, 3] <= height / 5) & (found[:, 2] <= width / 4)
    likely &= (slim > 0.1) & (slim < 2) & (filled > 0.2) & (filled < 0.92)
    found = found[likely]
    # One letter is found at several thresholds.
    _, first = np.unique(np.round(found / 3).astype(np.int64), axis=0, return_index=True)
    return np.asarray(found[first])


def in_lines(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those that have neighbours of like height beside them."""
    x, y, width, height = boxes.T
    tallest, least = np.maximum(height[:, None], height), np.minimum(height[:, None], height)
    level = np.abs((y + height / 2)[:, None] - (y + height / 2)) < 0.35 * least
    near = np.abs((x + width / 2)[:, None] - (x + width / 2)) < 2 * tallest
    overlap = np.minimum((x + width)[:, None], x + width) - np.maximum(x[:, None], x)
    beside = overlap <= 0.3 * np.minimum(width[:, None], width)
    return np.asarray(
        boxes[(level & near & beside & (tallest < 1.5 * least)).sum(axis=1) >= LEAST_NEIGHBOURS]
    )


def lettering_share(picture: Image.Image) -> float:
    """Share of a poster that lines of letters seem to cover, in [0, 1]."""
    size = (WIDTH, round(picture.height * WIDTH / picture.width))
    grey = np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX))
    mask = np.zeros(grey.shape, dtype=np.uint8)
    for x, y, width, height in in_lines(letters(grey)).tolist():
        mask[y : y + height, x : x + width] = 1
    return float(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8)).mean())


@click.command()
@click.argument("posters", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("-n", "n_read", default=900, show_default=True, help="Posters that are measured.")
@click.option("--shown", default=60, show_default=True, help="Posters that are drawn, most lettering first.")
@click.option("--seed", default=1, show_default=True)
def main(posters: Path, out: Path, n_read: int, shown: int, seed: int) -> None:
    """Measure a sample and draw those with the most."""
    files = sorted(posters.iterdir())
    chosen = np.random.default_rng(seed).permutation(len(files))[:n_read]
    found: list[tuple[float, Image.Image]] = []
    for i in chosen.tolist():
        try:
            picture = read_poster(files[i])
        except PosterError:
            continue
        found.append((lettering_share(picture), picture.resize(TILE)))
    found.sort(key=lambda one: -one[0])
    rows = -(-min(shown, len(found)) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE[0], rows * TILE[1]))
    for place, (_, picture) in enumerate(found[:shown]):
        sheet.paste(picture, (place % COLUMNS * TILE[0], place // COLUMNS * TILE[1]))
    sheet.save(out)
    shares = np.array([share for share, _ in found])
    click.echo(
        f"{len(found)} posters, shares at 50, 90, 95, 99 %: {np.quantile(shares, [0.5, 0.9, 0.95, 0.99])}"
    )


if __name__ == "__main__":
    main()
