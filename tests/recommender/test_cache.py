from __future__ import annotations

from recommender.cache import StateCache
from recommender.facts import CatalogFacts
from recommender.types import SimilarRequest


def test_a_value_is_found_under_its_state_only() -> None:
    cache: StateCache[str, int] = StateCache(10)
    cache.keep(("s", 1), "a", 5)
    assert cache.find(("s", 1), "a") == 5
    assert cache.find(("s", 2), "a") is None
    cache.keep(("s", 2), "b", 6)
    assert cache.find(("s", 1), "a") is None


def test_a_value_of_an_older_revision_empties_nothing() -> None:
    cache: StateCache[str, int] = StateCache(10)
    cache.keep(("s", 2), "a", 5)
    cache.keep(("s", 1), "b", 6)
    assert cache.find(("s", 2), "a") == 5
    assert cache.find(("s", 1), "b") is None


def test_the_value_used_longest_ago_makes_room() -> None:
    cache: StateCache[str, int] = StateCache(2)
    cache.keep(("s", 1), "a", 1)
    cache.keep(("s", 1), "b", 2)
    cache.find(("s", 1), "a")
    cache.keep(("s", 1), "c", 3)
    assert [cache.find(("s", 1), key) for key in "abc"] == [1, None, 3]


def test_facts_are_those_of_the_catalog_in_the_order_asked(home) -> None:
    facts = CatalogFacts(home.catalog)
    ids = ["tt0000009", "tt9999999", "tt0000002"]
    for _ in range(2):
        assert facts.movies(("s", 1), ids) == home.catalog.find_movies(ids)
        assert list(facts.movies(("s", 1), ids)) == ["tt0000009", "tt0000002"]
        assert facts.co_liked(("s", 1), "tt0000004", ["tt0000002", "tt0000006"]) == home.catalog.co_liked(
            "tt0000004", ["tt0000002", "tt0000006"]
        )


def test_a_changed_catalog_changes_the_answer(own_home) -> None:
    request = SimilarRequest(like=("tt0000004",), k=5)
    first = own_home.recommender.similar(request)
    again = own_home.recommender.similar(request)
    assert again.results == first.results
    own_home.catalog.remove_movies([first.results[0].movie_id])
    changed = own_home.recommender.similar(request)
    assert changed.results[0].movie_id == first.results[1].movie_id
    assert changed.snapshot != first.snapshot
