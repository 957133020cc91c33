"""Draw the posters that are said to show much lettering, so that somebody can look at each.

    python -m benchmarks.lettering_sheet --home HOME --out lettering.png

Of a home's posters that nothing was fitted on, some are drawn at random; those of which a reason
would say it are numbered on one sheet. How many of them are right is what a person counts.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from embeddings.checkpoint import BUNDLED
from embeddings.lettering import find_lettering, read_grades
from embeddings.posters import read_poster
from indexer.settings import load_settings
from recommender.recommender import open_recommender

GRADES = Path(__file__).with_name("lettering_labels.csv")
TILE, COLUMNS, CAPTION = (120, 180), 12, 14


def draw_sheet(posters: list[str]) -> Image.Image:
    """Posters side by side, numbered from 0."""
    rows = -(-len(posters) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE[0], rows * (TILE[1] + CAPTION)))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for number, path in enumerate(posters):
        left, top = number % COLUMNS * TILE[0], number // COLUMNS * (TILE[1] + CAPTION)
        draw.text((left + 3, top), str(number), "yellow", font)
        sheet.paste(read_poster(Path(path), size=TILE).resize((TILE[0] - 2, TILE[1])), (left, top + CAPTION))
    return sheet


@click.command()
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("-n", "n_drawn", default=3000, show_default=True, help="Posters that are drawn at random.")
@click.option("--seed", default=1, show_default=True)
def main(home: Path, out: Path, n_drawn: int, seed: int) -> None:
    """Draw a sheet of what is called much lettering among posters never looked at before."""
    settings = load_settings(home)
    recommender = open_recommender(settings)
    view = recommender.reader.view()
    lettering = find_lettering(settings.model or BUNDLED, view.manifest.fingerprint)
    if lettering is None:
        raise click.ClickException("the checkpoint of this home has no lettering.json of its own")
    graded = read_grades(GRADES)
    unseen = [one.decode() for one in view.facts.movie_ids.tolist() if one.decode() not in graded]
    chosen = [unseen[i] for i in np.random.default_rng(seed).permutation(len(unseen))[:n_drawn].tolist()]
    rows = view.find_rows(chosen)
    said = np.flatnonzero(lettering.shows_much(rows.visual) & rows.known[:, 0]).tolist()
    posters = [recommender.catalog.get_movie(chosen[i]).poster for i in said]
    draw_sheet([poster for poster in posters if poster]).save(out)
    click.echo(f"{len(said)} of {len(chosen)} posters are said to show much lettering: look at {out}")


if __name__ == "__main__":
    main()
