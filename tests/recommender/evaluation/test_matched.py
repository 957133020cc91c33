from __future__ import annotations

import numpy as np
import pytest

from recommender.evaluation.data import CatalogData
from recommender.evaluation.matched import Matched, MatchRules, draw_matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.people import People
from recommender.evaluation.scorers import Fixed


def draw(data: CatalogData, seed: int = 0, rules: MatchRules | None = None) -> tuple[Matched, People]:
    people = People.of_ratings(data.ratings, data.rows.movie_ids)
    allowed = np.ones(len(data), dtype=bool)
    rng = np.random.default_rng(seed)
    rules = rules or MatchRules(per_person=40)
    return draw_matched(people, people.n_ratings, data.films, allowed, rng, rules), people


@pytest.mark.parametrize("balanced", [True, False])
def test_one_liked_movie_stands_beside_99_different_ones_that_the_person_did_not_rate(
    data: CatalogData, balanced: bool
) -> None:
    matched, people = draw(data, rules=MatchRules(per_person=5, balanced=balanced))
    assert len(matched) > 50
    for person, query, candidates in zip(matched.people, matched.queries, matched.candidates, strict=True):
        assert query != candidates[0]
        assert {query, candidates[0]} <= set(people.liked(person).tolist())
        assert len(set(candidates.tolist())) == 100
        assert not set(candidates[1:].tolist()) & set(people.rated(person).tolist())


def test_popularity_finds_no_more_than_chance_where_the_window_lies_at_random(large: CatalogData) -> None:
    matched, people = draw(large)
    scorer = Fixed(people.n_ratings.astype(np.float64))
    ndcg = ndcg_of_rank(rank_of_first(scorer.pairs(matched.queries, matched.candidates)))
    assert len(matched) > 500
    assert ndcg.mean() < 0.0454 + 0.01


def test_pairs_whose_fame_nothing_matches_are_left_out_and_counted(data: CatalogData) -> None:
    strict, _ = draw(data, rules=MatchRules(per_person=40, least_above=99))
    loose, _ = draw(data, rules=MatchRules(per_person=40, least_above=10))
    assert strict.n_left_out > loose.n_left_out
    assert len(strict) + strict.n_left_out == len(loose) + loose.n_left_out


def test_the_same_seed_asks_the_same_and_another_one_something_else(data: CatalogData) -> None:
    one, again, other = draw(data, 3)[0], draw(data, 3)[0], draw(data, 4)[0]
    assert one.candidates.tobytes() == again.candidates.tobytes()
    assert one.candidates.tobytes() != other.candidates.tobytes()


def test_two_editions_of_one_film_never_ask_for_each_other(data: CatalogData) -> None:
    people = People.of_ratings(data.ratings, data.rows.movie_ids)
    films = np.arange(len(data)) // 4
    matched = draw_matched(
        people, people.n_ratings, films, np.ones(len(data), bool), np.random.default_rng(0), MatchRules(40)
    )
    assert len(matched) > 100
    assert (films[matched.queries] != films[matched.candidates[:, 0]]).all()


def test_movies_that_may_not_take_part_do_not(data: CatalogData) -> None:
    people = People.of_ratings(data.ratings, data.rows.movie_ids)
    allowed = np.arange(len(data)) < 220
    matched = draw_matched(people, people.n_ratings, data.films, allowed, np.random.default_rng(0))
    assert len(matched) > 0
    assert matched.candidates.max() < 220
    assert matched.queries.max() < 220
