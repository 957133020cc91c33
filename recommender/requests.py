"""What may be asked: the limits of a request, checked before anything is searched."""

from __future__ import annotations

import math

from embeddings.errors import InvalidRequestError
from recommender.types import SimilarRequest

MAX_K = 200
MAX_MOVIES = 1_000
SERIES = ("first", "neutral", "hide")


def check_request(request: SimilarRequest) -> None:
    """Refuse a request that cannot be answered.

    Raises:
        InvalidRequestError: ``field`` names the value that is outside what is allowed.
    """
    if not request.like and request.poster is None:
        raise InvalidRequestError(
            "nothing to be similar to was given: name a movie or send a poster.", "like"
        )
    if not 1 <= request.k <= MAX_K:
        raise InvalidRequestError(f"k is {request.k}, expected 1 to {MAX_K}.", "k")
    if not _is_share(request.diversity):
        raise InvalidRequestError(f"diversity is {request.diversity}, expected 0 to 1.", "diversity")
    least = request.filters.min_score
    if least is not None and not _is_share(least):
        raise InvalidRequestError(f"the least score is {least}, expected 0 to 1.", "min_score")
    if request.series not in SERIES:
        raise InvalidRequestError(f"series is {request.series!r}, expected {', '.join(SERIES)}.", "series")
    n = len(request.like) + len(request.unlike)
    if n > MAX_MOVIES:
        raise InvalidRequestError(f"{n} movies were named, at most {MAX_MOVIES} are compared.", "like")
    both = sorted(set(request.like) & set(request.unlike))
    if both:
        raise InvalidRequestError(f"{both[0]} cannot be liked and unliked at once; keep one.", "unlike")


def _is_share(value: float) -> bool:
    return math.isfinite(value) and 0 <= value <= 1
