"""Rows for a catalog of any size: real rows, mixed with near ones and jittered; clusters stay real."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.snapshots import SnapshotStore
from indexer.vectors.blocks import Widths, split

N_NEAR = 20
JITTER = 0.3
"""Length of the noise beside a unit row; a movie and its copy have a cosine of about 0.95."""
_CHUNK = 50_000


@dataclass(frozen=True)
class RealRows:
    """The rows of a real snapshot that have every signal.

    Args:
        joined: float32, (n, dim).
        widths: Of their blocks.
    """

    joined: NDArray[np.float32]
    widths: Widths


def read_real_rows(home: Path) -> RealRows:
    """Read the published snapshot of a home.

    Raises:
        ValueError: Nothing is published there.
    """
    snapshot = SnapshotStore(home / "index").open()
    if snapshot is None:
        raise ValueError(f"{home} has no snapshot; run `onesheet --home {home} reindex`.")
    joined = snapshot.index.read_rows(np.arange(len(snapshot.facts), dtype=np.int64))
    blocks = split(joined, snapshot.manifest.widths)
    whole = np.all([np.linalg.norm(block, axis=1) > 0 for block in blocks if block.shape[1]], axis=0)
    return RealRows(joined[whole], snapshot.manifest.widths)


def generate_rows(real: RealRows, n: int, seed: int = 0) -> NDArray[np.float32]:
    """Make n rows.

    Each is a real movie mixed with one of its 20 nearest by look, in look and
    in taste, and jittered; its genres are the movie's own (nine times in ten)
    or the neighbour's, unchanged: many movies share a genre vector.

    Returns:
        float32 numbers that half precision can hold, (n, dim).
    """
    rng = np.random.default_rng(seed)
    visual, genre, taste = split(real.joined, real.widths)
    near = _nearest(visual)
    rows = np.empty((n, real.joined.shape[1]), dtype=np.float32)
    for start in range(0, n, _CHUNK):
        m = min(_CHUNK, n - start)
        one = rng.integers(0, len(visual), m)
        other = near[one, rng.integers(0, N_NEAR, m)]
        own = rng.random((m, 1)) < 0.9
        blocks = [
            _mixed(visual, one, other, rng),
            np.where(own, genre[one], genre[other]),
            _mixed(taste, one, other, rng),
        ]
        rows[start : start + m] = np.concatenate(blocks, axis=1).astype(np.float16)
    return rows


def _mixed(
    block: NDArray[np.float32],
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Directions between two rows, jittered, as long as the first row is."""
    share = rng.uniform(0.5, 1.0, (len(one), 1)).astype(np.float32)
    lengths = np.linalg.norm(block[one], axis=1, keepdims=True)
    mixed = _unit(share * _unit(block[one]) + (1 - share) * _unit(block[other]))
    noise = rng.standard_normal(mixed.shape, dtype=np.float32) * np.float32(JITTER / mixed.shape[1] ** 0.5)
    rows: NDArray[np.float32] = _unit(mixed + noise) * lengths
    return rows


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


def _nearest(visual: NDArray[np.float32]) -> NDArray[np.int64]:
    """The 20 nearest other rows of each row, int64, (n, 20)."""
    near = np.empty((len(visual), N_NEAR), dtype=np.int64)
    for start in range(0, len(visual), 4096):
        scores = visual[start : start + 4096] @ visual.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        near[start : start + 4096] = np.argpartition(-scores, N_NEAR, axis=1)[:, :N_NEAR]
    return near
