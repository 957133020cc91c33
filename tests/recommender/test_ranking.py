from __future__ import annotations

import numpy as np
import pytest

from recommender.blend import Scale
from recommender.percentiles import pair_percentiles
from recommender.ranking import Shelf, rank
from recommender.search import Query
from recommender.types import Filters, SimilarRequest, Weights

QUERY = "tt0000115"
WEIGHTS = Weights(0.4, 0.3, 0.3)


def shelf_for(view, **more) -> Shelf:
    scale = Scale.of_pairs(view.random_pairs(), view.manifest.spreads)
    query = Query(view.find_rows([QUERY]), None, WEIGHTS, scale)
    return Shelf(view, query, pair_percentiles(view.random_pairs(), WEIGHTS, scale), exclude=(QUERY,), **more)


def test_a_page_is_full_while_other_artwork_remains(crowded_view) -> None:
    request = SimilarRequest(like=(QUERY,), k=11, collapse_duplicates=True)
    found = rank(shelf_for(crowded_view), request)
    assert len(found) == 11
    numbers = [int(movie_id[2:]) for movie_id in found.rows.movie_ids]
    assert sum(n < 90 for n in numbers) == 1
    assert sum(90 <= n < 110 for n in numbers) == 1


def test_the_shown_one_of_a_group_is_its_closest(crowded_view) -> None:
    plain = rank(shelf_for(crowded_view), SimilarRequest(like=(QUERY,), k=119))
    once = rank(shelf_for(crowded_view), SimilarRequest(like=(QUERY,), k=11, collapse_duplicates=True))
    first_of_group = next(m for m in plain.rows.movie_ids if int(m[2:]) < 90)
    assert first_of_group in once.rows.movie_ids


@pytest.mark.parametrize("diversity", [0.0, 0.5, 1.0])
def test_a_least_score_holds_at_any_diversity(view, diversity: float) -> None:
    request = SimilarRequest(like=(QUERY,), k=50, diversity=diversity, filters=Filters(min_score=0.8))
    shelf = shelf_for(view)
    found = rank(shelf, request)
    every = rank(shelf, SimilarRequest(like=(QUERY,), k=119))
    above = np.flatnonzero(shelf.percentiles.share_below(every.scores) >= 0.8)
    assert sorted(found.rows.movie_ids) == sorted(np.array(every.rows.movie_ids)[above][:50].tolist())


def test_series_first_puts_them_in_order_of_score_and_fills_the_page_with_others(view) -> None:
    series = ("tt0000003", "tt0000007", "tt0000050")
    found = rank(shelf_for(view, series=series), SimilarRequest(like=(QUERY,), k=10, series="first"))
    assert set(found.rows.movie_ids[:3]) == set(series)
    assert found.scores[:3].tolist() == sorted(found.scores[:3].tolist(), reverse=True)
    assert len(set(found.rows.movie_ids)) == 10


def test_a_short_page_of_series_alone_is_cut_at_k(view) -> None:
    series = ("tt0000003", "tt0000007", "tt0000050")
    found = rank(shelf_for(view, series=series), SimilarRequest(like=(QUERY,), k=2, series="first"))
    assert len(found) == 2


def test_filters_hold_for_the_series_too(view) -> None:
    allowed = np.ones(len(view.rows), dtype=bool)
    allowed[3] = False
    shelf = shelf_for(view, series=("tt0000003", "tt0000007"), allowed=allowed)
    found = rank(shelf, SimilarRequest(like=(QUERY,), k=119, series="first"))
    assert found.rows.movie_ids[0] == "tt0000007"
    assert "tt0000003" not in found.rows.movie_ids


def test_series_that_the_index_lacks_are_passed_over(view) -> None:
    found = rank(shelf_for(view, series=("tt9999999",)), SimilarRequest(like=(QUERY,), k=5, series="first"))
    assert len(found) == 5
