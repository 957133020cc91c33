"""Default weights, by how much is known of what is asked.

A default list is in the order that finds best what people liked, but for its
opening: that is what somebody reads, so the movies nearest in kind among the
first come to the front. Both weightings are learned (``learned_weights.py``);
weights that somebody asks for order the whole list.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from recommender.types import Weights

WELL_RATED = 10
"""Ratings from which a movie's own taste outweighs the predicted one."""

KNOWLEDGE = ("rated", "few", "unrated", "rated_untold", "few_untold", "unrated_untold", "poster")
"""What can be known of a query: rated well, rated little or not at all; of each, whether its genres were told
or are what its poster looks like; or only a picture, of which nobody even tells the year."""

OPENING = 10
"""Movies at the top of a default list that are in the order of its opening weights."""

POOL = 50
"""Nearest movies by the weights of the rest, of which those that open a list are chosen: one search
finds both parts, and an opening of more movies was no better (``docs/quality.md``)."""

BUILT_IN: Mapping[str, tuple[float, float, float]] = {
    "rated": (0.05, 0.15, 0.80),
    "few": (0.15, 0.25, 0.60),
    "unrated": (0.25, 0.45, 0.30),
    "rated_untold": (0.10, 0.10, 0.80),
    "few_untold": (0.25, 0.20, 0.55),
    "unrated_untold": (0.40, 0.35, 0.25),
    "poster": (0.40, 0.35, 0.25),
}
"""Weights of a catalog that learned none of its own."""


def rated_kind(n_ratings: float) -> str:
    """``rated``, ``few`` or ``unrated``."""
    if n_ratings >= WELL_RATED:
        return "rated"
    return "few" if n_ratings > 0 else "unrated"


def untold_of(knowledge: str) -> str:
    """The same knowledge without genres."""
    return f"{knowledge}_untold"


def knowledge_of(n_ratings: Sequence[int], told: Sequence[bool]) -> str:
    """How much is known of a query: one of ``KNOWLEDGE``; of several movies the median counts.

    Args:
        n_ratings: Of each movie of the query; none where it is a picture alone.
        told: Whether the catalog knows genres of each.
    """
    if not n_ratings:
        return "poster"
    kind = rated_kind(statistics.median(n_ratings))
    return kind if statistics.median(told) >= 0.5 else untold_of(kind)


def default_weights(learned: Mapping[str, tuple[float, float, float]], knowledge: str) -> Weights:
    """Default weights of a catalog for what is known of the query.

    Args:
        learned: ``default_weights`` of the manifest: weights by ``KNOWLEDGE``, and ``default`` for the rest.
        knowledge: One of ``KNOWLEDGE``.
    """
    found = learned.get(knowledge) or learned.get("default") or BUILT_IN[knowledge]
    return Weights(*found)


def rest_weights(learned: Mapping[str, tuple[float, float, float]], knowledge: str) -> Weights | None:
    """Default weights of what follows the opening; None where one order holds throughout."""
    found = learned.get(rest_of(knowledge))
    return None if found is None else Weights(*found)


def rest_of(knowledge: str) -> str:
    """The name under which ``default_weights`` has the weights of what follows the opening."""
    return f"{knowledge}_rest"
