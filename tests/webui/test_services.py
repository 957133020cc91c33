"""One look at the catalog serves every request that waited for it; a ready process has been counted."""

from __future__ import annotations

import time

import pytest

from indexer.settings import Settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.services import Services, services_of


@pytest.fixture
def held(own_home: Settings) -> Services:
    return services_of(create_app(own_home, open_recommender(own_home)))


def test_a_request_that_came_before_the_last_look_needs_none_of_its_own(held: Services) -> None:
    came = time.monotonic()
    seen = held.view()
    held.remove_movie(seen.facts.movie_ids[0].decode())
    assert held.view(came) is seen


def test_a_request_that_came_after_a_change_is_answered_with_it(held: Services) -> None:
    seen = held.view()
    revision = held.remove_movie(seen.facts.movie_ids[0].decode())
    came = time.monotonic()
    assert held.view(came).revision == revision
    assert held.view(time.monotonic()).revision == revision
    assert held.view().revision == revision


def test_a_process_that_calls_itself_ready_has_set_its_gauges(held: Services) -> None:
    assert held.metrics.registry.get_sample_value("onesheet_movies") == 0
    assert held.why_not_ready() is None
    assert held.metrics.registry.get_sample_value("onesheet_movies") == 40
