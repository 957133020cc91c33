"""What the catalog changed since a snapshot: a small exact index over it, and the rows it hides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.columns import genre_bits_dtype, known_bits
from indexer.types import Facts, Rows
from indexer.vectors.blocks import Widths, join


@dataclass(frozen=True)
class Overlay:
    """Rows newer than a snapshot; immutable, a change makes a new one.

    Args:
        revision: Catalog revision it is complete for.
        rows: New and changed movies, sorted by id.
        facts: Their facts, in the same order.
        joined: float32, (n, dim), the rows as the snapshot would store them, in half precision.
        gone: Movies of the snapshot that are hidden: removed, or replaced by a row here.
    """

    revision: int
    rows: Rows
    facts: Facts
    joined: NDArray[np.float32]
    gone: frozenset[str]

    def __len__(self) -> int:
        return len(self.rows)


def make_overlay(revision: int, rows: Rows, facts: Facts, gone: frozenset[str]) -> Overlay:
    """Sort rows by movie id and set their blocks side by side."""
    order = np.argsort(facts.movie_ids, kind="stable")
    rows, facts = rows.take(order), facts.take(order)
    whole = replace(facts, live=np.ones(len(rows), dtype=np.bool_), known=known_bits(rows.known))
    return Overlay(revision, rows, whole, join(rows).astype(np.float16).astype(np.float32), gone)


def empty_overlay(revision: int, widths: Widths) -> Overlay:
    """No change since ``revision``."""
    visual, genre, taste = (np.empty((0, width), dtype=np.float32) for width in widths)
    rows = Rows((), visual, genre, taste, np.empty((0, 3), dtype=np.bool_), np.empty(0, dtype=np.int32))
    facts = Facts(
        np.empty(0, dtype="S1"),
        np.empty(0, dtype=np.int16),
        np.empty(0, dtype=genre_bits_dtype(widths[1])),
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.bool_),
        np.empty(0, dtype=np.uint8),
    )
    return make_overlay(revision, rows, facts, frozenset())


def renew_overlay(
    overlay: Overlay, revision: int, rows: Rows, facts: Facts, touched: Collection[str]
) -> Overlay:
    """Bring an overlay up to a newer revision.

    Args:
        overlay: What stood before.
        revision: Catalog revision that the new rows were read at.
        rows: Rows of the touched movies that have one.
        facts: Their facts, in the same order.
        touched: Every movie that changed or left in between.
    """
    fresh = frozenset(touched)
    kept = np.array([i for i, one in enumerate(overlay.rows.movie_ids) if one not in fresh], dtype=np.int64)
    return make_overlay(
        revision,
        Rows.concatenate((overlay.rows.take(kept), rows)),
        Facts.concatenate((overlay.facts.take(kept), facts)),
        overlay.gone | fresh,
    )
