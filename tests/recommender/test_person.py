from __future__ import annotations

import pytest

from embeddings.errors import InvalidRequestError
from recommender.person import split_ratings
from recommender.types import RatedMovie


def rated(*values: float) -> list[RatedMovie]:
    return [RatedMovie(f"tt{i}", value) for i, value in enumerate(values)]


def test_high_values_are_liked_low_ones_unliked_and_the_middle_says_nothing() -> None:
    assert split_ratings(rated(5, 3.5, 3, 2, 0.5)) == (("tt0", "tt1"), ("tt3", "tt4"))


def test_a_harsh_person_still_likes_their_best() -> None:
    assert split_ratings(rated(2, 1, 0.5)) == (("tt0",), ("tt1", "tt2"))


def test_of_two_values_for_one_movie_the_last_stands() -> None:
    assert split_ratings([RatedMovie("tt0", 1), RatedMovie("tt0", 5)]) == (("tt0",), ())


@pytest.mark.parametrize("value", [0.0, 5.5, -1, float("nan")])
def test_a_value_off_the_scale_is_refused(value: float) -> None:
    with pytest.raises(InvalidRequestError, match=r"expected 0\.5 to 5"):
        split_ratings(rated(4, value))


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="none of the rated movies"):
        split_ratings([])
