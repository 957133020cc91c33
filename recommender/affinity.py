"""Which movies people rate alike: a likeness that owes nothing to when they were rated.

People rate together what was new when they joined, so being liked by the same
people says much about the years of two movies. How alike people rate them,
beyond what each person and each movie explains, does not; it is known of pairs
that many rated, and lifts those into the opening of a default list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from indexer.affinities import Affinities

LIFT = 20.0
"""What a strength of 1 adds to the score of two movies with the same genres."""
_KIND_POWER = 6
"""How quickly a lift falls with the cosine of the genres: by the square it cost the order twice as much."""
MOST_LIFTED = 20
"""Movies that one of them lifts at most, the strongest."""


def strengths_of(affinities: Affinities | None, movie_ids: Sequence[str]) -> dict[str, float]:
    """Movies that people rate like those of a query, with the mean of their strengths.

    Args:
        affinities: Of the index; None where nobody looked.
        movie_ids: The movies of the query.

    Returns:
        At most ``MOST_LIFTED`` movies, the strongest; none of the query's own.
    """
    if affinities is None:
        return {}
    if len(movie_ids) == 1:
        return dict(islice(affinities.strengths(movie_ids[0]).items(), MOST_LIFTED))
    found: dict[str, float] = {}
    for movie_id in movie_ids:
        for other, strength in affinities.strengths(movie_id).items():
            found[other] = found.get(other, 0.0) + strength / len(movie_ids)
    strongest = sorted(found.keys() - set(movie_ids), key=lambda one: (-found[one], one))[:MOST_LIFTED]
    return {movie_id: found[movie_id] for movie_id in strongest}


def lifts(strengths: NDArray[np.floating], genre_cosines: NDArray[np.floating]) -> NDArray[np.float64]:
    """What affinity adds to blended scores.

    People may rate alike what has little in common but its rank; so it counts by how
    much two movies are of one kind, and of unknown kind not at all.

    Args:
        strengths: (n,) or any shape; 0 without affinity.
        genre_cosines: The same shape, NaN where unknown.
    """
    alike = np.where(genre_cosines > 0, genre_cosines, 0.0)  # NaN is not above 0
    return np.asarray(LIFT * strengths * alike**_KIND_POWER, dtype=np.float64)


def lift_of(
    strengths: Mapping[str, float], movie_ids: Sequence[str], columns: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The same for candidates of a query: their ids, and cosines by signal, (n, 3)."""
    mine = np.array([strengths.get(movie_id, 0.0) for movie_id in movie_ids])
    return lifts(mine, columns[:, 1])
