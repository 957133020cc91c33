"""Lists as a picture: each line a movie and what is answered to "more like this", at the default weights.

Example: python -m benchmarks.list_sheet --home HOME --out docs/images/lists.webp MOVIE_ID...

Without ids, the five best rated-known movies of different first genres ask.
Posters of a real catalog belong to their studios: keep such a picture to yourself, or give
``--mosaic``, which shows of each poster only where it has which colours.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import click
from PIL import Image, ImageDraw, ImageFont

from embeddings.posters import read_poster
from indexer.settings import load_settings
from indexer.types import Movie
from recommender.recommender import Recommender, open_recommender
from recommender.types import SimilarRequest

_POSTER = (120, 180)
_TILES = (8, 12)
_CAPTION, _GAP = 34, 10
_INK, _PAPER, _QUIET = "#111111", "#ffffff", "#666666"


def asking(recommender: Recommender, n: int) -> list[str]:
    """The most rated movies of different genres, at most one each."""
    facts = recommender.reader.view().facts
    found: dict[str, str] = {}
    for position in (-facts.n_ratings).argsort(kind="stable")[:2000].tolist():
        movie = recommender.catalog.get_movie(facts.movie_ids[position].decode())
        if movie.poster and movie.genres and movie.genres[0] not in found:
            found[movie.genres[0]] = movie.movie_id
        if len(found) == n:
            break
    return list(found.values())


def shown_poster(path: str, mosaic: bool) -> Image.Image:
    """The poster at the size of a sheet; as a mosaic, the mean colours of 8 by 12 tiles."""
    poster = read_poster(Path(path), size=_POSTER)
    if mosaic:
        poster = poster.resize(_TILES, Image.Resampling.BOX)
    return poster.resize(_POSTER, Image.Resampling.NEAREST if mosaic else None)


def draw_line(sheet: Image.Image, top: int, movies: list[tuple[Movie, str]], mosaic: bool) -> None:
    """Draw posters side by side, each with its title and what stands below it."""
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for column, (movie, below) in enumerate(movies):
        left = _GAP + column * (_POSTER[0] + _GAP) + (2 * _GAP if column else 0)
        if movie.poster:
            sheet.paste(shown_poster(movie.poster, mosaic), (left, top))
        for text, y, colour in ((movie.title, 3, _INK), (below, 17, _QUIET)):
            # The font, which comes with Pillow, has no letters with accents.
            cut = "".join(
                one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one)
            )
            while draw.textlength(cut, font) > _POSTER[0]:
                cut = cut[:-2].rstrip(" …,") + "…"
            draw.text((left, top + _POSTER[1] + y), cut, colour, font)


@click.command()
@click.argument("movie_ids", nargs=-1)
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("-k", default=7, show_default=True)
@click.option("--mosaic", is_flag=True, help="Show the posters' colours alone.")
def main(movie_ids: tuple[str, ...], home: Path, out: Path, k: int, mosaic: bool) -> None:
    """Ask and draw."""
    recommender = open_recommender(load_settings(home))
    ids = list(movie_ids) or asking(recommender, 5)
    height = _POSTER[1] + _CAPTION + _GAP
    sheet = Image.new("RGB", ((k + 1) * (_POSTER[0] + _GAP) + 3 * _GAP, len(ids) * height + _GAP), _PAPER)
    for line, movie_id in enumerate(ids):
        answer = recommender.similar(SimilarRequest(like=(movie_id,), k=k))
        shown = [(recommender.catalog.get_movie(movie_id), "asks")]
        for result in answer.results:
            movie = recommender.catalog.get_movie(result.movie_id)
            shown.append((movie, f"{result.percentile:.2f} · {', '.join(result.genres)}"))
        draw_line(sheet, _GAP + line * height, shown, mosaic)
    sheet.save(out)
    click.echo(f"{len(ids)} lists drawn to {out}")


if __name__ == "__main__":
    main()
