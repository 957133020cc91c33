"""Every poster as a point: alike posters lie near each other.

The map is one of a snapshot's files, so it is switched and verified with it.
It is laid out by a reindex; in between, new posters are placed among their
neighbours, so that the map people have learned stays. Of a catalog of more
than ``MOST_POINTS`` movies the most rated ones are shown.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.types import Rows

MAP_FILE = "map.npz"
MOST_POINTS = 20_000
_REFIT_SHARE = 0.2
_N_NEIGHBOURS = 5
_CHUNK = 1024


class MapFitter(Protocol):
    """Lays embeddings out in the plane."""

    def fit(self, visual: NDArray[np.float32]) -> tuple[NDArray[np.float32], str]:
        """Positions, float32, (n, 2), in [0, 1], of unit rows, (n, visual_dim), and the method's name."""
        ...


@dataclass(frozen=True)
class PosterMap:
    """Where posters lie.

    Args:
        movie_ids: n ids, sorted.
        positions: float32, (n, 2), each axis spans [0, 1].
        fingerprint: Encoder of the embeddings that were laid out.
        method: How, e.g. ``t-SNE``.
    """

    movie_ids: tuple[str, ...]
    positions: NDArray[np.float32]
    fingerprint: str
    method: str


def update_map(
    rows: Rows, fingerprint: str, before: PosterMap | None, fitter: MapFitter | None = None
) -> PosterMap | None:
    """The map of some rows: what is known of it stays, the rest is placed or laid out anew.

    Args:
        rows: Every row of the index.
        fingerprint: Encoder of their visual block.
        before: The map as it was.
        fitter: Lays the map out where there is none of this encoder, or a fifth of it is new.

    Returns:
        None where there is nothing to go on from and no fitter.
    """
    usable = before if before is not None and before.fingerprint == fingerprint else None
    if usable is None and fitter is None:
        return None
    shown = _shown(rows)
    wanted = tuple(rows.movie_ids[row] for row in shown.tolist())
    if usable is not None and usable.movie_ids == wanted:
        return usable
    visual = np.ascontiguousarray(rows.visual[shown], dtype=np.float32)
    if fitter is None or not _much_is_new(usable, wanted):
        placed = _placed(usable, wanted, visual) if usable is not None else None
        if placed is not None or fitter is None:
            return placed
    positions, method = fitter.fit(visual)
    return PosterMap(wanted, positions, fingerprint, method)


def map_bytes(poster_map: PosterMap) -> bytes:
    """The map as a file of numpy arrays."""
    out = io.BytesIO()
    np.savez(
        out,
        movie_ids=np.array([one.encode() for one in poster_map.movie_ids], dtype=np.bytes_),
        positions=poster_map.positions,
        about=np.array([poster_map.fingerprint.encode(), poster_map.method.encode()], dtype=np.bytes_),
    )
    return out.getvalue()


def parse_map(data: bytes) -> PosterMap:
    """The opposite of ``map_bytes``.

    Raises:
        SnapshotError: The bytes are no map.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            ids, positions, about = file["movie_ids"], file["positions"], file["about"]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SnapshotError(f"{MAP_FILE} is no map ({error}); run `onesheet reindex`.") from error
    if positions.shape != (len(ids), 2) or len(about) != 2:
        raise SnapshotError(f"{MAP_FILE} has {positions.shape} positions for {len(ids)} movies.")
    fingerprint, method = (one.decode() for one in about.tolist())
    return PosterMap(tuple(one.decode() for one in ids.tolist()), positions, fingerprint, method)


def _shown(rows: Rows) -> NDArray[np.int64]:
    """Rows that the map shows, by movie id: those with a poster, the most rated of a large catalog."""
    shown = np.flatnonzero(rows.known[:, 0])
    if len(shown) > MOST_POINTS:
        shown = shown[np.argsort(-rows.n_ratings[shown], kind="stable")[:MOST_POINTS]]
    return np.array(sorted(shown.tolist(), key=rows.movie_ids.__getitem__), dtype=np.int64)


def _much_is_new(before: PosterMap | None, wanted: tuple[str, ...]) -> bool:
    if before is None:
        return True
    return len(set(wanted).difference(before.movie_ids)) > _REFIT_SHARE * len(wanted)


def _placed(before: PosterMap, wanted: tuple[str, ...], visual: NDArray[np.float32]) -> PosterMap | None:
    """The old map with new posters at the median of their nearest old ones; None where no old one is left."""
    place = {movie_id: number for number, movie_id in enumerate(before.movie_ids)}
    at = np.array([place.get(movie_id, -1) for movie_id in wanted], dtype=np.int64)
    kept = at >= 0
    if not kept.any():
        return None
    positions = np.empty((len(wanted), 2), dtype=np.float32)
    positions[kept] = before.positions[at[kept]]
    known, new = visual[kept], np.flatnonzero(~kept)
    n_near = min(_N_NEIGHBOURS, len(known))
    for start in range(0, len(new), _CHUNK):
        chunk = new[start : start + _CHUNK]
        near = np.argpartition(-(visual[chunk] @ known.T), n_near - 1, axis=1)[:, :n_near]
        positions[chunk] = np.median(positions[kept][near], axis=1)
    return PosterMap(wanted, positions, before.fingerprint, before.method)
