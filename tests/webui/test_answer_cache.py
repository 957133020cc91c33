"""Answers are kept up to a size, the least used going first."""

from __future__ import annotations

from webui.answer_cache import AnswerCache


def test_an_answer_is_found_under_its_tag_alone() -> None:
    cache = AnswerCache(80)
    cache.keep("a", b"one")
    assert cache.find("a") == b"one"
    assert cache.find("b") is None


def test_the_least_used_goes_first() -> None:
    cache = AnswerCache(80)
    for tag in "abcdefgh":
        cache.keep(tag, bytes(10))
    assert cache.find("a") is not None
    cache.keep("i", bytes(10))
    assert cache.find("b") is None
    assert cache.find("a") is not None


def test_an_answer_kept_twice_counts_once() -> None:
    cache = AnswerCache(80)
    for _ in range(20):
        cache.keep("a", bytes(10))
    for tag in "bcdefgh":
        cache.keep(tag, bytes(10))
    assert cache.find("a") is not None


def test_an_answer_too_large_pushes_nothing_out() -> None:
    cache = AnswerCache(80)
    cache.keep("a", b"one")
    cache.keep("b", bytes(11))
    assert cache.find("b") is None
    assert cache.find("a") == b"one"
