from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.affinities import BELIEVED_HALF, Affinities, Agreement
from indexer.types import Ratings
from recommender.affinity import LIFT, MOST_LIFTED, lifts, strengths_of
from recommender.affinity_model import AffinityConfig, AffinityModel
from recommender.blend import Scale, known_signals, weights_in_force
from recommender.rating_table import rating_table, unexplained
from recommender.search import Query, find_candidates
from recommender.types import Weights

IDS = tuple(f"m{i}" for i in range(6))
EVERY_PAIR = AffinityConfig(least_ratings=1, least_strength=1e-9, most=10)


def table_of(values: NDArray[np.float64]) -> Ratings:
    """Ratings of people x movies; 0 is not rated."""
    people, movies = np.nonzero(values)
    return Ratings(
        np.array([f"u{i:03d}" for i in people], dtype=object),
        np.array([f"m{i}" for i in movies], dtype=object),
        values[people, movies].astype(np.float32),
        np.zeros(len(people), dtype=np.int64),
    )


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    """People like either m0 and m1 or m2 and m3; m4 and m5 are rated at random, m5 by few."""
    rng = np.random.default_rng(4)
    kind = rng.integers(2, size=80)
    values = np.column_stack(
        [np.where(kind == side, 4.5, 2.0) + 0.5 * rng.integers(-1, 2, size=80) for side in (0, 0, 1, 1)]
        + [rng.integers(1, 6, size=80), rng.integers(1, 6, size=80)]
    )
    values[rng.random(values.shape) < 0.2] = 0
    values[6:, 5] = 0
    return table_of(values)


def by_hand(ratings: Ratings, one: int, other: int) -> Agreement:
    """The correlation of what is left of two movies' ratings, over those who rated both."""
    values = rating_table(ratings).values
    left = np.full(values.shape, np.nan)
    left[values.nonzero()] = unexplained(values)
    both = ~np.isnan(left[:, one] + left[:, other])
    a, b = left[both, one], left[both, other]
    return Agreement(float(a @ b / np.sqrt((a @ a) * (b @ b))), int(both.sum()))


def test_movies_that_people_rate_alike_find_each_other(ratings: Ratings) -> None:
    found = AffinityModel().fit(ratings, IDS)
    assert [list(found.of(one))[:1] for one in IDS[:4]] == [["m1"], ["m0"], ["m3"], ["m2"]]


def test_every_agreement_is_that_of_the_people_who_rated_both(ratings: Ratings) -> None:
    found = AffinityModel(EVERY_PAIR).fit(ratings, IDS)
    n_pairs = 0
    for one in range(6):
        for other, agreement in found.of(f"m{one}").items():
            expected = by_hand(ratings, one, int(other[1:]))
            assert agreement.correlation == pytest.approx(expected.correlation, abs=1e-6)
            assert agreement.n_people == expected.n_people
            n_pairs += 1
    expected_pairs = sum(by_hand(ratings, i, j).correlation > 0 for i in range(6) for j in range(6) if i != j)
    assert n_pairs == expected_pairs > 4


def test_the_strongest_come_first_and_no_more_than_asked(ratings: Ratings) -> None:
    every = AffinityModel(EVERY_PAIR).fit(ratings, IDS)
    two = AffinityModel(replace(EVERY_PAIR, most=1)).fit(ratings, IDS)
    for one in IDS:
        strengths = [agreement.strength for agreement in every.of(one).values()]
        assert strengths == sorted(strengths, reverse=True)
        assert list(two.of(one)) == list(every.of(one))[:1]


def same(one: Affinities, other: Affinities) -> bool:
    return [one.of(movie_id) for movie_id in IDS] == [other.of(movie_id) for movie_id in IDS]


def test_few_pairs_at_once_and_another_order_of_ratings_find_the_same(ratings: Ratings) -> None:
    order = np.random.default_rng(0).permutation(len(ratings))
    shuffled = Ratings(
        ratings.user_ids[order], ratings.movie_ids[order], ratings.values[order], ratings.rated_at[order]
    )
    whole = AffinityModel(EVERY_PAIR).fit(ratings, IDS)
    assert same(AffinityModel(replace(EVERY_PAIR, pairs_at_once=3)).fit(ratings, IDS), whole)
    assert same(AffinityModel(EVERY_PAIR).fit(shuffled, IDS), whole)


def test_movies_with_few_ratings_and_movies_outside_the_index_take_no_part(ratings: Ratings) -> None:
    found = AffinityModel(replace(EVERY_PAIR, least_ratings=10)).fit(ratings, IDS[1:])
    assert found.of("m0") == found.of("m5") == {}
    assert not any({"m0", "m5"} & set(found.of(one)) for one in IDS)


