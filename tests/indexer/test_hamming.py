"""Hashes that nearly agree."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.hamming import MAX_DISTANCE, distances, near_pairs


def flipped(word: np.uint64, n_bits: int, rng: np.random.Generator) -> np.uint64:
    for bit in rng.choice(64, n_bits, replace=False).tolist():
        word ^= np.uint64(1 << bit)
    return word


@pytest.fixture(scope="module")
def hashes() -> NDArray[np.uint64]:
    """150 hashes, and 900 copies of them with up to 15 bits flipped."""
    rng = np.random.default_rng(0)
    seeds = rng.integers(0, 1 << 64, 150, dtype=np.uint64)
    return np.concatenate([seeds, [flipped(seeds[i % 150], i % 16, rng) for i in range(900)]])


def within(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.argwhere(np.triu(distances(hashes[:, None], hashes[None]) <= MAX_DISTANCE, 1))


def test_every_pair_within_the_distance_is_found_once_and_no_other(hashes: NDArray[np.uint64]) -> None:
    found = near_pairs(hashes, np.ones(len(hashes), dtype=np.bool_))
    assert found.tolist() == within(hashes).tolist()
    assert len(found) > 1000


def test_pairs_without_a_fresh_hash_are_left_out(hashes: NDArray[np.uint64]) -> None:
    fresh = np.random.default_rng(1).random(len(hashes)) < 0.05
    expected = [pair for pair in within(hashes).tolist() if fresh[pair].any()]
    assert near_pairs(hashes, fresh).tolist() == expected
    assert near_pairs(hashes, np.zeros(len(hashes), dtype=np.bool_)).shape == (0, 2)


def test_crowded_words_are_looked_at_in_parts() -> None:
    hashes = np.arange(2_000, dtype=np.uint64) << np.uint64(48)  # three words are 0 in all of them
    fresh = np.arange(2_000) < 400
    found = near_pairs(hashes, fresh)
    # Of 0 to 1,999 no two differ in more bits than near ones may.
    assert len(found) == 400 * 399 // 2 + 400 * 1_600


@pytest.mark.parametrize("n", [0, 1])
def test_no_pair_needs_no_look(n: int) -> None:
    assert near_pairs(np.zeros(n, np.uint64), np.ones(n, np.bool_)).shape == (0, 2)
