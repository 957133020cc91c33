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
    ("D2: The Mighty Ducks", "The Mighty Ducks"),
    ("D2: The Mighty Ducks", "D3: The Mighty Ducks"),
    ("Hellbound: Hellraiser II", "Hellraiser"),
    ("Hellbound: Hellraiser II", "Hellraiser III: Hell on Earth"),
    ("Damien: Omen II", "Omen IV: The Awakening"),
    ("Braddock: Missing in Action III", "Missing in Action"),
    ("American Wedding (American Pie 3)", "American Pie"),
    ("American Wedding (American Pie 3)", "American Pie 2"),
    ("Halloween H20: 20 Years Later (Halloween 7: The Revenge of Laurie Strode)", "Halloween 5"),
    ("2 Fast 2 Furious (Fast and the Furious 2, The)", "The Fast and the Furious: Tokyo Drift"),
    ("Ghostbusters (a.k.a. Ghost Busters)", "Ghostbusters II"),
    ("300", "300: Rise of an Empire"),
    ("Exorcist II: The Heretic", "The Exorcist"),
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
    ("Mission: Impossible", "The Mission"),
    ("Mission: Impossible II", "The Impossible"),
    ("Babe: Pig in the City", "The Babe"),
    ("September", "11'09'01 - September 11"),
    ("Border", "Ghost in the Shell Arise: Border 2 - Ghost Whisper"),
    ("Friends", "Dosti: Friends Forever"),
    ("The Ten", "Birdemic 2: The Resurrection"),
    ("Dead or Alive 2", "Wanted: Dead or Alive"),
    ("Puppet Master: The Final Chapter", "Saw: The Final Chapter"),
    ("(500) Days of Summer", "500"),
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
        ("Ghostbusters (a.k.a. Ghost Busters)", "Ghostbusters", True),
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


def of(title: str, year: int | None, *genres: str) -> Movie:
    return Movie(f"{title} {year}", title, year=year, genres=genres)


def test_a_title_of_one_word_without_its_article_is_of_the_series_where_most_genres_are_shared() -> None:
    exorcist = of("The Exorcist", 1973, "Horror", "Mystery")
    beginning = of("Exorcist: The Beginning", 2004, "Horror", "Mystery", "Thriller")
    assert of_one_series(exorcist, beginning)
    assert of_one_series(beginning, exorcist)
    mission = of("The Mission", 1986, "Adventure", "Drama")
    assert not of_one_series(mission, of("Mission: Impossible", 1996, "Adventure", "Action"))
    assert not of_one_series(replace(mission, genres=()), replace(beginning, title="Mission: One", genres=()))


def test_a_movie_that_names_another_behind_a_colon_is_of_its_series_when_it_came_soon_after() -> None:
    park = of("Jurassic Park", 1993, "Adventure", "Sci-Fi", "Thriller")
    lost = of("The Lost World: Jurassic Park", 1997, "Action", "Adventure", "Sci-Fi")
    assert of_one_series(park, lost)
    assert of_one_series(lost, park)
    assert of_one_series(lost, of("Jurassic Park III", 2001, "Action", "Adventure"))
    for other in (replace(park, year=1998), replace(park, year=1980), replace(park, year=None)):
        assert not of_one_series(lost, other)
    assert not of_one_series(lost, replace(park, genres=("Adventure", "Romance")))


def test_what_stands_behind_a_part_number_is_no_series() -> None:
    undisputed = of("Undisputed II: Last Man Standing", 2006, "Action")
    assert not of_one_series(of("Last Man Standing", 1996, "Action"), undisputed)


def test_a_series_that_a_title_names_behind_a_colon_is_found_from_either_side(own_home) -> None:
    genres, catalog = ("Action", "Adventure"), own_home.catalog
    catalog.upsert_movies(
        [
            MovieFacts("tt9000001", "Jurassic Park", 1993, genres),
            MovieFacts("tt9000002", "The Lost World: Jurassic Park", 1997, genres),
            MovieFacts("tt9000003", "A Park in June", 1996, genres),
        ],
        "csv",
    )
    for first, second in (("tt9000001", "tt9000002"), ("tt9000002", "tt9000001")):
        assert find_series(catalog, [catalog.get_movie(first)]) == (second,)


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
        "tt0000040": "Hellraiser",
        "tt0000042": "Hellbound: Hellraiser II",
    }
    own_home.catalog.upsert_movies([MovieFacts(one, title) for one, title in named.items()], "edit")
    pairs = (
        ("tt0000010", "tt0000012"),
        ("tt0000020", "tt0000022"),
        ("tt0000032", "tt0000030"),
        ("tt0000042", "tt0000040"),
    )
    for first, second in pairs:
        assert find_series(own_home.catalog, [own_home.catalog.get_movie(first)]) == (second,)
    both = [own_home.catalog.get_movie(one) for one in ("tt0000010", "tt0000020", "tt0000022")]
    assert find_series(own_home.catalog, both) == ("tt0000012",)
