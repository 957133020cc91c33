"""Lists that are not ten times the same: maximal marginal relevance, and one of each artwork."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows
from recommender.blend import Scale, blocks_of
from recommender.types import Weights


def mmr_order(
    scores: NDArray[np.float64], similarities: NDArray[np.float64], diversity: float, k: int
) -> list[int]:
    """Pick k candidates one by one: alike to the query, unlike those already picked.

    Each step takes the candidate with the highest
    (1 - diversity) * score - diversity * (highest similarity to a picked one).

    Args:
        scores: Relevance, (n,), on the scale of ``similarities``.
        similarities: Between candidates, (n, n).
        diversity: 0 keeps the order of the scores, 1 looks at novelty alone.
        k: How many at most.

    Returns:
        Positions of the picked candidates; of equal ones the earlier first.

    Source:
        J. Carbonell and J. Goldstein, "The Use of MMR", SIGIR 1998.

    Example:
        >>> import numpy as np
        >>> twins = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> mmr_order(np.array([0.9, 0.89, 0.5]), twins, 0.5, 3)
        [0, 2, 1]
    """
    # With nothing picked yet novelty says nothing: the closest movie opens the list.
    picked = [int(np.argmax(scores))] if len(scores) and k > 0 else []
    remaining = [i for i in range(len(scores)) if i not in picked]
    nearest_picked = similarities[picked[0]].copy() if picked else np.zeros(0)
    while remaining and len(picked) < k:
        gain = (1 - diversity) * scores[remaining] - diversity * nearest_picked[remaining]
        best = remaining.pop(int(np.argmax(gain)))
        picked.append(best)
        nearest_picked = np.maximum(nearest_picked, similarities[best])
    return picked


def blended_similarities(rows: Rows, weights: Weights, scale: Scale) -> NDArray[np.float64]:
    """Blended similarity of every pair of movies as a share of an identical pair's.

    A block that one of a pair lacks counts as the mean of random pairs.

    Returns:
        float64, (n, n), symmetric, at most 1.
    """
    shares = np.asarray(weights.as_tuple()) / scale.spreads
    total = np.zeros((len(rows), len(rows)))
    for i, block in enumerate(blocks_of(rows)):
        if shares[i] > 0:
            known = np.outer(rows.known[:, i], rows.known[:, i])
            total += shares[i] * np.where(known, block.astype(np.float64) @ block.T, scale.means[i])
    similarities: NDArray[np.float64] = total / shares.sum()
    return similarities


def first_of_each(groups: NDArray[np.int32], taken: set[int]) -> list[int]:
    """Positions of the first row of each group, in order.

    Args:
        groups: Group of each row; a negative number is a group of its own.
        taken: Groups that must not appear at all, such as the query's.

    Example:
        >>> import numpy as np
        >>> first_of_each(np.array([7, -1, 7, 3, -1], dtype=np.int32), {3})
        [0, 1, 4]
    """
    seen = set(taken)
    kept = []
    for position, group in enumerate(groups.tolist()):
        if group < 0 or group not in seen:
            kept.append(position)
            seen.add(group)
    return kept
