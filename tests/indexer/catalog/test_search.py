"""Searching and browsing the catalog."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from embeddings.errors import InvalidRequestError
from indexer.catalog import SORTS, Catalog, Counts, MovieFacts, Search

MOVIES = [
    MovieFacts("tt01", "The Matrix", 1999, ("Action", "Sci-Fi")),
    MovieFacts("tt02", "The Matrix Reloaded", 2003, ("Action", "Sci-Fi")),
    MovieFacts("tt03", "Amélie", 2001, ("Comedy", "Romance")),
    MovieFacts("tt04", "Inside the Matrix", None, ("Documentary",)),
    MovieFacts("tt05", "8½", 1963, ("Drama",)),
    MovieFacts("tt06", "Ōkami", 2001, ("Drama", "Romance")),
    MovieFacts("tt07", "100% Wolf_man", 2020, ("Comedy",)),
    MovieFacts("tt08", "千と千尋の神隠し", 2001, ("Animation",)),
]


@pytest.fixture
def filled(catalog: Catalog, rate: Callable[..., Counts]) -> Catalog:
    """A catalog of eight movies, two of them rated."""
    catalog.upsert_movies(MOVIES, "csv")
    rate(("u", "tt02", 4, 1), ("v", "tt02", 4, 1), ("u", "tt03", 4, 1))
    return catalog


def ids(catalog: Catalog, **asked: object) -> list[str]:
    return [movie.movie_id for movie in catalog.search_movies(Search(**asked)).movies]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("matrix", ["tt01", "tt02", "tt04"]),
        ("THE MATRIX", ["tt01", "tt02", "tt04"]),
        ("Matrix, The", ["tt01", "tt02", "tt04"]),
        ("reload", ["tt02"]),
        ("amelie", ["tt03"]),
        ("AMÉLIE", ["tt03"]),
        ("okami", ["tt06"]),
        ("千尋", ["tt08"]),
        ("100%", ["tt07"]),
        ("wolf man", ["tt07"]),
        ("%", []),
        ("_", []),
        ("tt05", ["tt05"]),
        ("nothing like it", []),
    ],
)
def test_words_are_found_without_case_and_accents_best_match_first(
    filled: Catalog, q: str, found: list[str]
) -> None:
    assert ids(filled, q=q) == found


def test_every_genre_must_be_carried_in_any_case(filled: Catalog) -> None:
    assert ids(filled, genres=("romance",), sort="title") == ["tt03", "tt06"]
    assert ids(filled, genres=("Romance", "Drama")) == ["tt06"]
    assert ids(filled, genres=("Romance", "Opera")) == []


def test_years_are_inclusive_and_leave_unknown_years_out(filled: Catalog) -> None:
    assert ids(filled, year_min=2001, year_max=2003, sort="oldest") == ["tt03", "tt06", "tt08", "tt02"]
    assert ids(filled, year_max=1963) == ["tt05"]
    assert "tt04" not in ids(filled, year_max=10**12)


@pytest.mark.parametrize(
    ("sort", "first"), [("ratings", "tt02"), ("title", "tt07"), ("year", "tt07"), ("oldest", "tt05")]
)
def test_each_order_begins_where_it_says(filled: Catalog, sort: str, first: str) -> None:
    assert ids(filled, sort=sort)[0] == first


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 3, 8])
def test_pages_put_together_are_the_whole_in_order(filled: Catalog, sort: str, limit: int) -> None:
    whole = ids(filled, sort=sort, limit=200)
    pages: list[str] = []
    cursor = None
    for _ in range(20):
        page = filled.search_movies(Search(sort=sort, limit=limit, cursor=cursor))
        assert page.total == 8
        pages += [movie.movie_id for movie in page.movies]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == whole
    assert sorted(whole) == [movie.movie_id for movie in MOVIES]


def test_a_page_goes_on_where_the_last_one_ended_although_movies_came_and_went(filled: Catalog) -> None:
    first = filled.search_movies(Search(sort="title", limit=3))
    filled.remove_movies([first.movies[-1].movie_id])
    filled.upsert_movies([MovieFacts("tt00", "000 comes first"), MovieFacts("tt99", "ZZ comes last")], "csv")
    rest = filled.search_movies(Search(sort="title", limit=50, cursor=first.next_cursor))
    assert [movie.movie_id for movie in rest.movies] == ["tt04", "tt01", "tt02", "tt06", "tt99", "tt08"]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "!!!!", "AAAA", "é", base64.urlsafe_b64encode(b"[1,2,3]").decode(), "W" * 5000, "a\x00b"],
)
def test_a_cursor_that_is_not_ours_is_refused(filled: Catalog, cursor: str) -> None:
    search = Search(sort="title", limit=2, cursor=cursor)
    if not cursor:
        assert len(filled.search_movies(search).movies) == 2
        return
    with pytest.raises(InvalidRequestError, match="begin at the first page"):
        filled.search_movies(search)


def test_a_cursor_of_another_search_is_refused(filled: Catalog) -> None:
    cursor = filled.search_movies(Search(sort="title", limit=2)).next_cursor
    with pytest.raises(InvalidRequestError, match="another search"):
        filled.search_movies(Search(sort="title", q="matrix", limit=2, cursor=cursor))


def test_a_cursor_may_ask_for_longer_pages(filled: Catalog) -> None:
    cursor = filled.search_movies(Search(sort="title", limit=2)).next_cursor
    assert len(filled.search_movies(Search(sort="title", limit=5, cursor=cursor)).movies) == 5


@pytest.mark.parametrize(
    ("asked", "field"), [({"limit": 0}, "limit"), ({"limit": 201}, "limit"), ({"sort": "colour"}, "sort")]
)
def test_a_value_outside_what_is_allowed_names_its_field(
    filled: Catalog, asked: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        ids(filled, **asked)
    assert caught.value.field == field


def test_close_titles_and_ids_are_suggested(filled: Catalog) -> None:
    assert filled.suggest_movies("The Matrx")[0] == "tt01"
    assert filled.suggest_movies("amelia") == ["tt03"]
    assert filled.suggest_movies("") == []
    assert filled.suggest_movies("zzzzzz") == []


def test_a_title_is_found_exactly(filled: Catalog) -> None:
    assert filled.find_by_title("the MATRIX") == ["tt01"]
    assert filled.find_by_title("Matrix") == ["tt01"]
    assert filled.find_by_title("Matrix", 2003) == []
    assert filled.find_by_title("Matrix Rel") == []


def test_titles_are_found_by_their_beginning(filled: Catalog) -> None:
    assert list(filled.find_titles("the MATRIX").values()) == ["The Matrix", "The Matrix Reloaded"]
    assert filled.find_titles("Matrix", limit=1) == {"tt01": "The Matrix"}
    assert list(filled.find_titles("AMÉ").values()) == ["Amélie"]
    assert filled.find_titles("Reloaded") == filled.find_titles("?!") == filled.find_titles("") == {}
