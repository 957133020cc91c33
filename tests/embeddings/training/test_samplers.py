"""What each sampler makes of a lopsided set of movies."""

import numpy as np
import pytest

from embeddings.errors import TrainingError
from embeddings.training.samplers import compound_genres, get_sampler, inverse_frequency


def lopsided() -> np.ndarray:
    """900 dramas, 90 drama-comedies, 10 westerns."""
    rows = [[1, 0, 0]] * 900 + [[1, 1, 0]] * 90 + [[0, 0, 1]] * 10
    return np.array(rows, dtype=np.float32)


def test_none_visits_each_movie_once_in_another_order() -> None:
    order = get_sampler("none")(lopsided(), np.random.default_rng(0))
    assert sorted(order) == list(range(1000))
    assert list(order) != list(range(1000))


def test_inverse_frequency_visits_rare_genres_more_often_than_they_occur() -> None:
    order = inverse_frequency(lopsided(), np.random.default_rng(0))
    assert len(order) == 1000
    drama, comedy, western = np.sqrt(1 / 990), np.sqrt(1 / 90), np.sqrt(1 / 10)
    expected = 10 * western / (900 * drama + 90 * comedy + 10 * western)
    assert np.mean(order >= 990) == pytest.approx(expected, abs=0.02)


def test_compound_genres_brings_each_set_into_one_to_four_percent() -> None:
    order = compound_genres(lopsided(), np.random.default_rng(0))
    counts = [np.sum(order < 900), np.sum((order >= 900) & (order < 990)), np.sum(order >= 990)]
    assert counts == [40, 40, 10]
    assert len(np.unique(order[order < 990])) == 80, "large sets are drawn from without repetition"


def test_compound_genres_repeats_small_sets_until_they_are_one_percent() -> None:
    targets = np.concatenate([np.tile([[1, 0]], (1047, 1)), [[0, 1], [1, 1], [1, 1]]]).astype(np.float32)
    order = compound_genres(targets, np.random.default_rng(0))
    assert np.sum(order == 1047) == 11, "10.5 movies are one percent"
    assert sorted([np.sum(order == 1048), np.sum(order == 1049)]) == [5, 6]
    assert np.sum(order < 1047) == 42


@pytest.mark.parametrize("name", ["none", "inverse_frequency", "compound_genres"])
def test_the_same_generator_gives_the_same_order(name: str) -> None:
    first = get_sampler(name)(lopsided(), np.random.default_rng(3))
    assert first.tolist() == get_sampler(name)(lopsided(), np.random.default_rng(3)).tolist()


def test_an_unknown_sampler_is_refused_by_name() -> None:
    with pytest.raises(TrainingError, match="no sampler 'fair'"):
        get_sampler("fair")
