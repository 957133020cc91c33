"""A query string is read once, and always as the contract says."""

from __future__ import annotations

import pytest
from flask import Flask, Response
from pydantic import ValidationError

from webui.queries import queried
from webui.schemas import MoviePath, SimilarQuery


@queried
def view(path: MoviePath, query: SimilarQuery) -> Response:
    return Response(f"{path.movie_id} {query.k} {query.genres}", headers={"X-Model": str(id(query))})


def ask(query_string: str, movie_id: str = "tt1") -> Response:
    with Flask("small").test_request_context(f"/?{query_string}"):
        return view(movie_id=movie_id)


def test_a_query_string_that_was_read_is_not_read_again() -> None:
    first, again, other = ask("k=7&genres=Drama"), ask("k=7&genres=Drama", "tt2"), ask("k=8&genres=Drama")
    assert first.headers["X-Model"] == again.headers["X-Model"] != other.headers["X-Model"]
    assert (first.get_data(True), again.get_data(True)) == ("tt1 7 ['Drama']", "tt2 7 ['Drama']")


def test_lists_are_repeated_or_joined_and_what_is_empty_is_not_given() -> None:
    assert ask("genres=Drama|War&genres=Comedy&k=").get_data(True) == "tt1 10 ['Drama', 'War', 'Comedy']"


@pytest.mark.parametrize("query_string", ["k=0", "k=many", "colour=red", "visual=NaN", "k=3&visual=-1"])
def test_what_does_not_fit_is_refused_each_time(query_string: str) -> None:
    for _ in range(2):
        with pytest.raises(ValidationError):
            ask(query_string)


def test_a_path_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError):
        ask("k=3", movie_id="../tt1")
