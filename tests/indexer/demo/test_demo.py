"""The demo catalog: drawn by us, the same every time, different where it should be."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from indexer.demo import SCENES, draw_poster, make_demo
from indexer.demo.titles import PRIMARY_GENRES, make_movies
from indexer.demo.viewers import make_ratings


def small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((32, 48)), dtype=np.float64)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = make_demo(tmp_path / "a", n=6), make_demo(tmp_path / "b", n=6)
    for path in sorted(first.posters.parent.rglob("*.*")):
        twin = second.posters.parent / path.relative_to(first.posters.parent)
        assert path.read_bytes() == twin.read_bytes(), path.name


def test_every_lead_genre_has_a_scene_and_ids_are_distinct() -> None:
    movies = make_movies(200, seed=0)
    assert set(PRIMARY_GENRES) == set(SCENES) == {movie.lead for movie in movies}
    assert len({movie.movie_id for movie in movies}) == 200


def test_posters_of_a_series_look_more_alike_than_posters_of_other_movies() -> None:
    movies = make_movies(60, seed=0)
    by_style: dict[int, list] = {}
    for movie in movies:
        by_style.setdefault(movie.style_seed, []).append(movie)
    series = next(group for group in by_style.values() if len(group) > 1)
    stranger = next(m for m in movies if m.lead == series[0].lead and m.style_seed != series[0].style_seed)
    a, b, c = (small(draw_poster(movie, seed=i)) for i, movie in enumerate([series[0], series[1], stranger]))
    assert np.abs(a - b).mean() < 0.7 * np.abs(a - c).mean()


def test_viewers_rate_in_half_stars_and_agree_within_genres() -> None:
    movies = make_movies(120, seed=0)
    ratings = make_ratings(movies, n_viewers=200, seed=1)
    assert ratings.rating.between(0.5, 5).all()
    assert (ratings.rating * 2 % 1 == 0).all()
    assert not ratings.duplicated(["userId", "movieId"]).any()
    table = ratings.pivot_table(index="userId", columns="movieId", values="rating")
    seen = table.notna().to_numpy(dtype=np.float64)
    together = np.corrcoef(seen.T)
    leads = np.array([movies[int(i) - 1].lead for i in table.columns])
    same = leads[:, None] == leads[None, :]
    np.fill_diagonal(same, False)
    assert together[same].mean() > together[~same].mean() + 0.05


def test_the_tables_have_the_columns_the_importers_read(tmp_path: Path) -> None:
    files = make_demo(tmp_path, n=5, n_viewers=20)
    assert list(pd.read_csv(files.labels).columns) == ["Id", "Genre", "title", "year"]
    assert list(pd.read_csv(files.ratings / "links.csv").columns) == ["movieId", "imdbId", "tmdbId"]
    assert len(list(files.posters.glob("*.jpg"))) == 5
