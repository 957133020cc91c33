"""Groups of posters that show one picture, kept where nothing changed and found anew where something did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embeddings.artwork import join_groups

_LEADING_BITS = 16


def regroup(
    groups: NDArray[np.int32], compared: NDArray[np.bool_], pairs: NDArray[np.int64]
) -> NDArray[np.int32]:
    """The groups after some rows were compared with all.

    Every pair of a compared row is known, so its old group says nothing of it;
    the others stay together as they were, and a pair may join two such groups.

    Args:
        groups: int32, (n,), as they were; -1 for rows of their own. Of a group of which one row is
            compared, all are.
        compared: bool, (n,).
        pairs: int64, (m, 2), rows that show one picture, at least one of each pair compared.

    Returns:
        int32, (n,). A group keeps the least of the numbers it had; a new one takes the next.

    Example:
        >>> regroup(np.array([7, 7, -1, -1, -1], np.int32), np.array([0, 0, 0, 1, 1]) > 0,
        ...         np.array([[0, 3], [2, 4]])).tolist()
        [7, 7, 8, 7, 8]
    """
    after = np.where(compared, -1, groups).astype(np.int32)
    if not len(pairs):
        return after
    next_number = int(groups.max(initial=-1)) + 1
    # A group that stays is one node, numbered beyond the rows, so that joining it costs one pair.
    node = np.where(after >= 0, len(groups) + after.astype(np.int64), np.arange(len(groups)))
    nodes, joined = np.unique(node[pairs], return_inverse=True)
    label = join_groups(len(nodes), joined.reshape(-1, 2))
    by_label = np.split(nodes[np.argsort(label, kind="stable")], np.cumsum(np.bincount(label))[:-1])
    taken: set[int] = set()
    for members in by_label:
        rows = members[members < len(groups)]
        kept = members[members >= len(groups)] - len(groups)
        free = kept.tolist() or sorted({*groups[rows].tolist()} - taken - {-1})
        number = free[0] if free else next_number
        next_number += number == next_number
        taken.add(number)
        after[rows] = number
        if len(kept) > 1:
            after[np.isin(after, kept)] = number
    return after


def pairs_of_content(
    contents: NDArray[np.uint64], compared: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Posters that are the same file as one that is to be compared, and one row to compare for all of them.

    Args:
        contents: uint64, (n,), equal for equal files.
        compared: bool, (n,), at least one.

    Returns:
        bool, (n,), the first row of each content that is to be compared; and int64, (m, 2), its pairs with
        all others of that content.
    """
    sought = np.unique(contents[compared])
    # Of a million contents few begin as a sought one does: looking those up is quick.
    begins = np.zeros(1 << _LEADING_BITS, dtype=np.bool_)
    begins[_leading(sought)] = True
    rows = np.flatnonzero(begins[_leading(contents)])
    at = np.searchsorted(sought, contents[rows])
    rows = rows[sought[np.minimum(at, len(sought) - 1)] == contents[rows]]
    _, first, content = np.unique(contents[rows], return_index=True, return_inverse=True)
    asked = np.zeros(len(contents), dtype=np.bool_)
    asked[rows[first]] = True
    same = np.stack([rows[first[content]], rows], axis=1)
    return asked, same[same[:, 0] != same[:, 1]]


def _leading(contents: NDArray[np.uint64]) -> NDArray[np.uint16]:
    leading: NDArray[np.uint16] = (contents >> np.uint64(64 - _LEADING_BITS)).astype(np.uint16)
    return leading


def one_of_equals(contents: NDArray[np.uint64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pairs with one row for all that have its content, however many posters are the same file.

    Args:
        contents: uint64, (n,), equal for equal files.
        pairs: int64, (m, 2), rows.

    Returns:
        int64, (k, 2), sorted, each pair once, none of equal contents.

    Example:
        >>> one_of_equals(np.array([5, 5, 7]), np.array([[0, 2], [1, 2], [0, 1]])).tolist()
        [[0, 2]]
    """
    rows, at = np.unique(pairs, return_inverse=True)
    _, first, content = np.unique(contents[rows], return_index=True, return_inverse=True)
    named: NDArray[np.int64] = np.sort(rows[first[content]][at.reshape(pairs.shape)], axis=1)
    return np.unique(named[named[:, 0] != named[:, 1]], axis=0)
