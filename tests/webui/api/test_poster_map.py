"""The points of the map."""

from __future__ import annotations

import numpy as np
from flask.testing import FlaskClient

from indexer.settings import Settings
from indexer.types import Facts
from recommender.poster_map import MAP_NAME
from webui.api.poster_map import telling_genres


def test_every_movie_with_a_poster_has_a_point_in_the_square(
    client: FlaskClient, movie_ids: list[str]
) -> None:
    points = client.get("/api/v1/map").get_json()
    assert sorted(points["movie_ids"]) == sorted(movie_ids)
    assert all(0 <= value <= points["units"] for value in points["x"] + points["y"])
    assert all(-1 <= value < len(points["genres"]) for value in points["genre"])


def test_a_removed_movie_leaves_the_map_at_once(own_client: FlaskClient, movie_ids: list[str]) -> None:
    key = {"Authorization": "Bearer a-key-for-tests"}
    assert own_client.delete(f"/api/v1/movies/{movie_ids[0]}", headers=key).status_code == 200
    assert movie_ids[0] not in own_client.get("/api/v1/map").get_json()["movie_ids"]


def test_a_map_that_was_never_drawn_names_the_cure(own_home: Settings, own_client: FlaskClient) -> None:
    (own_home.cache_dir / MAP_NAME).unlink()
    answer = own_client.get("/api/v1/map")
    assert answer.status_code == 404
    assert "onesheet reindex" in answer.get_json()["detail"]


def test_the_telling_genre_is_the_one_that_fewest_movies_carry() -> None:
    n = 4
    zeros = np.zeros(n, np.int32)
    drama, western = 1, 2
    facts = Facts(
        np.array([b"a", b"b", b"c", b"d"]),
        zeros.astype(np.int16),
        np.array([drama, drama | western, drama, 0], np.uint64),
        zeros,
        zeros,
        np.ones(n, np.bool_),
    )
    assert telling_genres(facts, np.arange(n), 2).tolist() == [0, 1, 0, -1]
