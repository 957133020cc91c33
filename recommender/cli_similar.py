"""``onesheet similar``: more like these, on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from indexer.catalog import Catalog
from indexer.settings import Settings
from recommender.naming import resolve_movie
from recommender.recommender import open_recommender
from recommender.requests import SERIES
from recommender.table import print_answer
from recommender.types import Filters, SimilarRequest, Weights

_SHARE = click.FloatRange(0, 1)
_WEIGHT = click.FloatRange(min=0)


def read_years(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int | None, int | None]:
    """First and last year of ``1980-1989``, ``1980-``, ``-1989`` or ``1985``; None where open."""
    if value is None:
        return None, None
    found = re.fullmatch(r"(\d{4})?(?:(-)(\d{4})?)?", value.replace("–", "-"))
    if not found or not (found[1] or found[3]):
        raise click.BadParameter(f"{value!r} is not a span of years; write it as 1980-1989", ctx, param)
    first, last = (int(year) if year else None for year in (found[1], found[3]))
    return (first, last) if found[2] else (first, first)


@click.command()
@click.argument("movies", metavar="[MOVIE_ID]...", nargs=-1)
@click.option(
    "--poster", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Like this picture."
)
@click.option("--less", metavar="MOVIE_ID", multiple=True, help="And less like this movie; may be repeated.")
@click.option("-k", "k", type=click.IntRange(1, 200), default=10, show_default=True, help="How many.")
@click.option("--visual", type=_WEIGHT, help="Weight of the look.")
@click.option("--genre", type=_WEIGHT, help="Weight of the genres.")
@click.option("--taste", type=_WEIGHT, help="Weight of the people who liked both.")
@click.option(
    "--filter-genre", "genres", metavar="G", multiple=True, help="Only with this genre; may be repeated."
)
@click.option("--years", metavar="A-B", callback=read_years, help="Only of these years, such as 1980-1989.")
@click.option("--exclude", metavar="MOVIE_ID", multiple=True, help="Never this movie; may be repeated.")
@click.option("--min-score", type=_SHARE, help="Least score; 0.99 = closer than 99 % of random pairs.")
@click.option("--diversity", type=_SHARE, default=0.0, show_default=True, help="0 closest, 1 most varied.")
@click.option("--collapse-duplicates", is_flag=True, help="One of each group of near-identical posters.")
@click.option(
    "--series",
    type=click.Choice(SERIES),
    default="neutral",
    show_default=True,
    help="Where movies of the same series or collection go.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def similar(settings: Settings, /, **options: Any) -> None:
    """More like a movie, like several, or like a picture.

    MOVIE_ID is an id of the catalog, or a title where only one movie has it.
    Without weights the catalog's own are used; with one of them, the others
    count 0.

    Example: onesheet similar tt0088763 -k 5 --visual 0.5 --taste 0.5
    """
    recommender = open_recommender(settings)
    answer = recommender.similar(_request(recommender.catalog, options))
    if options["as_json"]:
        click.echo(json.dumps(answer.as_json(), ensure_ascii=False))
        return
    named = recommender.catalog.find_movies([*answer.request.like, *answer.request.unlike])
    print_answer(answer, {movie_id: movie.title for movie_id, movie in named.items()})


def _request(catalog: Catalog, options: dict[str, Any]) -> SimilarRequest:
    if not options["movies"] and options["poster"] is None:
        raise click.UsageError("Name a movie, or give a picture with --poster.")
    year_min, year_max = options["years"]
    return SimilarRequest(
        like=_resolved(catalog, options["movies"]),
        unlike=_resolved(catalog, options["less"]),
        poster=options["poster"].read_bytes() if options["poster"] else None,
        k=options["k"],
        weights=_weights(options["visual"], options["genre"], options["taste"]),
        filters=Filters(
            genres=options["genres"],
            year_min=year_min,
            year_max=year_max,
            exclude=_resolved(catalog, options["exclude"]),
            min_score=options["min_score"],
        ),
        diversity=options["diversity"],
        collapse_duplicates=options["collapse_duplicates"],
        series=options["series"],
    )


def _resolved(catalog: Catalog, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(resolve_movie(catalog, name) for name in names))


def _weights(*given: float | None) -> Weights | None:
    if all(share is None for share in given):
        return None
    visual, genre, taste = (share or 0.0 for share in given)
    return Weights(visual, genre, taste)
