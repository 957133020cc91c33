"""Everyday questions are answered before they are asked, and only while that is right."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from indexer.settings import Settings
from recommender.recommender import open_recommender
from recommender.types import SimilarRequest
from webui.app import create_app
from webui.services import Services, services_of
from webui.settings import WebSettings


@pytest.fixture
def own_app(own_home: Settings) -> Flask:
    return create_app(own_home, open_recommender(own_home), WebSettings())


@pytest.fixture
def held(own_app: Flask) -> Services:
    return services_of(own_app)


def test_every_movie_is_answered_ahead_as_it_would_be_when_asked(own_app: Flask, held: Services) -> None:
    view = held.view()
    assert held.ahead.prepare(view)
    state = (view.manifest.name, view.revision)
    for movie_id in map(bytes.decode, view.facts.movie_ids[view.facts.live].tolist()):
        kept = held.answers.find(state, SimilarRequest(like=(movie_id,)))
        assert own_app.test_client().get(f"/api/v1/movies/{movie_id}/similar?k=10").data == kept


def test_a_change_ends_the_work_and_its_answers(held: Services) -> None:
    view = held.view()
    assert held.ahead.prepare(view)
    movie_id = view.facts.movie_ids[0].decode()
    held.remove_movie(movie_id)
    assert not held.ahead.prepare(view)
    newer = held.view()
    other = SimilarRequest(like=(view.facts.movie_ids[1].decode(),))
    assert movie_id.encode() not in held.similar_body(other, newer)


def test_it_stops_when_told(held: Services) -> None:
    thread = threading.Thread(target=held.ahead.run)
    thread.start()
    held.ahead.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert not held.ahead.prepare(held.view())


def test_only_half_of_the_kept_answers_are_made_ahead(held: Services) -> None:
    held.answers.max_bytes = 8 * 2048
    view = held.view()
    assert held.ahead.prepare(view)
    assert held.answers.n_bytes < 0.75 * held.answers.max_bytes
