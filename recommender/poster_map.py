"""How posters are laid out in the plane, and the map of an index as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.poster_map import PosterMap, update_map

if TYPE_CHECKING:
    # The web reads maps as it starts, and faiss would come with the view.
    from indexer.view import IndexView

METHOD = "t-SNE"
_PERPLEXITY = 30.0
_LEAST = 8  # fewer points than this make no map worth fitting


class MapDrawer:
    """Lays posters out by t-SNE, a handful of them by their principal axes.

    Args:
        seed: Of the fit.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def fit(self, visual: NDArray[np.float32]) -> tuple[NDArray[np.float32], str]:
        """Lay embeddings out in the plane.

        Args:
            visual: float32, (n, visual_dim), unit rows.

        Returns:
            Positions, float32, (n, 2), in [0, 1], and the name of the method.

        Source:
            L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008; P. Poličar et al.,
            "openTSNE: a modular Python library for t-SNE", 2019.
        """
        if len(visual) < _LEAST:
            return _scaled(_principal(visual)), "PCA"
        # Imported here: only a reindex that changed much needs it.
        from openTSNE import TSNE

        perplexity = min(_PERPLEXITY, (len(visual) - 1) / 3)
        drawer = TSNE(
            perplexity=perplexity,
            metric="cosine",
            initialization="pca",
            random_state=self._seed,
            n_jobs=-1,
        )
        return _scaled(np.asarray(drawer.fit(visual), dtype=np.float64)), METHOD


def current_map(view: IndexView) -> PosterMap | None:
    """The snapshot's map with what came since placed among its neighbours; None without one."""
    stored = view.poster_map
    if stored is None or not view.overlay_size:
        return stored
    live = [one.decode() for one in view.facts.movie_ids[view.facts.live].tolist()]
    return update_map(view.find_rows(live), view.manifest.fingerprint, stored)


def _principal(visual: NDArray[np.float32]) -> NDArray[np.float64]:
    centred = visual.astype(np.float64) - (visual.mean(axis=0) if len(visual) else 0.0)
    axes = np.zeros((len(visual), 2))
    if len(visual) > 1:
        left, strengths, _ = np.linalg.svd(centred, full_matrices=False)
        n = min(2, len(strengths))
        axes[:, :n] = left[:, :n] * strengths[:n]
    return axes


def _scaled(positions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Each axis into [0, 1]: only who is near whom has a meaning, not the axes."""
    if not len(positions):
        return np.empty((0, 2), dtype=np.float32)
    low, high = positions.min(axis=0), positions.max(axis=0)
    spread: NDArray[np.float64] = (positions - low) / np.maximum(high - low, 1e-12)
    return spread.astype(np.float32)
