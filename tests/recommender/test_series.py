from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.catalog import MovieFacts
from indexer.types import Movie
from recommender.series import find_series, of_one_series, same_collection, same_series, same_title

SAME = [
    ("Toy Story", "Toy Story 2"),
    ("The Godfather", "The Godfather: Part II"),
    ("The Godfather: Part II", "The Godfather Part III"),
    ("Star Wars", "Star Wars: Episode IV - A New Hope"),
    ("Star Trek II: The Wrath of Khan", "Star Trek: First Contact"),
    ("Star Trek II: The Wrath of Khan", "Star Trek III: The Search for Spock"),
    ("Rocky", "Rocky IV"),
    ("Mission: Impossible", "Mission: Impossible II"),
    ("Mission: Impossible II", "Mission: Impossible - Ghost Protocol"),
    ("Back to the Future", "Back to the Future Part III"),
    ("Mad Max", "Mad Max: Fury Road"),
    ("Ocean's Eleven", "Ocean's Twelve"),
    ("Harry Potter and the Goblet of Fire", "Harry Potter and the Chamber of Secrets"),
    ("The Lord of the Rings: The Two Towers", "The Lord of the Rings: The Return of the King"),
    ("Kill Bill: Vol. 1", "Kill Bill: Vol. 2"),
    ("Alien", "Alien³"),
    ("Scary Movie", "Scary Movie 4"),
    ("Scary Movie 2", "Scary Movie 5"),
    ("Hot Shots!", "Hot Shots! Part Deux"),
    ("Look Who's Talking", "Look Who's Talking Too"),
    ("The Matrix", "The Matrix Reloaded"),
    ("Batman", "Batman Begins"),
    ("V/H/S", "V/H/S/2"),
    ("Step Up", "Step Up 3D"),
    ("Friday the 13th", "Friday the 13th Part 2"),
    ("Matrix, The", "The Matrix 2"),
    ("Saw II", "Saw II"),
    ("Rec: Genesis", "Rec: Genesis"),
    ("It: Chapter One", "It: Chapter Two"),
]
DIFFERENT = [
    ("Apollo 13", "Apollo 18"),
    ("Big Trouble", "Big Trouble in Little China"),
    ("New York", "New York Stories"),
    ("The Bachelor", "The Bachelor and the Bobby-Soxer"),
    ("Nobody Returns", "Somebody Returns"),
    ("Seven", "Seven Samurai"),
    ("Love", "Love Actually"),
    ("The Mission", "Mission to Mars"),
    ("Heat", "Body Heat"),
    ("12 Monkeys", "12 Angry Men"),
    ("Area 51", "District 9"),
    ("I, Robot", "I, Tonya"),
    ("Malcolm X", "Malcolm"),
    ("V for Vendetta", "V"),
    ("Beloved", "Beloved"),
    ("The Heat", "Heat"),
    ("Air Force", "Air Force One"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_these_are_of_one_series(first: str, second: str) -> None:
    assert same_series(first, second)
    assert same_series(second, first)


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_these_are_not(first: str, second: str) -> None:
    assert not same_series(first, second)
    assert not same_series(second, first)


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("Léon", "Leon", True),
        ("Matrix, The", "The matrix", True),
        ("Saw", "Saw II", False),
        ("?", "!", False),
    ],
)
def test_titles_are_the_same_but_for_case_accents_and_article(first: str, second: str, equal: bool) -> None:
    assert same_title(first, second) is equal


def test_movies_of_one_collection_are_of_one_series_whatever_titles_and_genres() -> None:
    alien = Movie("tt1", "Alien", genres=("Horror",), collection="Alien Collection")
    aliens = Movie("tt2", "Prometheus", genres=("Comedy",), collection="alien (collection)")
    assert of_one_series(alien, aliens)
    assert same_collection(alien, aliens)
    assert not of_one_series(alien, replace(aliens, collection=None))


def test_movies_of_two_collections_are_not_told_by_title_to_be_of_one_series() -> None:
    first = Movie("tt1", "Batman", collection="Batman (1966) Collection")
    second = Movie("tt2", "Batman: Part II", collection="Batman Collection")
    assert same_series(first.title, second.title)
    assert not of_one_series(first, second)
    assert of_one_series(replace(first, collection=None), second)
    assert of_one_series(first, replace(second, collection=None))
    assert not same_collection(replace(first, collection=None), replace(second, collection=None))


def test_movies_without_a_common_genre_are_of_no_series() -> None:
    comedy = Movie("tt1", "Stranded", genres=("Comedy",))
    assert not of_one_series(comedy, Movie("tt2", "Stranded 2", genres=("Horror",)))
    assert of_one_series(comedy, Movie("tt3", "Stranded 2", genres=("Comedy", "Drama")))
    assert of_one_series(comedy, Movie("tt4", "Stranded 2"))


def test_a_series_is_found_among_the_titles_of_the_catalog(own_home) -> None:
    named = {
        "tt0000010": "C.H.U.D.",
        "tt0000012": "C.H.U.D. II - Bud the Chud",
        "tt0000014": "Chuddle",
        "tt0000020": "The Thing",
        "tt0000022": "Thing: Part II",
        "tt0000024": "Something 2",
        "tt0000030": "V/H/S",
        "tt0000032": "V/H/S/2",
    }
    own_home.catalog.upsert_movies([MovieFacts(one, title) for one, title in named.items()], "edit")
    for first, second in (("tt0000010", "tt0000012"), ("tt0000020", "tt0000022"), ("tt0000032", "tt0000030")):
        assert find_series(own_home.catalog, [own_home.catalog.get_movie(first)]) == (second,)
    both = [own_home.catalog.get_movie(one) for one in ("tt0000010", "tt0000020", "tt0000022")]
    assert find_series(own_home.catalog, both) == ("tt0000012",)
