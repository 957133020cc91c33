"""Cut out what is taken for a face, so that somebody can look at it.

Example: python -m benchmarks.face_sheet ../shared/data/posters --n 900 --out faces.png

Writes one picture with every detection, surest last, and prints how many posters
have one. Precision is what a person counts on it.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np
from PIL import Image

from embeddings.posters import read_poster
from recommender.faces import FACE_SIZE, find_faces

_TILE = 72
_COLUMNS = 14


@click.command()
@click.argument("posters", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--n", default=900, show_default=True, help="Posters, drawn at random.")
@click.option("--seed", default=11, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def main(posters: Path, n: int, seed: int, out: Path) -> None:
    """Draw posters, cut the surest face out of each and lay them side by side."""
    paths = np.random.default_rng(seed).permutation(np.array(sorted(posters.glob("*.jpg")), dtype=object))[:n]
    tiles, seconds = [], 0.0
    for path in paths.tolist():
        picture = read_poster(path, size=FACE_SIZE).resize(FACE_SIZE)
        started = time.perf_counter()
        faces = find_faces(picture)
        seconds += time.perf_counter() - started
        if faces:
            weight, box = max(faces)
            tiles.append((weight, picture.crop(_wider(box)).resize((_TILE, _TILE))))
    tiles.sort(key=lambda tile: tile[0])
    rows = max(1, -(-len(tiles) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * _TILE, rows * _TILE))
    for i, (_, tile) in enumerate(tiles):
        sheet.paste(tile, (i % _COLUMNS * _TILE, i // _COLUMNS * _TILE))
    sheet.save(out)
    click.echo(f"{len(tiles)} of {len(paths)} posters show a face; {1000 * seconds / len(paths):.1f} ms each")


def _wider(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The box with a third of its side around it."""
    left, top, side = box[0], box[1], box[2] - box[0]
    return left - side // 3, top - side // 3, box[2] + side // 3, box[3] + side // 3


if __name__ == "__main__":
    main()
