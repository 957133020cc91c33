"""The points of the map."""

from __future__ import annotations

import io
from contextlib import closing

import numpy as np
from flask.testing import FlaskClient

from indexer.catalog import open_catalog
from indexer.poster_map import MAP_FILE
from indexer.settings import Settings
from indexer.snapshots import open_store
from indexer.types import Facts
from indexer.verify import repair
from recommender.recommender import open_recommender
from webui.api.poster_map import telling_genres
from webui.app import create_app
from webui.settings import WebSettings


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


def test_a_new_poster_has_its_point_at_once(own_client: FlaskClient, movie_ids: list[str]) -> None:
    key = {"Authorization": "Bearer a-key-for-tests"}
    poster = own_client.get(f"/posters/{movie_ids[0]}?w=480").data
    form = {"title": "The Same Again", "poster": (io.BytesIO(poster), "mine.jpg")}
    assert own_client.put("/api/v1/movies/tt7777777", data=form, headers=key).status_code == 201
    points = own_client.get("/api/v1/map").get_json()
    assert sorted(points["movie_ids"]) == sorted([*movie_ids, "tt7777777"])


def test_a_map_that_was_never_drawn_names_the_cure(own_home: Settings) -> None:
    store = open_store(own_home)
    manifest = store.manifest()
    assert manifest is not None
    (store.directory / manifest.name / MAP_FILE).unlink()
    with closing(open_catalog(own_home, create=False)) as catalog:
        repair(catalog, store)
    recommender = open_recommender(own_home)
    answer = create_app(own_home, recommender, WebSettings()).test_client().get("/api/v1/map")
    recommender.catalog.close()
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
