from __future__ import annotations

import pytest

from embeddings.errors import InvalidRequestError
from recommender.filters import allowed_rows
from recommender.types import Filters


def test_filters_allow_exactly_the_rows_that_carry_all_genres_within_the_years(view) -> None:
    filters = Filters(genres=("comedy", "Drama"), year_min=1910, year_max=1960)
    mask = allowed_rows(view.facts, view.manifest.genres, filters)
    expected = [
        bool(view.rows.genre[i, 1] > 0 and view.rows.genre[i, 2] > 0 and 10 <= i <= 60)
        for i in range(len(view.rows))
    ]
    assert mask is not None
    assert mask.tolist() == expected


def test_no_filter_allows_every_row_without_a_mask(view) -> None:
    assert allowed_rows(view.facts, view.manifest.genres, Filters()) is None


def test_an_unknown_genre_is_refused_with_the_known_ones(view) -> None:
    with pytest.raises(InvalidRequestError, match=r"'Opera'.*Action, Comedy") as caught:
        allowed_rows(view.facts, view.manifest.genres, Filters(genres=("Opera",)))
    assert caught.value.field == "genres"


def test_years_the_wrong_way_round_are_refused(view) -> None:
    with pytest.raises(InvalidRequestError, match="1990-1980"):
        allowed_rows(view.facts, view.manifest.genres, Filters(year_min=1990, year_max=1980))
