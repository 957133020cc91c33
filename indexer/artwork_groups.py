"""Groups of posters that show one picture, kept where nothing changed and found anew where something did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embeddings.artwork import join_groups


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
