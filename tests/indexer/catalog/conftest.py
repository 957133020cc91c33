"""The catalog's tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoded import EncodedPosters
from embeddings.genres import GenreVocabulary
from indexer.catalog import Catalog
from indexer.settings import Settings, load_settings
from indexer.types import Ratings, TasteFactors

GENRES = GenreVocabulary(("Comedy", "Drama", "Horror"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty home, in either database."""
    environ = {}
    if request.param == "postgres":
        environ["ONESHEET_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return load_settings(tmp_path / "home", environ)


@pytest.fixture
def embed(catalog: Catalog) -> Callable[..., int]:
    """Saves embeddings: movie id to a visual vector and probabilities of Comedy, Drama, Horror."""

    def save(vectors: dict[str, tuple[list[float], list[float]]], fingerprint: str = "encoder-1") -> int:
        embeddings = np.array([vector for vector, _ in vectors.values()], dtype=np.float32)
        probs = np.array([prob for _, prob in vectors.values()], dtype=np.float32)
        catalog.add_encoder(fingerprint, GENRES, embeddings.shape[1])
        encoded = EncodedPosters(tuple(vectors), embeddings, probs)
        return catalog.save_embeddings(encoded, fingerprint, probs > 0.5, [f"sha-{one}" for one in vectors])

    return save


@pytest.fixture
def rate(catalog: Catalog) -> Callable[..., object]:
    """Adds ratings given as (user, movie, value, time)."""

    def add(*rows: tuple[str, str, float, int]) -> object:
        users, movies, values, times = zip(*rows, strict=True)
        return catalog.add_ratings(
            Ratings(
                np.array(users, dtype=object),
                np.array(movies, dtype=object),
                np.array(values, dtype=np.float32),
                np.array(times, dtype=np.int64),
            )
        )

    return add


@pytest.fixture
def taste_of(catalog: Catalog) -> Callable[..., TasteFactors]:
    """Makes taste factors of a model: movie id to factor and number of ratings."""

    def make(factors: dict[str, tuple[list[float], int]], model_id: str = "taste-1") -> TasteFactors:
        return TasteFactors(
            movie_ids=tuple(factors),
            factors=np.array([factor for factor, _ in factors.values()], dtype=np.float32),
            n_ratings=np.array([n for _, n in factors.values()], dtype=np.int32),
            map=np.arange(12, dtype=np.float32).reshape(6, 2),
            model_id=model_id,
        )

    return make
