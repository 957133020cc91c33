"""Weights are learned apart for what is known of a query."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from indexer.taste_map import unit_rows
from indexer.types import Ratings, Rows
from recommender.defaults import KNOWLEDGE, rest_of
from recommender.learned_weights import WeightLearner
from recommender.taste import TasteConfig, TasteModel

N_MOVIES, N_GENRES, N_PEOPLE = 1500, 10, 160
TASTE = TasteModel(TasteConfig(als_dim=8, neighbour_dim=8, dim=8, iterations=4))


def world() -> tuple[Ratings, Rows]:
    """Everybody likes one genre, which shows in half of a poster's looks."""
    rng = np.random.default_rng(4)
    genre_of = rng.integers(N_GENRES, size=N_MOVIES)
    looks = rng.normal(size=(N_GENRES, 8))[genre_of] + rng.normal(size=(N_MOVIES, 8))
    ids = tuple(f"m{i:04d}" for i in range(N_MOVIES))
    rows = Rows(
        ids,
        unit_rows(looks.astype(np.float32)),
        np.eye(N_GENRES, dtype=np.float32)[genre_of],
        np.zeros((N_MOVIES, 0), np.float32),
        np.tile([True, True, False], (N_MOVIES, 1)),
        np.zeros(N_MOVIES, np.int32),
    )
    users, movies = [], []
    for person in range(N_PEOPLE):
        mine = np.flatnonzero(genre_of == person % N_GENRES)
        chosen = rng.choice(mine, 40, replace=False)
        users += [f"u{person}"] * len(chosen)
        movies += [ids[i] for i in chosen.tolist()]
    ratings = Ratings(
        np.array(users, dtype=object),
        np.array(movies, dtype=object),
        np.full(len(users), 5, np.float32),
        np.zeros(len(users), np.int64),
    )
    return ratings, rows


@pytest.fixture(scope="module")
def learned() -> dict[str, tuple[float, float, float]]:
    ratings, rows = world()
    noise = unit_rows(np.random.default_rng(9).random((N_MOVIES, N_GENRES)).astype(np.float32))
    return WeightLearner(TASTE).fit(ratings, rows, noise)


def test_each_kind_of_query_that_is_asked_about_gets_an_opening_and_a_rest(
    learned: dict[str, tuple[float, float, float]],
) -> None:
    assert set(learned) <= {*KNOWLEDGE, *map(rest_of, KNOWLEDGE)}
    for kind in ("unrated", "unrated_untold", "poster"):
        assert sum(learned[kind]) == pytest.approx(1.0, abs=1e-3)
        assert sum(learned[rest_of(kind)]) == pytest.approx(1.0, abs=1e-3)


def test_told_genres_count_where_people_like_by_them_and_guessed_ones_that_are_noise_do_not(
    learned: dict[str, tuple[float, float, float]],
) -> None:
    told = learned[rest_of("unrated")]
    for kind in ("unrated_untold", "poster"):
        look, genre, _ = learned[rest_of(kind)]
        assert genre <= 0.2
        assert look > told[0]


def test_genres_that_posters_tell_for_certain_count_like_told_ones() -> None:
    ratings, rows = world()
    certain = WeightLearner(TASTE).fit(ratings, rows, rows.genre)
    assert certain["unrated_untold"] == certain["unrated"]
    shuffled = replace(rows, genre=np.roll(rows.genre, 1, axis=0))
    assert WeightLearner(TASTE).fit(ratings, shuffled, rows.genre) != certain
