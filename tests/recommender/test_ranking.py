from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.blend import Scale
from recommender.defaults import OPENING, POOL
from recommender.percentiles import Percentiles, pair_percentiles
from recommender.ranking import Order, Shelf, rank
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


REST = Weights(0.0, 0.1, 0.9)


def led_shelf(view, **more) -> Shelf:
    """A shelf whose list goes on in another order behind its opening."""
    shelf = shelf_for(view, **more)
    query = Query(shelf.query.like, None, REST, shelf.query.scale)
    return replace(shelf, rest=Order(query, pair_percentiles(view.random_pairs(), REST, shelf.query.scale)))


@pytest.mark.parametrize("which", ["view", "partial_view"])
def test_the_nearest_open_a_list_in_one_order_and_it_goes_on_in_another(which: str, request) -> None:
    view = request.getfixturevalue(which)
    asked, every = SimilarRequest(like=(QUERY,), k=70), SimilarRequest(like=(QUERY,), k=119)
    shelf = led_shelf(view)
    by_rest = rank(Shelf(view, shelf.rest.query, shelf.rest.percentiles, exclude=(QUERY,)), every)
    near = by_rest.rows.movie_ids[:POOL]
    by_opening = rank(shelf_for(view), every).rows.movie_ids
    first = [movie_id for movie_id in by_opening if movie_id in near][:OPENING]
    behind = [movie_id for movie_id in by_rest.rows.movie_ids if movie_id not in first]
    assert list(rank(shelf, asked).rows.movie_ids) == first + behind[: 70 - OPENING]


def test_a_movie_that_is_lifted_may_open_a_list_from_afar(view) -> None:
    shelf = led_shelf(view)
    by_rest = Shelf(view, shelf.rest.query, shelf.rest.percentiles, exclude=(QUERY,))
    far = rank(by_rest, SimilarRequest(like=(QUERY,), k=119)).rows.movie_ids[POOL:]
    alike = next(m for m in far if (view.find_rows([m]).genre @ shelf.query.like.genre[0])[0] > 0.7)
    lifted = replace(shelf, query=replace(shelf.query, rated_alike={alike: 1.0}))
    for k in (1, OPENING, 30, 119):
        assert rank(lifted, SimilarRequest(like=(QUERY,), k=k)).rows.movie_ids[0] == alike
    whole = rank(lifted, SimilarRequest(like=(QUERY,), k=119)).rows.movie_ids
    assert len(set(whole)) == len(whole) == 119


def test_scores_fall_on_behind_the_opening_and_claim_no_more_than_was_measured(view) -> None:
    shelf = led_shelf(view)
    found = rank(shelf, SimilarRequest(like=(QUERY,), k=119))
    shares = shelf.percentiles.share_below(found.scores)
    assert shares.tolist() == sorted(shares.tolist(), reverse=True)
    by_rest = shelf.rest.query.score(found.rows, shelf.rest.query.columns(found.rows))
    own = shelf.rest.percentiles.share_below(by_rest)
    assert (shares[OPENING:] <= own[OPENING:] + 1e-9).all()
    np.testing.assert_allclose(shares[OPENING:], np.minimum(own[OPENING:], shares[OPENING - 1]), atol=1e-6)


def squeezed_shelf(view) -> Shelf:
    """One whose rest reads every score as nearer than what opens the list."""
    shelf = led_shelf(view)
    below_all = Percentiles(np.linspace(-99.0, -98.0, 500), 99.0)
    return replace(shelf, rest=Order(shelf.rest.query, below_all))


