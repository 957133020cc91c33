"""A small catalog that the project draws itself: posters, labels, ratings, all from a seed.

Its layout is that of the public files the importers read: ``labels.csv``
(``Id,Genre,title,year``), ``posters/<Id>.jpg`` and ``ratings/`` in MovieLens
form, so that the demo walks the same way as a real catalog.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from indexer.demo import scenes_dark, scenes_light
from indexer.demo.canvas import Canvas, age
from indexer.demo.titles import DemoMovie, make_movies
from indexer.demo.viewers import make_ratings

POSTER_SIZE = (320, 480)
SCENES: dict[str, Callable[[np.random.Generator, str], Canvas]] = {
    "Horror": scenes_dark.horror,
    "Sci-Fi": scenes_dark.science_fiction,
    "Crime": scenes_dark.crime,
    "War": scenes_dark.war,
    "Action": scenes_dark.action,
    "Fantasy": scenes_dark.fantasy,
    "Romance": scenes_light.romance,
    "Western": scenes_light.western,
    "Animation": scenes_light.animation,
    "Drama": scenes_light.drama,
    "Comedy": scenes_light.comedy,
    "Documentary": scenes_light.documentary,
    "Music": scenes_light.music,
}


@dataclass(frozen=True)
class DemoFiles:
    """Where ``make_demo`` put things.

    Args:
        labels: CSV of ids, genres, titles, years.
        posters: Directory of ``<Id>.jpg``.
        ratings: Directory with ``ratings.csv``, ``links.csv``, ``movies.csv``.
    """

    labels: Path
    posters: Path
    ratings: Path


def make_demo(directory: Path, n: int = 200, seed: int = 0, n_viewers: int = 300) -> DemoFiles:
    """Draw ``n`` posters and let ``n_viewers`` simulated viewers rate the movies.

    The same arguments write the same bytes.

    Args:
        directory: Made if it is missing; files of the same names are replaced.
        n: How many movies, at most 400.
        seed: Of everything.
        n_viewers: How many viewers.
    """
    files = DemoFiles(directory / "labels.csv", directory / "posters", directory / "ratings")
    files.posters.mkdir(parents=True, exist_ok=True)
    files.ratings.mkdir(parents=True, exist_ok=True)
    movies = make_movies(n, seed)
    for number, movie in enumerate(movies):
        poster = draw_poster(movie, seed=seed * 1_000_003 + number)
        poster.save(files.posters / f"{movie.movie_id}.jpg", quality=88)
    _write_tables(movies, files, make_ratings(movies, n_viewers, seed + 1))
    return files


def draw_poster(movie: DemoMovie, seed: int) -> Image.Image:
    """The movie's poster, RGB, 320 x 480.

    The scene follows the lead genre, the composition ``style_seed``, which a
    series shares; ``seed`` moves the crop and the grain a little.
    """
    canvas = SCENES[movie.lead](np.random.default_rng(movie.style_seed), movie.title)
    wobble = np.random.default_rng(seed)
    canvas.rng = wobble
    picture = age(canvas, movie.year)
    dx, dy = (int(step) for step in wobble.integers(0, 9, 2))
    width, height = picture.size
    return picture.crop((dx, dy, width - 8 + dx, height - 8 + dy)).resize(
        POSTER_SIZE, Image.Resampling.LANCZOS
    )


def _write_tables(movies: list[DemoMovie], files: DemoFiles, ratings: pd.DataFrame) -> None:
    genres = ["|".join(movie.genres) for movie in movies]
    ids = [movie.movie_id for movie in movies]
    labels = {
        "Id": ids,
        "Genre": genres,
        "title": [m.title for m in movies],
        "year": [m.year for m in movies],
    }
    pd.DataFrame(labels).to_csv(files.labels, index=False)
    numbers = range(1, len(movies) + 1)
    links = {"movieId": numbers, "imdbId": [i.removeprefix("tt") for i in ids], "tmdbId": [""] * len(ids)}
    pd.DataFrame(links).to_csv(files.ratings / "links.csv", index=False)
    titles = [f"{movie.title} ({movie.year})" for movie in movies]
    pd.DataFrame({"movieId": numbers, "title": titles, "genres": genres}).to_csv(
        files.ratings / "movies.csv", index=False
    )
    ratings.to_csv(files.ratings / "ratings.csv", index=False)
