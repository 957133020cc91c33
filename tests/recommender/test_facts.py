from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from indexer.catalog import MovieFacts
from indexer.types import Ratings
from recommender import facts as facts_module
from recommender.facts import CatalogFacts
from recommender.liked import Likers

ASKED, OTHERS = "tt0000004", ["tt0000002", "tt0000006", "tt0000007", "tt0000055"]


class OnlyOnce:
    """A catalog that refuses to look up again what must have been kept."""

    def __init__(self, catalog) -> None:
        self._catalog = catalog
        self.closed = False

    def __getattr__(self, name: str):
        if self.closed and name in ("find_movies", "likers", "co_liked"):
            raise AssertionError(f"{name} was asked again")
        return getattr(self._catalog, name)


def state_of(home):
    view = home.recommender.reader.view()
    return (view.manifest.name, view.revision), view.facts


def ratings_of(users: list[str], movie_id: str, value: float) -> Ratings:
    n = len(users)
    return Ratings(
        np.array(users, dtype=object),
        np.array([movie_id] * n, dtype=object),
        np.full(n, value, dtype=np.float32),
        np.full(n, 2_000_000_000, dtype=np.int64),
    )


def test_counts_are_those_of_the_people_in_both_sets() -> None:
    likers = Likers()
    likers.add({"a": ["x", "y", "z"], "b": ["z", "w", "y"], "c": []})
    assert likers.count("a", ["b", "c", "a"]) == {"b": 2, "c": 0, "a": 3}
    assert likers.count("c", ["a"]) == {"a": 0}
    assert "a" in likers
    assert "d" not in likers


def test_what_was_read_ahead_is_not_asked_for_again_and_is_what_the_catalog_says(home) -> None:
    catalog = OnlyOnce(home.catalog)
    kept = CatalogFacts(catalog)
    state, facts = state_of(home)
    kept.read_ahead(state, facts)
    catalog.closed = True
    assert kept.movies(state, [ASKED, *OTHERS]) == home.catalog.find_movies([ASKED, *OTHERS])
    for asked in (ASKED, *OTHERS):
        assert kept.co_liked(state, asked, OTHERS) == home.catalog.co_liked(asked, OTHERS)


def test_a_large_catalog_is_not_read_ahead_and_answers_the_same(home, monkeypatch) -> None:
    monkeypatch.setattr(facts_module, "_MOST_MOVIES", 3)
    catalog = OnlyOnce(home.catalog)
    kept = CatalogFacts(catalog)
    state, facts = state_of(home)
    kept.read_ahead(state, facts)
    assert kept.movies(state, [ASKED, *OTHERS]) == home.catalog.find_movies([ASKED, *OTHERS])
    assert kept.co_liked(state, ASKED, OTHERS) == home.catalog.co_liked(ASKED, OTHERS)
    catalog.closed = True
    with pytest.raises(AssertionError, match="find_movies was asked again"):
        kept.movies(state, [ASKED, *OTHERS])


def test_with_many_ratings_each_pair_is_asked_for(home, monkeypatch) -> None:
    monkeypatch.setattr(facts_module, "_MOST_RATINGS", 10)
    catalog = OnlyOnce(home.catalog)
    kept = CatalogFacts(catalog)
    state, facts = state_of(home)
    kept.read_ahead(state, facts)
    assert kept.co_liked(state, ASKED, OTHERS) == home.catalog.co_liked(ASKED, OTHERS)
    catalog.closed = True
    assert kept.co_liked(state, ASKED, OTHERS)[OTHERS[0]] > 0
    with pytest.raises(AssertionError, match="co_liked was asked again"):
        kept.co_liked(state, ASKED, ["tt0000010"])


def test_ratings_another_process_adds_are_counted_at_the_next_revision(own_home, open_home) -> None:
    kept = CatalogFacts(own_home.catalog)
    state, facts = state_of(own_home)
    kept.read_ahead(state, facts)
    before = kept.co_liked(state, ASKED, ["tt0000055"])
    assert before == {"tt0000055": 0}
    other = open_home(own_home.settings)
    for movie_id in (ASKED, "tt0000055"):
        other.catalog.add_ratings(ratings_of(["new1", "new2"], movie_id, 5.0))
    other.catalog.close()
    state, facts = state_of(own_home)
    kept.read_ahead(state, facts)
    assert kept.co_liked(state, ASKED, ["tt0000055"]) == {"tt0000055": 2}
    assert kept.movies(state, ["tt0000055"])["tt0000055"].n_ratings == 2


def test_a_movie_that_changed_is_read_again_and_the_others_are_not(own_home, open_home) -> None:
    catalog = OnlyOnce(own_home.catalog)
    kept = CatalogFacts(catalog)
    state, facts = state_of(own_home)
    kept.read_ahead(state, facts)
    other = open_home(own_home.settings)
    other.catalog.upsert_movies([MovieFacts(ASKED, title="A new title")], "edit")
    other.catalog.remove_movies(["tt0000002"])
    other.catalog.close()
    state, _ = state_of(own_home)
    assert kept.movies(state, [ASKED, "tt0000002"]) == {
        ASKED: dataclasses.replace(own_home.catalog.get_movie(ASKED), title="A new title")
    }
    catalog.closed = True
    assert list(kept.movies(state, ["tt0000006", ASKED])) == ["tt0000006", ASKED]


def test_a_question_that_a_change_overtook_makes_nothing_be_read_again(own_home, open_home) -> None:
    catalog = OnlyOnce(own_home.catalog)
    kept = CatalogFacts(catalog)
    overtaken, facts = state_of(own_home)
    kept.read_ahead(overtaken, facts)
    own_home.catalog.remove_movies(["tt0000055"])
    state, facts = state_of(own_home)
    kept.read_ahead(state, facts)
    counted = kept.co_liked(state, ASKED, OTHERS[:3])
    catalog.closed = True
    for asked in (overtaken, state):
        kept.read_ahead(asked, facts)
        assert list(kept.movies(asked, OTHERS[:3])) == OTHERS[:3]
        assert kept.co_liked(asked, ASKED, OTHERS[:3]) == counted
