"""Movies in the catalog: what several sources say, what it takes to change, how they leave."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from embeddings.errors import InvalidRequestError, NotFoundError
from indexer.catalog import Catalog, Counts, MovieFacts

MATRIX = MovieFacts("tt0133093", "The Matrix", 1999, ("Sci-Fi", "Action"), {"tmdb": "603"})
ALIEN = MovieFacts("tt0078748", "Alien", 1979, ("Horror",))


def test_a_movie_comes_back_as_it_was_said(catalog: Catalog) -> None:
    assert catalog.upsert_movies([MATRIX], "csv") == Counts(added=1)
    movie = catalog.get_movie("tt0133093")
    assert (movie.title, movie.year, movie.genres) == ("The Matrix", 1999, ("Action", "Sci-Fi"))
    assert (movie.n_ratings, movie.poster, movie.artwork_group) == (0, None, None)


def test_a_movie_without_a_title_is_called_by_its_id(catalog: Catalog) -> None:
    catalog.upsert_movies([MovieFacts("tt1")], "csv")
    assert catalog.get_movie("tt1").title == "tt1"


def test_saying_the_same_twice_takes_no_revision(catalog: Catalog) -> None:
    catalog.upsert_movies([MATRIX, ALIEN], "csv")
    before = catalog.revision()
    assert catalog.upsert_movies([MATRIX, ALIEN], "csv") == Counts(unchanged=2)
    assert catalog.revision() == before


def test_one_transaction_takes_one_revision_and_stamps_what_it_changed(catalog: Catalog) -> None:
    catalog.upsert_movies([MATRIX, ALIEN], "csv")
    with catalog.transaction():
        catalog.upsert_movies([MovieFacts("tt0078748", "Alien!", 1979)], "csv")
        catalog.upsert_movies([MovieFacts("tt1")], "csv")
    assert catalog.revision() == 2
    stamps = {
        one: movie.revision for one, movie in catalog.find_movies(["tt0133093", "tt0078748", "tt1"]).items()
    }
    assert stamps == {"tt0133093": 1, "tt0078748": 2, "tt1": 2}


def test_a_transaction_that_fails_leaves_nothing_behind(catalog: Catalog) -> None:
    with pytest.raises(RuntimeError, match="on purpose"), catalog.transaction():
        catalog.upsert_movies([MATRIX], "csv")
        raise RuntimeError("on purpose")
    assert (catalog.n_movies(), catalog.revision()) == (0, 0)


def test_sources_give_the_same_movie_in_any_order(catalog: Catalog) -> None:
    said = {
        "csv": MovieFacts("tt1", None, None, ("Drama",)),
        "movielens": MovieFacts("tt1", "By MovieLens", 1990, ("Comedy",)),
        "folder": MovieFacts("tt1", "By its file", 1991),
        "imdb": MovieFacts("tt1", "By IMDb", None, ()),
    }
    seen = set()
    for order in permutations(said):
        for source in order:
            catalog.upsert_movies([said[source]], source)
        movie = catalog.get_movie("tt1")
        seen.add((movie.title, movie.year, movie.genres))
        catalog.remove_movies(["tt1"])
    assert seen == {("By IMDb", 1990, ("Drama",))}


def test_what_a_completing_source_says_waits_for_the_movie(catalog: Catalog) -> None:
    assert catalog.upsert_movies([MATRIX], "movielens") == Counts()
    assert catalog.n_movies() == 0
    catalog.upsert_movies([MovieFacts("tt0133093")], "folder")
    movie = catalog.get_movie("tt0133093")
    assert (movie.title, movie.year, movie.genres) == ("The Matrix", 1999, ("Action", "Sci-Fi"))


def test_a_completing_source_adds_movies_when_told_to(catalog: Catalog) -> None:
    assert catalog.upsert_movies([MATRIX], "movielens", add=True) == Counts(added=1)


def test_a_record_that_leaves_a_field_out_keeps_it_unless_it_replaces(catalog: Catalog) -> None:
    catalog.upsert_movies([MATRIX], "edit")
    catalog.upsert_movies([MovieFacts("tt0133093", "Matrix")], "edit")
    assert catalog.get_movie("tt0133093").year == 1999
    catalog.upsert_movies([MovieFacts("tt0133093", "Matrix")], "edit", replace=True)
    movie = catalog.get_movie("tt0133093")
    assert (movie.title, movie.year, movie.genres) == ("Matrix", None, ())


def test_rows_of_one_id_are_one_movie_with_the_genres_of_both(catalog: Catalog) -> None:
    rows = [MovieFacts("tt1", "One", None, ("Drama",)), MovieFacts("tt1", None, 1990, ("Comedy",))]
    assert catalog.upsert_movies(rows, "csv") == Counts(added=1)
    movie = catalog.get_movie("tt1")
    assert (movie.title, movie.year, movie.genres) == ("One", 1990, ("Comedy", "Drama"))


def test_a_title_loses_what_a_database_cannot_hold(catalog: Catalog) -> None:
    catalog.upsert_movies([MovieFacts("tt1", "A\x00 film \ud800 with\nnoise", 1990, ("Dra\x00ma",))], "csv")
    movie = catalog.get_movie("tt1")
    assert (movie.title, movie.genres) == ("A film with noise", ("Dra ma",))


@pytest.mark.parametrize("movie_id", ["", "../secret", "a/b", "a b", "x" * 129, ".hidden", "a\x00b"])
def test_an_id_that_could_be_a_path_or_break_a_page_is_refused(catalog: Catalog, movie_id: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be a movie id"):
        catalog.upsert_movies([MovieFacts(movie_id)], "csv")
    assert catalog.find_movies([movie_id]) == {}


@pytest.mark.parametrize("year", [0, 1800, 99999])
def test_a_year_in_which_there_were_no_films_is_refused(catalog: Catalog, year: int) -> None:
    with pytest.raises(InvalidRequestError, match="expected 1870 to 2100"):
        catalog.upsert_movies([MovieFacts("tt1", year=year)], "csv")


def test_an_unknown_movie_is_named(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="'tt9'"):
        catalog.get_movie("tt9")


def test_movies_are_found_in_the_order_asked_and_unknown_ones_left_out(catalog: Catalog) -> None:
    catalog.upsert_movies([MATRIX, ALIEN], "csv")
    found = catalog.find_movies(["tt0078748", "tt9", "tt0133093", "tt0078748"])
    assert list(found) == ["tt0078748", "tt0133093"]


def test_thousands_of_movies_are_found_at_once(catalog: Catalog) -> None:
    ids = [f"tt{i:07d}" for i in range(20_500)]
    catalog.upsert_movies([MovieFacts(one, f"Movie {one}") for one in ids], "csv")
    assert catalog.n_movies() == 20_500
    assert list(catalog.find_movies(ids)) == ids


def test_a_removed_movie_is_gone_and_comes_back_without_its_past(catalog: Catalog) -> None:
    catalog.upsert_movies([MATRIX, ALIEN], "csv")
    assert catalog.remove_movies(["tt0133093", "tt9"]) == ("tt0133093",)
    assert list(catalog.find_movies(["tt0133093", "tt0078748"])) == ["tt0078748"]
    assert catalog.genre_counts() == {"Horror": 1}
    catalog.upsert_movies([MovieFacts("tt0133093")], "folder")
    movie = catalog.get_movie("tt0133093")
    assert (movie.title, movie.genres) == ("tt0133093", ())


def test_removing_nothing_takes_no_revision(catalog: Catalog) -> None:
    assert catalog.remove_movies(["tt9", "../x"]) == ()
    assert catalog.revision() == 0


def test_a_movie_is_found_by_its_id_elsewhere(catalog: Catalog) -> None:
    catalog.upsert_movies([MATRIX, ALIEN], "csv")
    catalog.add_external_ids([("movielens", "2571", "tt0133093"), ("tmdb", "348", "tt0000001")])
    assert catalog.find_by_external_id("tmdb", "603") == "tt0133093"
    assert catalog.find_by_external_id("movielens", "2571") == "tt0133093"
    assert catalog.find_by_external_id("imdb", "tt0078748") == "tt0078748"
    assert catalog.find_by_external_id("tmdb", "348") is None
    assert catalog.external_ids("tmdb", ["tt0133093", "tt0078748"]) == {"tt0133093": "603"}


def test_genres_are_counted_most_frequent_first(catalog: Catalog) -> None:
    catalog.upsert_movies([MATRIX, ALIEN, MovieFacts("tt1", genres=("Horror", "Comedy"))], "csv")
    assert list(catalog.genre_counts().items()) == [
        ("Horror", 2),
        ("Action", 1),
        ("Comedy", 1),
        ("Sci-Fi", 1),
    ]


def test_predicted_genres_stand_in_until_known_ones_come(catalog: Catalog, embed: Callable[..., int]) -> None:
    catalog.upsert_movies([MovieFacts("tt1"), MATRIX], "csv")
    catalog.activate("encoder-1", None)
    embed({"tt1": ([1, 0], [0.9, 0.75, 0.1]), "tt0133093": ([0, 1], [0.9, 0.1, 0.1])})
    movie = catalog.get_movie("tt1")
    assert (movie.genres, movie.chosen_genres) == ((), ("Comedy", "Drama"))
    assert movie.predicted_genres == pytest.approx({"Comedy": 0.9, "Drama": 0.75, "Horror": 0.1}, abs=1e-3)
    assert catalog.genre_counts() == {"Action": 1, "Comedy": 1, "Drama": 1, "Sci-Fi": 1}
    catalog.upsert_movies([MovieFacts("tt1", genres=("Western",))], "edit")
    assert catalog.genre_counts() == {"Action": 1, "Sci-Fi": 1, "Western": 1}
    catalog.upsert_movies([MovieFacts("tt1")], "edit", replace=True)
    assert catalog.genre_counts() == {"Action": 1, "Comedy": 1, "Drama": 1, "Sci-Fi": 1}
