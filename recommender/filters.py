"""Which rows may answer a question that asks for genres or years."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.types import Facts
from recommender.types import Filters


def allowed_rows(facts: Facts, genres: Sequence[str], filters: Filters) -> NDArray[np.bool_] | None:
    """Rows that pass the filters on genres and years.

    Args:
        facts: Columns of the view.
        genres: The index's genres, in column order.
        filters: What is asked; ids and scores are not looked at here.

    Returns:
        bool, (n_rows,); None when every row may answer. A movie of unknown year passes no year filter.

    Raises:
        InvalidRequestError: A genre is not in the index, or the years are the wrong way round.
    """
    if filters.year_min is not None and filters.year_max is not None and filters.year_min > filters.year_max:
        raise InvalidRequestError(
            f"the years {filters.year_min}-{filters.year_max} end before they begin; swap them.",
            field="years",
        )
    if not filters.genres and filters.year_min is None and filters.year_max is None:
        return None
    bits = _genre_bits(genres, filters.genres).astype(facts.genre_bits.dtype)
    mask: NDArray[np.bool_] = facts.live & (np.bitwise_and(facts.genre_bits, bits) == bits)
    if filters.year_min is not None or filters.year_max is not None:
        mask &= facts.years != 0
    if filters.year_min is not None:
        mask &= facts.years >= filters.year_min
    if filters.year_max is not None:
        mask &= facts.years <= filters.year_max
    return mask


def _genre_bits(genres: Sequence[str], wanted: Sequence[str]) -> np.uint64:
    columns = {genre.casefold(): i for i, genre in enumerate(genres)}
    bits = 0
    for genre in wanted:
        if genre.casefold() not in columns:
            raise InvalidRequestError(
                f"no genre is called {genre!r} here; the genres are {', '.join(genres)}.", field="genres"
            )
        bits |= 1 << columns[genre.casefold()]
    return np.uint64(bits)
