"""What a rated list says: which movies a person liked, and which not."""

from __future__ import annotations

from collections.abc import Sequence

from embeddings.errors import InvalidRequestError
from recommender.types import RatedMovie

LIKED_FROM, UNLIKED_TO = 3.5, 2.0
DISLIKE_SHARE = 0.1
"""How much low ratings count beside high ones: people rate low what they chose to watch, so a low
rating says little against what is like it (``benchmarks/for_a_person.py``)."""


def split_ratings(ratings: Sequence[RatedMovie]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a rated list into liked and unliked movies.

    A person who rates everything high or everything low still likes some
    movies best: with nothing at 3.5 or more, those with the highest value count as liked.

    Args:
        ratings: Values from 0.5 to 5; of several for one movie the last stands.

    Returns:
        Ids of liked and of unliked movies, each in the order given.

    Raises:
        InvalidRequestError: A value is not from 0.5 to 5, or the list is empty.

    Example:
        >>> split_ratings([RatedMovie("tt1", 5.0), RatedMovie("tt2", 1.0), RatedMovie("tt3", 3.0)])
        (('tt1',), ('tt2',))
    """
    values = {rating.movie_id: rating.value for rating in ratings}
    for movie_id, value in values.items():
        if not 0.5 <= value <= 5:
            raise InvalidRequestError(
                f"the rating of {movie_id} is {value}, expected 0.5 to 5.", field="ratings"
            )
    if not values:
        raise InvalidRequestError(
            "none of the rated movies is in the index; rate one that is.", field="ratings"
        )
    least = min(LIKED_FROM, max(values.values()))
    liked = tuple(movie_id for movie_id, value in values.items() if value >= least)
    unliked = tuple(m for m, value in values.items() if value <= UNLIKED_TO and m not in liked)
    return liked, unliked