def test_shown_scores_fall_strictly_where_blended_ones_do_and_equal_ones_stand_by_id(view) -> None:
    shelf = squeezed_shelf(view)
    found = rank(shelf, SimilarRequest(like=(QUERY,), k=119))
    shares = shelf.percentiles.share_below(found.scores).round(9)
    blended = shelf.rest.query.score(found.rows, shelf.rest.query.columns(found.rows))
    falls, ids = np.diff(blended) < 0, found.rows.movie_ids
    behind = range(OPENING, len(ids) - 1)
    assert shares[OPENING] < shares[OPENING - 1]
    for i in behind:
        assert shares[i + 1] < shares[i] if falls[i] else (shares[i + 1] == shares[i] and ids[i] < ids[i + 1])
    assert (shares >= 0).all()
    assert (shares <= 1).all()
    np.testing.assert_allclose(shares[OPENING:], shares[OPENING - 1], atol=1e-6)


def test_movies_of_one_blended_score_behind_the_opening_are_shown_with_one_score_by_id(view) -> None:
    fours = replace(view.rows, visual=view.rows.visual[np.arange(len(view.rows)) // 4])
    shelf = led_shelf(type(view)(fours))
    look = replace(shelf.rest.query, weights=Weights(1.0, 0.0, 0.0))
    asked = SimilarRequest(like=(QUERY,), k=119)
    found = rank(replace(shelf, rest=Order(look, shelf.rest.percentiles)), asked)
    blended = look.score(found.rows, look.columns(found.rows))[OPENING:]
    equal = np.flatnonzero(np.diff(blended) == 0) + OPENING
    assert len(equal) > 50
    assert (found.scores[equal] == found.scores[equal + 1]).all()
    assert all(found.rows.movie_ids[i] < found.rows.movie_ids[i + 1] for i in equal)


def test_a_least_score_holds_for_what_is_shown_behind_the_opening(view) -> None:
    shelf = squeezed_shelf(view)
    every = rank(shelf, SimilarRequest(like=(QUERY,), k=119))
    shares = shelf.percentiles.share_below(every.scores)
    least = float(shares[OPENING + 20] + shares[OPENING + 21]) / 2
    cut = rank(shelf, SimilarRequest(like=(QUERY,), k=119, filters=Filters(min_score=least)))
    assert len(cut) == OPENING + 21


def test_a_least_score_cuts_a_list_of_two_orders_where_it_stands(view) -> None:
    shelf = led_shelf(view)
    every = rank(shelf, SimilarRequest(like=(QUERY,), k=119))
    shares = shelf.percentiles.share_below(every.scores)
    for least in (shares[3], shares[30] - 1e-9):
        cut = rank(shelf, SimilarRequest(like=(QUERY,), k=119, filters=Filters(min_score=float(least))))
        assert cut.rows.movie_ids == every.rows.movie_ids[: int((shares >= least).sum())]


def test_one_artwork_stands_once_in_both_parts_of_a_list(crowded_view) -> None:
    found = rank(led_shelf(crowded_view), SimilarRequest(like=(QUERY,), k=40, collapse_duplicates=True))
    numbers = [int(movie_id[2:]) for movie_id in found.rows.movie_ids]
    assert len(set(numbers)) == len(numbers) == 11
    assert sum(n < 90 for n in numbers) == 1


def test_a_shorter_page_is_the_beginning_of_a_longer_one(view) -> None:
    longer = rank(led_shelf(view), SimilarRequest(like=(QUERY,), k=90)).rows.movie_ids
    for k in (5, OPENING, OPENING + 1, 25, POOL + 20):
        assert rank(led_shelf(view), SimilarRequest(like=(QUERY,), k=k)).rows.movie_ids == longer[:k]


def test_the_series_comes_before_the_opening_and_never_again(view) -> None:
    series = ("tt0000003", "tt0000007", "tt0000050")
    asked = SimilarRequest(like=(QUERY,), k=40, series="first")
    found = rank(led_shelf(view, series=series), asked).rows.movie_ids
    assert set(found[:3]) == set(series)
    assert len(set(found)) == 40


def test_a_diverse_list_is_chosen_from_the_order_of_the_opening(view) -> None:
    asked = SimilarRequest(like=(QUERY,), k=30, diversity=0.3)
    assert rank(led_shelf(view), asked).rows.movie_ids == rank(shelf_for(view), asked).rows.movie_ids
