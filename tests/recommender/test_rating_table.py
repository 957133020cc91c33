from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from indexer.types import Ratings
from recommender.rating_table import person_weights, rating_table, unexplained


def ratings_of(table: dict[tuple[str, str], float]) -> Ratings:
    users, movies = zip(*table, strict=True)
    return Ratings(
        np.array(users, dtype=object),
        np.array(movies, dtype=object),
        np.array(list(table.values()), dtype=np.float32),
        np.zeros(len(table), dtype=np.int64),
    )


def test_a_table_has_sorted_movies_whatever_the_order_of_the_ratings() -> None:
    table = rating_table(ratings_of({("b", "tt2"): 3.0, ("a", "tt2"): 4.0, ("b", "tt1"): 5.0}))
    assert table.movie_ids.tolist() == ["tt1", "tt2"]
    assert table.values.toarray().tolist() == [[0.0, 4.0], [5.0, 3.0]]


def test_what_person_and_movie_explain_leaves_nothing() -> None:
    kind, good = np.array([-1.0, 0.0, 1.0])[:, None], np.array([-0.5, 0.0, 0.0, 0.5])[None]
    values = csr_matrix(np.tile(3.0 + kind + good, (20, 30)))
    assert np.abs(unexplained(values)).max() < 0.15


def test_the_one_who_loves_what_others_find_dull_stands_out() -> None:
    values = np.full((40, 30), 3.0)
    values[:, 7] = 2.0
    values[5, 7] = 5.0
    left = csr_matrix((unexplained(csr_matrix(values)), csr_matrix(values).nonzero())).toarray()
    assert left[5, 7] > 2.0
    assert np.abs(np.delete(left, 7, axis=1)).max() < 0.5


def test_no_ratings_leave_nothing() -> None:
    assert len(unexplained(csr_matrix((2, 3)))) == 0


def test_somebody_with_sixteen_times_as_many_ratings_counts_half_each_at_a_quarter() -> None:
    values = np.zeros((3, 16))
    values[0, 0] = values[1, 1] = 1.0
    values[2] = 1.0
    weighted = person_weights(csr_matrix(values), 0.25)
    assert weighted[0, 0] == 1.0
    assert weighted[2, 5] == 0.5
