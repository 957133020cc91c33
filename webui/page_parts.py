"""Small parts that pages share: what a poster says, how close a neighbour is, where a panel asks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from flask import url_for

N_PREDICTED = 8


@dataclass(frozen=True)
class Predicted:
    """One row of what a poster says."""

    genre: str
    probability: float
    chosen: bool


def predicted_rows(probs: dict[str, float], chosen: tuple[str, ...]) -> list[Predicted]:
    """The likeliest genres, and every chosen one, likeliest first."""
    ranked = sorted(probs.items(), key=lambda item: (-item[1], item[0]))
    return [
        Predicted(genre, probability, genre in chosen)
        for rank, (genre, probability) in enumerate(ranked)
        if rank < N_PREDICTED or genre in chosen
    ]


@dataclass(frozen=True)
class PanelPlace:
    """Where a panel asks.

    Args:
        action: The page itself.
        url: The API's URL for the same.
        sends: What the API takes: ``query``, ``json`` or ``poster``.
    """

    action: str
    url: str
    sends: str

    @classmethod
    def of(cls, page: str, view: str, sends: str, **values: Any) -> PanelPlace:
        """The place of a page and a view of the API that take the same values."""
        return cls(url_for(f"pages.{page}", **values), url_for(f"similar.{view}", **values), sends)


def closeness(percentile: float) -> str:
    """How close two movies are among random pairs, in words.

    Example:
        >>> closeness(99.96), closeness(87.2), closeness(0.4)
        ('closest 1 in 2,500', 'closer than 87 %', 'no closer than most')
    """
    if percentile < 50:
        return "no closer than most"
    if percentile < 99:
        return f"closer than {math.floor(percentile)} %"
    one_in = 100 / max(100 - percentile, 0.01)  # a snapshot keeps some ten thousand pairs to compare with
    return f"closest 1 in {int(float(f'{one_in:.2g}')):,}"
