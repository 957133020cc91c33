"""A catalog of two camps, large enough to ask questions about: even and odd movies, each with its people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from embeddings.encoded import EncodedPosters
from embeddings.genres import GenreVocabulary
from indexer.catalog import Catalog, MovieFacts, open_catalog
from indexer.settings import Settings, load_settings
from indexer.taste_map import unit_rows
from indexer.types import Ratings, Rows
from recommender.evaluation.data import CatalogData

N_MOVIES = 260
N_MANY = 900
N_PEOPLE = 90
GENRES = GenreVocabulary(("Comedy", "Drama", "Horror"))


def two_camps_ratings(n_movies: int = N_MOVIES, seed: int = 0) -> Ratings:
    """Everybody likes the movies of one camp and rates some of the other low; early movies are famous."""
    rng = np.random.default_rng(seed)
    fame = 0.75 - 0.6 * np.arange(n_movies) / n_movies
    users, movies, values = [], [], []
    for person in range(N_PEOPLE):
        for movie in range(n_movies):
            same = person % 2 == movie % 2
            if rng.random() < fame[movie] * (1.0 if same else 0.2):
                users.append(f"u{person:03d}")
                movies.append(f"tt{movie:07d}")
                values.append(4.5 if same else 2.0)
    return Ratings(
        np.array(users, dtype=object),
        np.array(movies, dtype=object),
        np.array(values, dtype=np.float32),
        np.arange(len(users), dtype=np.int64),
    )


def two_camps_data(n_movies: int = N_MOVIES, seed: int = 0) -> CatalogData:
    """Posters and genres tell the camp, the poster less surely."""
    rng = np.random.default_rng(seed)
    camp = np.arange(n_movies) % 2
    visual = unit_rows(
        (np.eye(2)[camp] @ rng.normal(size=(2, 8)) + rng.normal(size=(n_movies, 8))).astype("f4")
    )
    known = np.zeros((n_movies, 3), dtype=bool)
    known[np.arange(n_movies), camp] = True
    predicted = unit_rows((known + 0.5 * rng.random((n_movies, 3))).astype(np.float32))
    rows = Rows(
        tuple(f"tt{i:07d}" for i in range(n_movies)),
        visual,
        known.astype(np.float32),
        np.zeros((n_movies, 0), np.float32),
        np.tile([True, True, False], (n_movies, 1)),
        np.zeros(n_movies, np.int32),
        (1950 + np.arange(n_movies) % 60).astype(np.int16),
    )
    ratings = two_camps_ratings(n_movies, seed)
    films = np.arange(n_movies, dtype=np.int64)
    return CatalogData(rows, known, predicted, films, (None,) * n_movies, ratings, GENRES)


@pytest.fixture(scope="session")
def data() -> CatalogData:
    return two_camps_data()


@pytest.fixture(scope="session")
def large() -> CatalogData:
    """Enough movies that a quarter of them still gives questions."""
    return two_camps_data(N_MANY)


@pytest.fixture(scope="session")
def judged_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose catalog holds the same two camps."""
    settings = load_settings(tmp_path_factory.mktemp("judged"), environ={})
    catalog = open_catalog(settings)
    fill(catalog, two_camps_data())
    yield settings
    catalog.close()


def fill(catalog: Catalog, data: CatalogData) -> None:
    """Put the data into a catalog, as import and reindex would."""
    rows = data.rows
    catalog.upsert_movies(
        [
            MovieFacts(
                one, f"Film no{i}x", int(rows.years_or_zero()[i]), data.genres.names(data.known_genres[i])
            )
            for i, one in enumerate(rows.movie_ids)
        ],
        "csv",
    )
    fingerprint = "ab" * 32
    catalog.add_encoder(fingerprint, data.genres, rows.visual.shape[1])
    encoded = EncodedPosters(rows.movie_ids, rows.visual, data.predicted_genres)
    catalog.save_embeddings(encoded, fingerprint, data.predicted_genres > 0.5, ["0" * 64] * len(rows))
    catalog.activate(fingerprint, None)
    catalog.add_ratings(data.ratings)
