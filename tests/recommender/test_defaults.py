"""Which default weights a query gets, by what is known of it."""

import pytest

from recommender.defaults import BUILT_IN, KNOWLEDGE, default_weights, knowledge_of


@pytest.mark.parametrize(
    ("n_ratings", "told", "knowledge"),
    [
        ([50], [True], "rated"),
        ([50], [False], "rated_untold"),
        ([9], [True], "few"),
        ([1], [False], "few_untold"),
        ([0], [True], "unrated"),
        ([0], [False], "unrated_untold"),
        ([], [], "poster"),
        ([0, 40, 60], [True, True, False], "rated"),
        ([0, 0, 60], [False, False, True], "unrated_untold"),
        ([40, 40], [True, False], "rated"),
    ],
)
def test_ratings_and_genres_of_a_query_decide_and_of_several_movies_the_median(
    n_ratings: list[int], told: list[bool], knowledge: str
) -> None:
    assert knowledge_of(n_ratings, told) == knowledge


def test_every_kind_of_query_has_weights_of_its_own_until_a_catalog_learns_some() -> None:
    assert set(BUILT_IN) == set(KNOWLEDGE)
    for knowledge in KNOWLEDGE:
        assert sum(BUILT_IN[knowledge]) == pytest.approx(1.0)
        assert default_weights({}, knowledge).as_tuple() == BUILT_IN[knowledge]
        assert default_weights({knowledge: (1, 0, 0)}, knowledge).as_tuple() == (1, 0, 0)
