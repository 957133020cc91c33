from __future__ import annotations

import numpy as np

from indexer.types import Ratings
from recommender.evaluation.people import People, drop_acquainted, split_people

IDS = tuple(f"tt{i}" for i in range(30))


def ratings(*rows: tuple[str, str, float, int]) -> Ratings:
    users, movies, values, times = zip(*rows, strict=True)
    return Ratings(
        np.array(users, dtype=object),
        np.array(movies, dtype=object),
        np.array(values, dtype=np.float32),
        np.array(times, dtype=np.int64),
    )


def person(name: str, movies: range, value: float = 4.0) -> list[tuple[str, str, float, int]]:
    return [(name, f"tt{i}", value, 0) for i in movies]


def test_of_several_ratings_of_a_movie_the_newest_counts_and_unknown_movies_are_left_out() -> None:
    people = People.of_ratings(
        ratings(("a", "tt1", 2.0, 50), ("a", "tt1", 5.0, 90), ("a", "tt1", 1.0, 10), ("a", "else", 5.0, 1)),
        IDS,
    )
    assert people.values.toarray()[0, :3].tolist() == [0.0, 5.0, 0.0]
    assert people.values.nnz == 1


def test_liked_movies_are_those_rated_four_or_more() -> None:
    people = People.of_ratings(ratings(("a", "tt1", 3.5, 0), ("a", "tt2", 4.0, 0), ("a", "tt9", 5.0, 0)), IDS)
    assert people.rated(0).tolist() == [1, 2, 9]
    assert people.liked(0).tolist() == [2, 9]


def test_a_split_deals_everybody_once_and_alike_for_the_same_seed() -> None:
    rows = [one for name in "abcdefghij" for one in person(name, range(3))]
    everybody = People.of_ratings(ratings(*rows), IDS)
    one, two = split_people(everybody, (0.7, 0.3), 4)
    assert sorted([*one.user_ids, *two.user_ids]) == list("abcdefghij")
    assert (len(one), len(two)) == (7, 3)
    again, _ = split_people(everybody, (0.7, 0.3), 4)
    other, _ = split_people(everybody, (0.7, 0.3), 5)
    assert again.user_ids.tolist() == one.user_ids.tolist() != other.user_ids.tolist()


def test_hidden_movies_lose_every_rating() -> None:
    everybody = People.of_ratings(ratings(*person("a", range(5)), *person("b", range(2))), IDS)
    hidden = np.zeros(len(IDS), dtype=bool)
    hidden[[0, 4]] = True
    left = everybody.without_movies(hidden)
    assert left.n_ratings[:5].tolist() == [0, 2, 1, 1, 0]
    assert everybody.n_ratings[:5].tolist() == [2, 2, 1, 1, 1]


def test_a_person_who_stands_in_both_files_under_another_name_is_not_asked() -> None:
    learned = People.of_ratings(ratings(*person("a", range(20)), *person("b", range(10, 30))), IDS)
    mixed = [*person("same", range(20)), *person("other", range(20), 3.0), *person("few", range(4))]
    tested = People.of_ratings(ratings(*mixed), IDS)
    assert drop_acquainted(tested, learned).user_ids.tolist() == ["few", "other"]


def test_ratings_come_back_as_they_were() -> None:
    everybody = People.of_ratings(ratings(("a", "tt3", 2.5, 7), ("b", "tt1", 4.5, 8)), IDS)
    back = everybody.as_ratings(IDS)
    found = sorted(zip(back.user_ids, back.movie_ids, back.values.tolist(), strict=True))
    assert found == [("a", "tt3", 2.5), ("b", "tt1", 4.5)]


def test_times_stay_with_their_ratings() -> None:
    rows = [("b", "tt4", 4.0, 40), ("a", "tt9", 3.0, 90), ("a", "tt2", 4.5, 20), ("c", "tt2", 1.0, 0)]
    everybody = People.of_ratings(ratings(*rows), IDS)
    hidden = np.array([movie_id == "tt9" for movie_id in IDS])
    left = everybody.take(np.array([2, 0])).without_movies(hidden).as_ratings(IDS)
    found = zip(left.user_ids, left.movie_ids, left.values.tolist(), left.rated_at.tolist(), strict=True)
    assert list(found) == [("c", "tt2", 1.0, 0), ("a", "tt2", 4.5, 20)]
    assert everybody.as_ratings(IDS).rated_at.tolist() == [20, 90, 40, 0]
