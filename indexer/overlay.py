"""What the catalog changed since a snapshot: a small exact index over it, and the rows it hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.columns import find_sorted, genre_bits_dtype, known_bits
from indexer.types import Facts, Rows
from indexer.vectors.blocks import Widths, join


@dataclass(frozen=True)
class Overlay:
    """Rows newer than a snapshot; immutable, a change makes a new one.

    Args:
        revision: Catalog revision it is complete for.
        facts: Facts of new and changed movies, sorted by id.
        joined: float32, (n, dim), their rows as the snapshot would store them, in half precision.
        hidden: int64, rows of the snapshot that are removed, or replaced by a row here; sorted.
    """

    revision: int
    facts: Facts
    joined: NDArray[np.float32]
    hidden: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.facts)


def empty_overlay(revision: int, widths: Widths) -> Overlay:
    """No change since ``revision``."""
    facts = Facts(
        np.empty(0, dtype="S1"),
        np.empty(0, dtype=np.int16),
        np.empty(0, dtype=genre_bits_dtype(widths[1])),
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.bool_),
        np.empty(0, dtype=np.uint8),
    )
    nothing = np.empty((0, sum(widths)), dtype=np.float32)
    return Overlay(revision, facts, nothing, np.empty(0, dtype=np.int64))


@dataclass(frozen=True)
class News:
    """What the catalog changed after an overlay.

    Args:
        revision: Catalog revision that it was read at.
        rows: Rows of the touched movies that have one, sorted by movie id.
        facts: Their facts, in the same order.
        touched: Every movie that changed or left.
    """

    revision: int
    rows: Rows
    facts: Facts
    touched: Sequence[str]


def renew_overlay(overlay: Overlay, news: News, base_ids: NDArray[np.bytes_]) -> Overlay:
    """Bring an overlay up to a newer revision, making new what is new: each ``PUT`` is such a step.

    Args:
        overlay: What stood before.
        news: What changed since.
        base_ids: Movies of the snapshot, sorted.
    """
    old, joined = overlay.facts, overlay.joined
    replaced = find_sorted(old.movie_ids, news.touched)
    if (replaced >= 0).any():
        kept = np.setdiff1d(np.arange(len(overlay)), replaced)
        old, joined = old.take(kept), joined[kept]
    live = np.ones(len(news.rows), dtype=np.bool_)
    facts = Facts.concatenate((old, replace(news.facts, live=live, known=known_bits(news.rows.known))))
    added = join(news.rows).astype(np.float16).astype(np.float32)
    hidden = find_sorted(base_ids, news.touched)
    return Overlay(
        news.revision,
        facts.take(np.argsort(facts.movie_ids, kind="stable")),
        np.insert(joined, np.searchsorted(old.movie_ids, news.facts.movie_ids), added, axis=0),
        np.union1d(overlay.hidden, hidden[hidden >= 0]),
    )
