"""Collections in the catalog: whose word counts, what is kept of a name, who belongs together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from indexer.catalog import Catalog, Counts, MovieFacts
from indexer.titles import MAX_COLLECTION, collection_key


def of(movie_id: str, collection: str | None, title: str | None = None) -> MovieFacts:
    return MovieFacts(movie_id, title, collection=collection)


@pytest.mark.parametrize(
    "name",
    ["Star Wars", "star wars collection", "STAR  WARS (Collection)", "The Star-Wars Collection", "Stár Wars"],
)
def test_sources_that_write_a_name_differently_mean_one_collection(name: str) -> None:
    assert collection_key(name) == "star wars"


@pytest.mark.parametrize("name", ["Collection", "The Collection", "!!!", "★", "7", "コレクション", "x" * 500])
def test_every_name_has_a_key_that_an_index_can_hold(name: str) -> None:
    assert 0 < len(collection_key(name)) <= MAX_COLLECTION


def test_names_that_differ_in_a_word_are_two_collections() -> None:
    names = ["Alien Collection", "Aliens Collection", "Alien Trilogy", "Alien Collection 2", "!!!", "!?", "★"]
    assert len({collection_key(name) for name in names}) == len(names)


def test_sources_give_the_same_collection_in_any_order(catalog: Catalog) -> None:
    said = {"nfo": "By the library", "tmdb": "By TMDB", "csv": None, "edit": None}
    seen = set()
    for order in permutations(said):
        for source in order:
            catalog.upsert_movies([of("tt1", said[source])], source)
        seen.add(catalog.get_movie("tt1").collection)
        catalog.remove_movies(["tt1"])
    assert seen == {"By TMDB"}


def test_a_collection_alone_is_a_change_and_said_again_is_none(catalog: Catalog) -> None:
    catalog.upsert_movies([of("tt1", None, "Alien")], "nfo")
    assert catalog.upsert_movies([of("tt1", "Alien Collection")], "nfo") == Counts(updated=1)
    before = catalog.get_movie("tt1")
    assert (before.title, before.collection) == ("Alien", "Alien Collection")
    assert catalog.upsert_movies([of("tt1", "Alien Collection")], "nfo") == Counts(unchanged=1)
    assert catalog.upsert_movies([of("tt1", None)], "nfo") == Counts(unchanged=1)
    assert catalog.get_movie("tt1") == before


def test_a_record_that_replaces_takes_the_movie_out_of_its_collection(catalog: Catalog) -> None:
    catalog.upsert_movies([of("tt1", "Alien Collection")], "edit")
    catalog.upsert_movies([of("tt1", None)], "edit", replace=True)
    assert catalog.get_movie("tt1").collection is None
    assert catalog.find_by_collection("Alien Collection") == []


def test_of_two_rows_of_a_movie_the_later_name_stands(catalog: Catalog) -> None:
    catalog.upsert_movies([of("tt1", "First"), of("tt1", "Second"), of("tt1", None)], "csv")
    assert catalog.get_movie("tt1").collection == "Second"


def test_a_name_loses_what_a_database_cannot_hold_and_what_is_too_long(catalog: Catalog) -> None:
    catalog.upsert_movies([of("tt1", "A\x00 set \ud800 with\nnoise"), of("tt2", "\x00 \n")], "csv")
    assert catalog.get_movie("tt1").collection == "A set with noise"
    assert catalog.get_movie("tt2").collection is None
    # One such letter is taken apart into eighteen.
    long = "\ufdfa" * 5_000
    catalog.upsert_movies([of("tt3", long), of("tt4", long + "x")], "csv")
    assert catalog.get_movie("tt3").collection == long[:MAX_COLLECTION]
    assert catalog.find_by_collection(long) == ["tt3", "tt4"]


def test_the_movies_of_a_collection_are_found_however_its_name_is_written(catalog: Catalog) -> None:
    catalog.upsert_movies(
        [of("tt3", "Alien Collection"), of("tt4", "Predator Collection"), of("tt5", None)], "nfo"
    )
    catalog.upsert_movies([of("tt1", "alien (collection)"), of("tt2", "The Alien")], "tmdb")
    assert catalog.find_by_collection("ALIEN") == ["tt1", "tt2", "tt3"]
    assert catalog.find_by_collection("Alien Collection", limit=2) == ["tt1", "tt2"]
    assert catalog.find_by_collection("Ali") == []


def test_the_most_rated_movies_of_a_collection_are_found_first(
    catalog: Catalog, rate: Callable[..., object]
) -> None:
    catalog.upsert_movies([of(f"tt{i}", "Alien") for i in range(4)], "nfo")
    rate(("u1", "tt2", 4.0, 1), ("u2", "tt2", 4.0, 1), ("u1", "tt3", 2.0, 1))
    assert catalog.find_by_collection("Alien") == ["tt2", "tt3", "tt0", "tt1"]


def test_a_movie_that_left_is_in_no_collection(catalog: Catalog) -> None:
    catalog.upsert_movies([of("tt1", "Alien"), of("tt2", "Alien")], "nfo")
    catalog.remove_movies(["tt1"])
    assert catalog.find_by_collection("Alien") == ["tt2"]
    catalog.upsert_movies([of("tt1", None)], "folder")
    assert catalog.get_movie("tt1").collection is None
