"""How far a poster's own copies and the nearest posters of other movies are, to the encoder.

Example: python -m benchmarks.poster_copies POSTERS --home HOME -n 250

Prints, for copies of posters drawn at random, the look's cosine to the poster of the same movie
(1 %, 5 %, median) and to the nearest poster of another movie (median, 95 %, 99 %, largest) in an
indexed catalog, and which shares of both reach the cosine from which a picture is taken for a copy.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import numpy as np
from PIL import Image

from embeddings.encoded import Poster
from embeddings.encoder import Encoder
from indexer.catalog import open_catalog
from indexer.settings import load_settings
from recommender.copies import COPY_COSINE
from recommender.evaluation.data import read_catalog

_FRAME = 6


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def wide(picture: Image.Image, width: int) -> Image.Image:
    """The picture at another size."""
    return picture.resize((width, round(width * picture.height / picture.width)), Image.Resampling.BICUBIC)


def cropped(picture: Image.Image) -> Image.Image:
    """Four percent less on each side."""
    width, height = picture.size
    return picture.crop(
        (round(0.04 * width), round(0.04 * height), round(0.96 * width), round(0.96 * height))
    )


def framed(picture: Image.Image) -> Image.Image:
    """The picture in a white frame."""
    frame = Image.new("RGB", (picture.width + 2 * _FRAME, picture.height + 2 * _FRAME), "white")
    frame.paste(picture, (_FRAME, _FRAME))
    return frame


COPIES: Mapping[str, Callable[[Image.Image], bytes]] = {
    "saved again, quality 95": lambda picture: jpeg(picture, 95),
    "500 pixels wide, quality 60": lambda picture: jpeg(wide(picture, 500), 60),
    "100 pixels wide, quality 70": lambda picture: jpeg(wide(picture, 100), 70),
    "4 % cut off all around": lambda picture: jpeg(cropped(picture), 80),
    "a white frame of 6 pixels": lambda picture: jpeg(framed(picture), 80),
}


@click.command()
@click.argument("posters", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("-n", "n_posters", default=250, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(posters: Path, home: Path, n_posters: int, seed: int) -> None:
    """Print a table of copies."""
    data = read_catalog(open_catalog(load_settings(home), create=False))
    looks, place = data.rows.visual, {name: i for i, name in enumerate(data.rows.movie_ids)}
    encoder = Encoder.load(None)
    drawn = np.random.default_rng(seed).permutation(np.array(data.rows.movie_ids)).tolist()
    chosen = [name for name in drawn if (posters / f"{name}.jpg").is_file()][:n_posters]
    pictures = {name: Image.open(posters / f"{name}.jpg").convert("RGB") for name in chosen}
    click.echo(
        f"| copy of {len(chosen)} posters | own, 1 / 5 / 50 % | nearest other of {len(place)}, "
        f"50 / 95 / 99 / 100 % | own first | own >= {COPY_COSINE} | another >= {COPY_COSINE} |\n"
        "|---|---|---|---|---|---|"
    )
    for name, copy in COPIES.items():
        encoded = encoder.encode([Poster(movie_id, copy(picture)) for movie_id, picture in pictures.items()])
        cosines = encoded.embeddings @ looks.T
        rows = np.arange(len(cosines)), np.array([place[movie_id] for movie_id in encoded.movie_ids])
        own = cosines[rows].copy()
        # Near copies among the catalog's own posters are no other movie's art.
        cosines[(looks[rows[1]] @ looks.T) >= COPY_COSINE] = -1
        other = cosines.max(axis=1)
        shown = [
            " / ".join(f"{value:.3f}" for value in np.percentile(values, percents))
            for values, percents in ((own, (1, 5, 50)), (other, (50, 95, 99, 100)))
        ]
        shares = [float(value.mean()) for value in (own > other, own >= COPY_COSINE, other >= COPY_COSINE)]
        click.echo(
            f"| {name} | {shown[0]} | {shown[1]} | " + " | ".join(f"{share:.3f}" for share in shares) + " |"
        )


if __name__ == "__main__":
    main()
