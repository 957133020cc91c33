"""What a snapshot's scores are compared with: its random pairs, measured once and kept."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from indexer.reader import IndexView
from indexer.types import Rows
from recommender.blend import Scale
from recommender.percentiles import Percentiles, SetShape, pair_percentiles, set_percentiles
from recommender.types import Weights

_SAMPLE_SEED = 20_002
_N_SAMPLE = 2_000


class Reference:
    """Scale and percentiles of one view; threads may share it.

    Args:
        view: The index as it is now.
    """

    def __init__(self, view: IndexView) -> None:
        pairs = view.random_pairs()
        self.scale = Scale.of_pairs(pairs, view.manifest.spreads)
        # Every question at new weights blends them, in float64.
        self._wide_pairs = pairs.astype(np.float64)
        # Caches of methods would hold this object, and it them: the mapped files of its snapshot would
        # stay open long after the next one came, until the garbage collector looks that far.
        of_pairs = functools.partial(pair_percentiles, self._wide_pairs, scale=self.scale)
        of_sets = functools.partial(_of_sets, functools.cache(functools.partial(_draw, view)), self.scale)
        self._pair_percentiles = functools.lru_cache(maxsize=32)(of_pairs)
        self._set_percentiles = functools.lru_cache(maxsize=32)(of_sets)
        self._signal_percentiles = [Percentiles(self._wide_pairs[:, i].copy(), 1.0) for i in range(3)]

    def percentiles(self, weights: Weights, shape: SetShape) -> Percentiles:
        """The map from blended score to percentile for a query of this shape."""
        if shape.n_like == 1 and shape.n_unlike == 0:
            return self._pair_percentiles(weights)
        rounded = replace(shape, n_like=_round_size(shape.n_like), n_unlike=_round_size(shape.n_unlike))
        return self._set_percentiles(weights, rounded)

    def signal_shares(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Share of random pairs below each cosine, by signal: float64, (n, 3); NaN where unknown."""
        shares = [self._signal_percentiles[i].share_below(columns[:, i].astype(np.float64)) for i in range(3)]
        return np.where(np.isnan(columns), np.nan, np.stack(shares, axis=1))


class References:
    """The reference of the snapshot in use; a new snapshot brings a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[tuple[str, int], Reference] | None = None

    def of(self, view: IndexView) -> Reference:
        """The reference of a view; movies that came after its snapshot do not change it."""
        # Without a snapshot the manifest describes the catalog, whose revision then tells two apart.
        key = (view.manifest.name, view.manifest.revision)
        with self._lock:
            if self._held is None or self._held[0] != key:
                self._held = (key, Reference(view))
            return self._held[1]


def _draw(view: IndexView) -> Rows:
    """Random movies of a view, the same ones each time."""
    facts = view.facts
    live = np.flatnonzero(facts.live)
    rng = np.random.default_rng(_SAMPLE_SEED)
    chosen = rng.choice(live, size=min(_N_SAMPLE, len(live)), replace=False)
    return view.find_rows([facts.movie_ids[i].decode() for i in np.sort(chosen)])


def _of_sets(sample: Callable[[], Rows], scale: Scale, weights: Weights, shape: SetShape) -> Percentiles:
    return set_percentiles(sample(), shape, weights, scale)


def _round_size(n: int) -> int:
    """A size near ``n`` of few different ones: the spread of a mean over 50 is that over 55 within 5 %."""
    step = 1 << max(0, n.bit_length() - 4)
    return n // step * step
