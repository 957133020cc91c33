"""Every poster as a point: alike posters lie near each other.

The positions are fitted after a reindex and kept in a file that may be
deleted at any time. A few new posters are placed among their neighbours, so
that the map people have learned stays; it is fitted anew when much changed.
Of a catalog of more than ``MOST_POINTS`` movies the most rated ones are shown.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.types import Facts

if TYPE_CHECKING:
    # The web reads maps as it starts, and faiss would come with the view.
    from indexer.view import IndexView

METHOD = "t-SNE"
MOST_POINTS = 20_000
MAP_NAME = "map.npz"
_PERPLEXITY = 30.0
_LEAST = 8  # fewer points than this make no map worth fitting
_REFIT_SHARE = 0.2
_N_NEIGHBOURS = 5
_CHUNK = 1024


@dataclass(frozen=True)
class PosterMap:
    """Where posters lie.

    Args:
        movie_ids: n ids, sorted.
        positions: float32, (n, 2), each axis spans [0, 1].
        fingerprint: Encoder of the embeddings that were laid out.
        method: How: ``t-SNE``, or ``PCA`` for a handful of posters.
    """

    movie_ids: tuple[str, ...]
    positions: NDArray[np.float32]
    fingerprint: str
    method: str


def refresh_map(view: IndexView, path: Path) -> PosterMap:
    """Bring the map at ``path`` up to date with what is searchable, and save it where it changed."""
    rows = view.find_rows(_shown_ids(view.facts))
    known = rows.known[:, 0]
    wanted = tuple(one for one, there in zip(rows.movie_ids, known.tolist(), strict=True) if there)
    visual = np.ascontiguousarray(rows.visual[known], dtype=np.float32)
    old = load_map(path)
    if old is not None and old.movie_ids == wanted and old.fingerprint == view.manifest.fingerprint:
        return old
    fresh = None if old is None else _extended(old, wanted, visual, view.manifest.fingerprint)
    if fresh is None:
        positions, method = fit_positions(visual)
        fresh = PosterMap(wanted, positions, view.manifest.fingerprint, method)
    save_map(fresh, path)
    return fresh


def fit_positions(visual: NDArray[np.float32], seed: int = 0) -> tuple[NDArray[np.float32], str]:
    """Lay embeddings out in the plane.

    Args:
        visual: float32, (n, visual_dim), unit rows.
        seed: Of the fit.

    Returns:
        Positions, float32, (n, 2), in [0, 1], and the name of the method.

    Source:
        L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008; P. Poličar et al.,
        "openTSNE: a modular Python library for t-SNE", 2019.
    """
    if len(visual) < _LEAST:
        return _scaled(_principal(visual)), "PCA"
    # Imported here: only a reindex that changed something needs it.
    from openTSNE import TSNE

    perplexity = min(_PERPLEXITY, (len(visual) - 1) / 3)
    fitted = TSNE(perplexity=perplexity, metric="cosine", initialization="pca", random_state=seed).fit(visual)
    return _scaled(np.asarray(fitted, dtype=np.float64)), METHOD


def save_map(poster_map: PosterMap, path: Path) -> None:
    """Write the map aside and put it in place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez_compressed(
                file,
                movie_ids=np.array([one.encode() for one in poster_map.movie_ids], dtype=np.bytes_),
                positions=poster_map.positions,
                about=np.array(
                    [poster_map.fingerprint.encode(), poster_map.method.encode()], dtype=np.bytes_
                ),
            )
        Path(aside).replace(path)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise


def load_map(path: Path) -> PosterMap | None:
    """Read the map; None where none was saved or the file is not one."""
    try:
        with path.open("rb") as data, np.load(data, allow_pickle=False) as file:
            ids, positions, about = file["movie_ids"], file["positions"], file["about"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if positions.shape != (len(ids), 2) or len(about) != 2:
        return None
    fingerprint, method = (one.decode() for one in about.tolist())
    return PosterMap(tuple(one.decode() for one in ids.tolist()), positions, fingerprint, method)


def _shown_ids(facts: Facts) -> list[str]:
    """Movies that the map shows, sorted: all of them, or the most rated of a large catalog."""
    live = np.flatnonzero(facts.live)
    if len(live) > MOST_POINTS:
        live = live[np.argsort(-facts.n_ratings[live], kind="stable")[:MOST_POINTS]]
    return sorted(one.decode() for one in facts.movie_ids[live].tolist())


def _extended(
    old: PosterMap, wanted: tuple[str, ...], visual: NDArray[np.float32], fingerprint: str
) -> PosterMap | None:
    """The old map with new posters placed among their neighbours; None where too much is new."""
    place = {movie_id: number for number, movie_id in enumerate(old.movie_ids)}
    at = np.array([place.get(movie_id, -1) for movie_id in wanted], dtype=np.int64)
    kept = at >= 0
    if old.fingerprint != fingerprint or not kept.any() or (~kept).sum() > _REFIT_SHARE * len(wanted):
        return None
    positions = np.empty((len(wanted), 2), dtype=np.float32)
    positions[kept] = old.positions[at[kept]]
    known, new = visual[kept], np.flatnonzero(~kept)
    for start in range(0, len(new), _CHUNK):
        chunk = new[start : start + _CHUNK]
        near = np.argsort(-(visual[chunk] @ known.T), axis=1, kind="stable")[:, :_N_NEIGHBOURS]
        positions[chunk] = np.median(positions[kept][near], axis=1)
    return PosterMap(wanted, positions, fingerprint, old.method)


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
