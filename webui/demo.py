"""``onesheet demo``: the whole way on posters the project draws itself."""

from __future__ import annotations

import json
from collections import Counter

import click

from indexer.catalog import Catalog, open_catalog
from indexer.demo import DemoFiles, make_demo
from indexer.demo.titles import make_movies
from indexer.importers import import_source
from indexer.reindex import ReindexOptions
from indexer.settings import Settings
from indexer.types import ReindexReport
from recommender.recommender import open_recommender
from recommender.reindexing import make_reindex
from recommender.table import print_answer
from recommender.types import SimilarMovies, SimilarRequest
from webui.server import ServeOptions, serve
from webui.settings import load_web_settings

N_MOVIES, SEED = 200, 0


@click.command()
@click.option("--no-serve", is_flag=True, help="Stop after printing; open no page.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="TCP port.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def demo(settings: Settings, no_serve: bool, port: int, as_json: bool) -> None:
    """Draw 200 posters, import, index, print one "more like this", serve the pages.

    Example: onesheet --home demo-home demo --no-serve
    """
    click.echo(f"drawing {N_MOVIES} posters and simulating their viewers ...", err=True)
    files = make_demo(settings.home / "demo", N_MOVIES, SEED)
    catalog = open_catalog(settings)
    imported = _import(catalog, files)
    click.echo("embedding the posters and building the index ...", err=True)
    report = make_reindex(settings, catalog, ReindexOptions())()
    answer = open_recommender(settings).similar(SimilarRequest(like=(_liked(),), k=8))
    if as_json:
        parts = {"home": str(settings.home), "imported": imported, "reindex": report.as_json()}
        click.echo(json.dumps({**parts, "similar": answer.as_json()}, ensure_ascii=False))
    else:
        _print(settings, catalog, report, answer)
    if not no_serve:
        serve(ServeOptions("127.0.0.1", port, 1), settings, load_web_settings())


def _import(catalog: Catalog, files: DemoFiles) -> list[dict[str, object]]:
    movies = import_source(catalog, files.labels, "csv", files.posters)
    ratings = import_source(catalog, files.ratings, "movielens")
    return [movies.as_json(), ratings.as_json()]


def _liked() -> str:
    """The first movie that has a sequel: its neighbours are easy to judge by eye."""
    movies = make_movies(N_MOVIES, SEED)
    parts = Counter(movie.style_seed for movie in movies)
    return next(movie.movie_id for movie in movies if parts[movie.style_seed] > 1)


def _print(settings: Settings, catalog: Catalog, report: ReindexReport, answer: SimilarMovies) -> None:
    click.echo(
        f"{report.embedded + report.unchanged} posters in the index, {report.embedded} embedded now "
        f"({report.posters_per_second:g} a second); everything is under {settings.home}\n"
    )
    named = catalog.find_movies(list(answer.request.like))
    print_answer(answer, {movie_id: movie.title for movie_id, movie in named.items()})
    click.echo(f"\nAgain: onesheet --home {settings.home} similar {answer.request.like[0]}")
