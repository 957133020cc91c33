from __future__ import annotations

import numpy as np
import pytest

from recommender.evaluation import metrics


def test_the_rank_counts_the_better_ones_and_half_of_the_equal_ones() -> None:
    scores = np.array([[5.0, 1, 2, 3], [1.0, 5, 5, 5], [2.0, 2, 2, 1], [0.0, 0, 0, 0]])
    np.testing.assert_allclose(metrics.rank_of_first(scores), [1, 4, 2, 2.5])


def test_ndcg_of_one_relevant_movie_is_one_over_the_binary_logarithm_of_its_rank_plus_one() -> None:
    found = metrics.ndcg_of_rank(np.array([1.0, 2.0, 7.0, 10.0, 10.5]))
    np.testing.assert_allclose(found, [1, 1 / np.log2(3), 1 / 3, 1 / np.log2(11), 0])


def test_guessing_among_a_hundred_gives_the_figures_that_the_protocol_names() -> None:
    ranks = np.arange(1, 101, dtype=np.float64)
    assert metrics.ndcg_of_rank(ranks).mean() == pytest.approx(0.0454, abs=1e-4)
    assert metrics.hit_of_rank(ranks).mean() == pytest.approx(0.1)


def test_ndcg_of_a_list_with_every_relevant_movie_on_top_is_one() -> None:
    relevant = np.zeros((2, 10), dtype=bool)
    relevant[0, :3] = True
    relevant[1, 1] = True
    found = metrics.ndcg_of_list(relevant, np.array([3, 2]))
    np.testing.assert_allclose(found, [1.0, (1 / np.log2(3)) / (1 + 1 / np.log2(3))])


def test_recall_is_the_share_of_the_relevant_movies_that_was_found() -> None:
    relevant = np.array([[True, False, True, False]])
    assert metrics.recall_of_list(relevant, np.array([4]), 2) == 0.25
    assert metrics.recall_of_list(relevant, np.array([4]), 4) == 0.5


def test_jaccard_is_shared_over_all_genres_and_zero_without_any() -> None:
    one = np.array([[True, True, False], [False, False, False]])
    other = np.array([[True, False, True], [False, False, False]])
    np.testing.assert_allclose(metrics.jaccard(one, other), [1 / 3, 0])


def test_coverage_is_the_share_of_the_catalog_in_any_list() -> None:
    assert metrics.coverage(np.array([[0, 1], [1, 2]]), 6) == 0.5
    assert metrics.coverage(np.empty((0, 10), dtype=np.int64), 0) == 0.0


def test_a_list_of_equal_movies_is_as_similar_as_can_be_and_of_strangers_not_at_all() -> None:
    assert metrics.intra_list_similarity(np.ones((4, 4))) == 1.0
    assert metrics.intra_list_similarity(np.eye(4)) == 0.0
    assert metrics.intra_list_similarity(np.ones((1, 1))) == 0.0