def test_without_ratings_nobody_rates_anything_alike(ratings: Ratings) -> None:
    assert AffinityModel().fit(table_of(np.zeros((2, 6))), IDS).of("m0") == {}
    assert AffinityModel().fit(ratings, ()).of("m0") == {}
    assert AffinityModel(EVERY_PAIR).fit(ratings, IDS[:1]).of("m0") == {}  # alone, it is nobody's other


def test_a_query_of_several_movies_has_the_mean_of_their_strengths(ratings: Ratings) -> None:
    found = AffinityModel(EVERY_PAIR).fit(ratings, IDS)
    both = strengths_of(found, ("m0", "m2"))
    assert not {"m0", "m2"} & set(both)
    expected = sum(found.of(one)["m1"].strength if "m1" in found.of(one) else 0.0 for one in ("m0", "m2")) / 2
    assert both["m1"] == pytest.approx(expected)
    assert list(both.values()) == sorted(both.values(), reverse=True)
    assert strengths_of(None, ("m0",)) == {}


def test_a_pair_is_lifted_by_how_much_it_is_of_one_kind() -> None:
    added = lifts(np.array([0.2, 0.2, 0.2, 0.0]), np.array([1.0, 0.5, np.nan, 1.0]))
    np.testing.assert_allclose(added, [LIFT * 0.2, LIFT * 0.2 / 64, 0.0, 0.0])


def lifted_query(view, movie_id: str, alike: dict[str, float]) -> Query:  # type: ignore[no-untyped-def]
    scale = Scale.of_pairs(view.random_pairs(), view.manifest.spreads)
    like, wanted = view.find_rows([movie_id]), Weights(0.1, 0.3, 0.6)
    weights = weights_in_force(wanted, known_signals(like), wanted)
    return Query(like, None, weights, scale, rated_alike=alike)


def test_lifted_lists_are_those_of_brute_force_over_every_row(partial_view) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(9)
    for movie_id in partial_view.rows.movie_ids[:15]:
        others = rng.choice([m for m in partial_view.rows.movie_ids if m != movie_id], 12, replace=False)
        alike = dict(zip(others.tolist(), rng.random(12).tolist(), strict=True))
        query = lifted_query(partial_view, movie_id, alike)
        plain = replace(query, rated_alike={}).score(partial_view.rows, query.columns(partial_view.rows))
        genre = partial_view.rows.genre @ query.like.genre[0]
        added = [
            LIFT * alike.get(m, 0.0) * max(g, 0) ** 6
            for m, g in zip(partial_view.rows.movie_ids, genre, strict=True)
        ]
        expected = dict(zip(partial_view.rows.movie_ids, np.round(plain + added, 6).tolist(), strict=True))
        best = sorted(
            (m for m in expected if m != movie_id and not np.isnan(expected[m])),
            key=lambda m: (-expected[m], m),
        )[:10]
        found = find_candidates(partial_view, query, 10, exclude=(movie_id,))
        np.testing.assert_allclose([expected[m] for m in found.rows.movie_ids], [expected[m] for m in best])


def test_a_lift_brings_in_no_movie_that_is_filtered_excluded_or_gone(view) -> None:  # type: ignore[no-untyped-def]
    wanted = {"tt0000050": 1.0, "tt0000051": 1.0, "tt0000052": 1.0, "nowhere": 1.0}
    allowed = np.ones(len(view.rows), dtype=bool)
    allowed[50] = False
    query = lifted_query(view, "tt0000001", wanted)
    found = find_candidates(view, query, 200, allowed, exclude=("tt0000001", "tt0000051"))
    assert "tt0000052" in found.rows.movie_ids
    assert not {"tt0000050", "tt0000051", "nowhere"} & set(found.rows.movie_ids)
    assert len(find_candidates(view, query, 5, allowed)) == 5


def test_no_more_movies_are_lifted_than_are_kept() -> None:
    n = MOST_LIFTED + 30
    ids = np.array(sorted(f"m{i:03d}".encode() for i in range(n)))
    others = np.concatenate([np.arange(1, n), np.zeros(n - 1, dtype=np.int64)]).astype(np.int32)
    ends = np.concatenate([[0], np.arange(n) + n - 1])
    star = Affinities(
        ids, ends, others, np.full(len(others), 0.5, np.float32), np.full(len(others), int(BELIEVED_HALF))
    )
    assert len(strengths_of(star, ("m000",))) == MOST_LIFTED
    assert strengths_of(star, ("m000",))["m001"] == pytest.approx(0.25)
