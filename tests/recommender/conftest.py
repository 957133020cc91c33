"""A small catalog with known answers, and the index over it searched by brute force."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import NotFoundError
from indexer.reader import IndexView
from indexer.types import Facts, Neighbours, Rows, SnapshotManifest

GENRES = ("Action", "Comedy", "Drama", "Horror", "Romance", "Sci-Fi")


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of length 1; zero rows stay zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0).astype(np.float32)


def random_rows(n: int = 120, seed: int = 3, all_known: bool = True) -> Rows:
    """Movies in ten clusters; without ``all_known`` every fifth lacks its poster, every seventh its taste."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(10, size=n)
    visual = unit(rng.normal(size=(10, 16))[cluster] + 0.6 * rng.normal(size=(n, 16)))
    genre = unit((rng.random((10, len(GENRES))) < 0.4)[cluster] + (rng.random((n, len(GENRES))) < 0.2) + 1e-9)
    taste = unit(rng.normal(size=(10, 8))[cluster] + 0.5 * rng.normal(size=(n, 8)))
    known = np.ones((n, 3), dtype=bool)
    if not all_known:
        known[::5, 0] = False
        known[::7, 2] = False
    visual, taste = visual * known[:, [0]], taste * known[:, [2]]
    ids = tuple(f"tt{i:07d}" for i in range(n))
    return Rows(ids, visual, genre, taste, known, rng.integers(0, 50, size=n).astype(np.int32))


class BruteForceView(IndexView):
    """The border of the index, answered by one matrix product."""

    def __init__(self, rows: Rows, groups: Sequence[int] | None = None) -> None:
        self.rows = rows
        self.position = {movie_id: i for i, movie_id in enumerate(rows.movie_ids)}
        widths = (rows.visual.shape[1], rows.genre.shape[1], rows.taste.shape[1])
        self._pairs = self._cosines_of_pairs()
        spreads = tuple(float(s) for s in np.nanstd(self._pairs.astype(np.float64), axis=0))
        self.manifest = SnapshotManifest("test", "exact", "f", GENRES, widths, spreads, len(rows), 1)  # type: ignore[arg-type]
        self.revision = 1
        n = len(rows)
        years = np.arange(1900, 1900 + n, dtype=np.int16)
        bits = ((rows.genre > 0) * (1 << np.arange(len(GENRES)))).sum(axis=1).astype(np.uint64)
        known = (rows.known * np.array([1, 2, 4])).sum(axis=1).astype(np.uint8)
        self._facts = Facts(
            np.array([m.encode() for m in rows.movie_ids]),
            years,
            bits,
            np.array(groups if groups is not None else [-1] * n, dtype=np.int32),
            rows.n_ratings,
            np.ones(n, dtype=bool),
            known,
        )

    def _cosines_of_pairs(self) -> NDArray[np.float32]:
        rng = np.random.default_rng(0)
        a, b = rng.integers(len(self.rows), size=(2, 4000))
        keep = a != b
        one, two = self.rows.take(a[keep]), self.rows.take(b[keep])
        columns = [
            np.where(one.known[:, i] & two.known[:, i], (x * y).sum(axis=1), np.nan)
            for i, (x, y) in enumerate(
                zip((one.visual, one.genre, one.taste), (two.visual, two.genre, two.taste), strict=True)
            )
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    @property
    def facts(self) -> Facts:
        return self._facts

    def find_rows(self, movie_ids: Sequence[str]) -> Rows:
        for movie_id in movie_ids:
            if movie_id not in self.position:
                raise NotFoundError(f"{movie_id} is not in the index.")
        return self.rows.take(np.array([self.position[m] for m in movie_ids], dtype=np.int64))

    def row_numbers(self, movie_ids: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.position.get(m, -1) for m in movie_ids], dtype=np.int64)

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.bool_] | NDArray[np.int64] | None = None,
        exclude: Sequence[str] = (),
        min_score: float | None = None,
    ) -> Neighbours:
        joined = np.concatenate([self.rows.visual, self.rows.genre, self.rows.taste], axis=1)
        scores = joined.astype(np.float64) @ query.astype(np.float64)
        usable = np.ones(len(scores), dtype=bool) if allowed is None else np.asarray(allowed)
        order = [
            i
            for i in sorted(range(len(scores)), key=lambda i: (-round(scores[i], 9), self.rows.movie_ids[i]))
            if usable[i] and self.rows.movie_ids[i] not in exclude
        ][:k]
        return Neighbours(tuple(self.rows.movie_ids[i] for i in order), scores[order].astype(np.float32))

    def random_pairs(self) -> NDArray[np.float32]:
        return self._pairs


@pytest.fixture
def rows() -> Rows:
    return random_rows()


@pytest.fixture
def view(rows: Rows) -> BruteForceView:
    return BruteForceView(rows)


@pytest.fixture
def partial_view() -> BruteForceView:
    """Some movies lack their poster, some their taste."""
    return BruteForceView(random_rows(all_known=False))
