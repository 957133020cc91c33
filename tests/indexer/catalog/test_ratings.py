"""Ratings in the catalog."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from embeddings.errors import InvalidRequestError
from indexer.catalog import Catalog, Counts, MovieFacts
from indexer.types import Ratings


def test_ratings_come_back_by_user_and_movie(catalog: Catalog, rate: Callable[..., Counts]) -> None:
    rate(("v", "tt1", 3.5, 7), ("u", "tt2", 5.0, 8), ("u", "tt1", 0.5, 9))
    ratings = catalog.ratings()
    assert ratings.user_ids.tolist() == ["u", "u", "v"]
    assert ratings.movie_ids.tolist() == ["tt1", "tt2", "tt1"]
    assert ratings.values.tolist() == [0.5, 5.0, 3.5]
    assert ratings.rated_at.tolist() == [9, 8, 7]
    assert (ratings.values.dtype, ratings.rated_at.dtype) == (np.float32, np.int64)


def test_the_same_ratings_again_change_nothing(catalog: Catalog, rate: Callable[..., Counts]) -> None:
    rows = [("u", "tt1", 4.0, 1), ("u", "tt2", 2.0, 2)]
    assert rate(*rows) == Counts(added=2)
    before = catalog.revision()
    assert rate(*rows) == Counts(unchanged=2)
    assert catalog.revision() == before


def test_the_newest_of_several_ratings_stands_in_any_order(
    catalog: Catalog, rate: Callable[..., Counts]
) -> None:
    assert rate(("u", "tt1", 4.0, 5), ("u", "tt1", 2.0, 9), ("u", "tt1", 3.0, 7)) == Counts(added=1)
    assert rate(("u", "tt1", 1.0, 8)) == Counts(unchanged=1)
    assert catalog.ratings().values.tolist() == [2.0]
    assert rate(("u", "tt1", 5.0, 10)) == Counts(updated=1)
    assert catalog.ratings().values.tolist() == [5.0]


def test_ratings_of_a_movie_that_is_still_to_come_count_when_it_comes(
    catalog: Catalog, rate: Callable[..., Counts]
) -> None:
    rate(("u", "tt1", 4.0, 1), ("v", "tt1", 4.0, 1), ("u", "tt2", 4.0, 1))
    catalog.upsert_movies([MovieFacts("tt1")], "csv")
    assert catalog.get_movie("tt1").n_ratings == 2
    assert catalog.n_ratings() == 3
    assert len(catalog.ratings(only_in_catalog=True)) == 2


def test_a_removed_movie_finds_its_ratings_again(catalog: Catalog, rate: Callable[..., Counts]) -> None:
    catalog.upsert_movies([MovieFacts("tt1")], "csv")
    rate(("u", "tt1", 4.0, 1))
    catalog.remove_movies(["tt1"])
    rate(("v", "tt1", 4.0, 1))
    catalog.upsert_movies([MovieFacts("tt1")], "csv")
    assert catalog.get_movie("tt1").n_ratings == 2


@pytest.mark.parametrize("value", [0.0, 5.5, -1.0, float("nan"), float("inf")])
def test_a_rating_outside_the_scale_is_refused(
    catalog: Catalog, rate: Callable[..., Counts], value: float
) -> None:
    with pytest.raises(InvalidRequestError, match=r"expected 0\.5 to 5"):
        rate(("u", "tt1", 4.0, 1), ("u", "tt2", value, 1))
    assert catalog.n_ratings() == 0


def test_people_who_liked_both_are_counted(catalog: Catalog, rate: Callable[..., Counts]) -> None:
    rate(
        ("a", "tt1", 4.0, 1),
        ("a", "tt2", 5.0, 1),
        ("b", "tt1", 4.5, 1),
        ("b", "tt2", 3.5, 1),
        ("c", "tt1", 3.0, 1),
        ("c", "tt2", 5.0, 1),
        ("d", "tt1", 5.0, 1),
        ("d", "tt2", 4.0, 1),
        ("d", "tt3", 4.0, 1),
    )
    assert catalog.co_liked("tt1", ["tt2", "tt3", "tt9"]) == {"tt2": 2, "tt3": 1, "tt9": 0}


def test_tens_of_thousands_of_ratings_go_in_and_come_out(catalog: Catalog) -> None:
    rng = np.random.default_rng(0)
    pairs = rng.permutation(1000 * 500)[:30_000]
    users = np.array([f"u{one}" for one in (pairs // 500).tolist()], dtype=object)
    movies = np.array([f"tt{one:07d}" for one in (pairs % 500).tolist()], dtype=object)
    values = (rng.integers(1, 11, len(pairs)) / 2).astype(np.float32)
    catalog.upsert_movies([MovieFacts(one) for one in sorted(set(movies.tolist()))], "csv")
    ratings = Ratings(users, movies, values, np.zeros(len(pairs), np.int64))
    assert catalog.add_ratings(ratings) == Counts(added=30_000)
    order = np.lexsort((movies.astype(str), users.astype(str)))
    np.testing.assert_array_equal(catalog.ratings().values, values[order])
    assert catalog.get_movie("tt0000007").n_ratings == int((movies == "tt0000007").sum())


def test_people_who_rated_before_and_people_who_did_not_are_counted_together(
    catalog: Catalog, rate: Callable[..., Counts]
) -> None:
    catalog.upsert_movies([MovieFacts("tt1"), MovieFacts("tt2")], "csv")
    rate(("old", "tt1", 3.0, 10), ("old", "tt2", 3.0, 10))
    counts = rate(
        ("old", "tt1", 4.0, 20), ("old", "tt2", 1.0, 5), ("old", "tt3", 5.0, 20), ("new", "tt1", 2.0, 1)
    )
    assert counts == Counts(added=2, updated=1, unchanged=1)
    assert [catalog.get_movie(one).n_ratings for one in ("tt1", "tt2")] == [2, 1]
    assert catalog.ratings().values.tolist() == [2.0, 4.0, 3.0, 5.0]
