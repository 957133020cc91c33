"""Movies of whose poster a picture is a copy: there the picture asks as the movie itself."""

from __future__ import annotations

from indexer.reader import IndexView
from indexer.types import Rows
from recommender.blend import Scale
from recommender.search import Query, find_candidates
from recommender.types import Weights

COPY_COSINE = 0.98
"""Look from which two pictures are one poster: other sizes and compressions of one have .99, the nearest
poster of another movie at most .973 (``benchmarks/poster_copies.py``)."""
_MOST = 5


def find_copies(view: IndexView, picture: Rows, scale: Scale) -> dict[str, float]:
    """Movies whose poster the picture is, nearest first, with the cosine of their looks.

    Args:
        view: The index.
        picture: The row of a picture.
        scale: Of the index.
    """
    if not picture.known[0, 0]:
        return {}
    near = find_candidates(view, Query(picture, None, Weights(1.0, 0.0, 0.0), scale), _MOST)
    looks = near.columns[:, 0].astype(float).tolist()
    return {
        movie_id: min(look, 1.0)
        for movie_id, look in zip(near.rows.movie_ids, looks, strict=True)
        if look >= COPY_COSINE
    }
