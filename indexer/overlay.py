"""What the catalog changed since a snapshot: a small exact index over it, and the rows it hides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.columns import known_bits
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
    whole = Facts(
        facts.movie_ids,
        facts.years,
        facts.genre_bits,
        facts.artwork_groups,
        facts.n_ratings,
        np.ones(len(rows), dtype=np.bool_),
        known_bits(rows.known),
    )
    return Overlay(revision, rows, whole, join(rows).astype(np.float16).astype(np.float32), gone)


def empty_overlay(revision: int, widths: Widths) -> Overlay:
    """No change since ``revision``."""
    visual, genre, taste = (np.empty((0, width), dtype=np.float32) for width in widths)
    rows = Rows((), visual, genre, taste, np.empty((0, 3), dtype=np.bool_), np.empty(0, dtype=np.int32))
    facts = Facts(
        np.empty(0, dtype="S1"),
        np.empty(0, dtype=np.int16),
        np.empty(0, dtype=np.uint64),
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
        concatenate_rows(overlay.rows.take(kept), rows),
        concatenate_facts(overlay.facts.take(kept), facts, rows.known),
        overlay.gone | fresh,
    )


def concatenate_rows(first: Rows, second: Rows) -> Rows:
    """Rows of the first, then of the second; both have the same widths."""
    return Rows(
        first.movie_ids + second.movie_ids,
        np.concatenate([first.visual, second.visual]),
        np.concatenate([first.genre, second.genre]),
        np.concatenate([first.taste, second.taste]),
        np.concatenate([first.known, second.known]),
        np.concatenate([first.n_ratings, second.n_ratings]),
    )


def concatenate_facts(first: Facts, second: Facts, second_known: NDArray[np.bool_] | None = None) -> Facts:
    """Facts of the first, then of the second, whose known blocks may be given as bool (n, 3)."""
    known = second.known if second_known is None else known_bits(second_known)
    return Facts(
        np.concatenate([first.movie_ids, second.movie_ids]),
        np.concatenate([first.years, second.years]),
        np.concatenate([first.genre_bits, second.genre_bits]),
        np.concatenate([first.artwork_groups, second.artwork_groups]),
        np.concatenate([first.n_ratings, second.n_ratings]),
        np.concatenate([first.live, second.live]),
        np.concatenate([all_known(first), known if known is not None else all_known(second)]),
    )


def all_known(facts: Facts) -> NDArray[np.uint8]:
    """The ``known`` column, written out where it stands for every block of every row."""
    return np.full(len(facts), 7, dtype=np.uint8) if facts.known is None else facts.known
