from __future__ import annotations

import numpy as np

from indexer.types import Ratings
from recommender.runs import runs_of

MOVIES = np.array([f"tt{i}" for i in range(8)], dtype=object)


def rated(*rows: tuple[str, int, int]) -> Ratings:
    """Who rated which movie when."""
    users, movies, times = zip(*rows, strict=True)
    return Ratings(
        np.array(users, dtype=object),
        MOVIES[list(movies)],
        np.full(len(rows), 4.0, dtype=np.float32),
        np.array(times, dtype=np.int64),
    )


def sets(ratings: Ratings, length: int) -> list[set[int]]:
    return [set(row.indices.tolist()) for row in runs_of(ratings, MOVIES, length)]


def test_runs_follow_the_times_and_are_cut_twice() -> None:
    ratings = rated(*[("ann", movie, 100 + when) for when, movie in enumerate([5, 3, 1, 7, 0, 2])])
    assert sets(ratings, 4) == [{5, 3, 1, 7}, {0, 2}, {5, 3}, {1, 7, 0, 2}]


def test_no_run_holds_two_people() -> None:
    rows = [("bob", 1, 50), ("ann", 2, 40), ("bob", 3, 60), ("ann", 4, 70)]
    assert sets(rated(*rows), 2) == [{2, 4}, {1, 3}, {2}, {4}, {1}, {3}]


def test_the_same_ratings_in_another_order_give_the_same_runs() -> None:
    rows = [("ann", 0, 9), ("ann", 1, 9), ("ann", 2, 3), ("bob", 3, 1), ("bob", 4, 2), ("bob", 5, 2)]
    assert sets(rated(*rows), 4) == sets(rated(*rows[::-1]), 4)


def test_ratings_whose_order_nobody_knows_are_in_no_run() -> None:
    at_once = [("ann", movie, 7) for movie in range(5)]
    untimed = [("bob", 0, 0), ("bob", 1, 0)]
    assert runs_of(rated(*at_once, *untimed), MOVIES, 4).shape == (0, 8)
    assert sets(rated(*at_once, ("ann", 6, 8), ("ann", 7, 9)), 4) == [{6, 7}, {6, 7}]
