"""Answers are kept up to a size and for one state, the least used going first."""

from __future__ import annotations

import random

from webui.answer_cache import AnswerCache

STATE, NEWER = ("s1", 1), ("s1", 2)


def body(seed: int) -> bytes:
    """1,000 bytes that do not compress."""
    return random.Random(seed).randbytes(1000)


def test_an_answer_is_found_under_its_question_alone() -> None:
    cache = AnswerCache(100_000)
    cache.keep(STATE, "a", body(1))
    assert cache.find(STATE, "a") == body(1)
    assert cache.find(STATE, "b") is None


def test_a_change_empties_it() -> None:
    cache = AnswerCache(100_000)
    cache.keep(STATE, "a", body(1))
    assert cache.find(NEWER, "a") is None
    cache.keep(NEWER, "b", body(2))
    assert cache.find(STATE, "a") is None
    assert cache.n_bytes < 1100


def test_an_answer_that_comes_after_a_change_is_not_kept_and_empties_nothing() -> None:
    cache = AnswerCache(100_000)
    cache.keep(NEWER, "a", body(1))
    cache.keep(STATE, "b", body(2))
    assert cache.find(STATE, "b") is None
    assert cache.find(NEWER, "a") == body(1)


def test_the_least_used_goes_first() -> None:
    cache = AnswerCache(10_000)
    for seed in range(9):
        cache.keep(STATE, seed, body(seed))
    assert cache.find(STATE, 0) == body(0)
    cache.keep(STATE, 9, body(9))
    assert cache.find(STATE, 1) is None
    assert cache.find(STATE, 0) == body(0)
    assert cache.n_bytes <= cache.max_bytes


def test_an_answer_kept_twice_counts_once() -> None:
    cache = AnswerCache(10_000)
    for _ in range(20):
        cache.keep(STATE, "a", body(1))
    cache.keep(STATE, "b", body(2))
    assert cache.find(STATE, "a") == body(1)
    assert cache.n_bytes < 2200


def test_an_answer_too_large_pushes_nothing_out() -> None:
    cache = AnswerCache(10_000)
    cache.keep(STATE, "a", body(1))
    cache.keep(STATE, "b", random.Random(0).randbytes(1300))
    assert cache.find(STATE, "b") is None
    assert cache.find(STATE, "a") == body(1)


def test_text_takes_less_than_its_length() -> None:
    cache = AnswerCache(10_000)
    cache.keep(STATE, "a", b'{"title": "Night Train"}' * 100)
    assert cache.n_bytes < 200
