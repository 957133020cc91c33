from __future__ import annotations

import numpy as np
import pytest

from recommender.blend import Scale, blend, cosines
from recommender.search import Query, find_candidates
from recommender.types import Weights

WEIGHTS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1), (0.1, 0.0, 0.9)]


def query_for(view, weights, *like: str, unlike: tuple[str, ...] = ()) -> Query:
    scale = Scale.of_pairs(view.random_pairs(), view.manifest.spreads)
    return Query(view.find_rows(like), view.find_rows(unlike) if unlike else None, Weights(*weights), scale)


def brute_order(view, query: Query, exclude: set[str]) -> list[str]:
    scores = blend(cosines(query.like, view.rows), query.weights, query.scale)
    scored = [
        (-round(s, 6), m)
        for s, m in zip(scores.tolist(), view.rows.movie_ids, strict=True)
        if m not in exclude and not np.isnan(s)
    ]
    return [movie_id for _, movie_id in sorted(scored)]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_best_movies_are_those_of_brute_force_at_the_corners_and_inside(view, weights) -> None:
    for movie_id in view.rows.movie_ids[:20]:
        query = query_for(view, weights, movie_id)
        found = find_candidates(view, query, 10, exclude=(movie_id,))
        assert list(found.rows.movie_ids) == brute_order(view, query, {movie_id})[:10]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_movies_that_lack_a_signal_stand_where_brute_force_puts_them(partial_view, weights) -> None:
    for movie_id in ("tt0000001", "tt0000002", "tt0000013"):
        query = query_for(partial_view, weights, movie_id)
        found = find_candidates(partial_view, query, 200, exclude=(movie_id,))
        assert list(found.rows.movie_ids) == brute_order(partial_view, query, {movie_id})


def test_a_missing_taste_does_not_push_a_movie_down(partial_view) -> None:
    query = query_for(partial_view, (0.3, 0.3, 0.4), "tt0000001")
    found = find_candidates(partial_view, query, 200, exclude=("tt0000001",))
    rank_without_taste = np.flatnonzero(~found.rows.known[:, 2]).mean() / len(found)
    assert 0.35 < rank_without_taste < 0.65


def test_a_movie_without_any_asked_signal_is_never_answered(partial_view) -> None:
    found = find_candidates(partial_view, query_for(partial_view, (1, 0, 0), "tt0000001"), 200)
    assert found.rows.known[:, 0].all()
    assert len(found) == int(partial_view.rows.known[:, 0].sum())


def test_an_unliked_movie_takes_its_neighbours_down(view) -> None:
    plain = find_candidates(view, query_for(view, (1, 1, 1), "tt0000001"), 200)
    less = find_candidates(view, query_for(view, (1, 1, 1), "tt0000001", unlike=("tt0000002",)), 200)
    assert less.rows.movie_ids.index("tt0000002") > plain.rows.movie_ids.index("tt0000002")


def test_scores_fall_and_ties_break_by_movie_id(view) -> None:
    found = find_candidates(view, query_for(view, (0, 1, 0), "tt0000004"), 120)
    keys = list(zip((-found.scores).tolist(), found.rows.movie_ids, strict=True))
    assert keys == sorted(keys)
    assert len(set(found.scores.tolist())) < len(found)
