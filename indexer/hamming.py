"""Pairs of 64-bit hashes that differ in a few bits, where most hashes were compared before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE = 11
"""Bits in which the hashes of a pair may differ; see ``near_pairs`` for why not one more."""
_WORDS = 4
_WORD_BITS = 16
_FLIPS = 2
_WORKERS = 2
_ASKED_AT_ONCE = 4_096
_LOOKED_AT_AT_ONCE = 1 << 18


def _masks() -> NDArray[np.uint16]:
    """Every word with at most two bits set, (137,)."""
    flips = [bits for n in range(_FLIPS + 1) for bits in combinations(range(_WORD_BITS), n)]
    return np.array([sum(1 << bit for bit in bits) for bits in flips], dtype=np.uint16)


def near_pairs(
    hashes: NDArray[np.uint64],
    fresh: NDArray[np.bool_],
    others: tuple[NDArray[np.uint64], int] | None = None,
) -> NDArray[np.int64]:
    """Pairs of hashes that differ in at most ``MAX_DISTANCE`` bits, at least one of which is fresh.

    Of two such hashes, one of the four 16-bit words differs in at most two
    bits (four words with three each would make twelve), so looking up every
    word with every two bits flipped misses no pair. FAISS has the same method
    (``IndexBinaryMultiHash``), but its table of all hashes alone takes many
    times as long to make as a thousand new ones take here.

    Args:
        hashes: uint64, (n,).
        fresh: bool, (n,); pairs of hashes that are both not are left out.
        others: Another hash of each, uint64, (n,), and in how many of its bits a pair may differ; None
            asks for no more.

    Returns:
        int64, (m, 2), the smaller number first, sorted, each pair once.

    Source:
        M. Norouzi et al., "Fast Exact Search in Hamming Space with Multi-Index Hashing", PAMI 36(6), 2014.
    """
    asked = np.flatnonzero(fresh)
    if len(hashes) < 2 or not len(asked):
        return np.empty((0, 2), dtype=np.int64)
    words = np.ascontiguousarray(hashes.astype("<u8").view("<u2").reshape(-1, _WORDS).T)
    with ThreadPoolExecutor(_WORKERS) as pool:
        pairs = np.concatenate(list(pool.map(lambda one: _near_by_word(hashes, one, asked, others), words)))
    low, high = np.minimum(*pairs.T), np.maximum(*pairs.T)
    keys = _each_once((low * len(hashes) + high)[low != high])  # far quicker than rows
    return np.stack(np.divmod(keys, len(hashes)), axis=1)


def _each_once(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted; ``np.unique`` would put them into a hash table, which takes several times as long."""
    ordered = np.sort(keys)
    new = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return ordered[new]


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """In how many bits hashes differ, uint8, (n,)."""
    counts: NDArray[np.uint8] = np.bitwise_count(one ^ other)
    return counts


def _near_by_word(
    hashes: NDArray[np.uint64],
    words: NDArray[np.uint16],
    asked: NDArray[np.int64],
    others: tuple[NDArray[np.uint64], int] | None,
) -> NDArray[np.int64]:
    """Near pairs (asked, any) that differ in at most two bits of one of their words."""
    order = np.argsort(words, kind="stable")
    by_word = hashes[order]  # rows that share a word lie together, so that looking at them is quick
    starts = np.concatenate([[0], np.cumsum(np.bincount(words, minlength=1 << _WORD_BITS))])
    masks, found = _masks(), [np.empty((0, 2), dtype=np.int64)]
    for begin in range(0, len(asked), _ASKED_AT_ONCE):
        rows = asked[begin : begin + _ASKED_AT_ONCE]
        probes = (words[rows, None] ^ masks).astype(np.int64)
        counts = starts[probes + 1] - starts[probes]
        # However crowded the words are, only so many candidates are looked at together.
        part = np.cumsum(counts.sum(axis=1)) // _LOOKED_AT_AT_ONCE
        for number in np.unique(part):
            chosen = part == number
            n_others = counts[chosen].sum(axis=1)
            rows_of_word = _runs(starts[probes[chosen]].ravel(), counts[chosen].ravel())
            differ = distances(np.repeat(hashes[rows[chosen]], n_others), by_word[rows_of_word])
            near = np.flatnonzero(differ <= MAX_DISTANCE)
            ends = np.cumsum(n_others)
            queries = rows[chosen][np.searchsorted(ends, near, side="right")]
            pairs = np.stack([queries, order[rows_of_word[near]]], axis=1)
            if others is not None:
                also, most = others
                pairs = pairs[distances(also[pairs[:, 0]], also[pairs[:, 1]]) <= most]
            found.append(pairs)
    return np.concatenate(found)


def _runs(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers from each start on, as many as its count says, one run after the other.

    Example:
        >>> _runs(np.array([5, 0, 9]), np.array([2, 0, 1])).tolist()
        [5, 6, 9]
    """
    ends = np.cumsum(counts)
    runs: NDArray[np.int64] = np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)
    return runs
