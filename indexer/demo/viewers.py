"""Simulated viewers: who rates which invented movie, and how."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from indexer.demo.titles import DemoMovie

_FIRST_RATING = 1_262_304_000  # 2010-01-01, seconds since 1970
_SPAN_SECONDS = 10 * 365 * 86_400


def make_ratings(movies: Sequence[DemoMovie], n_viewers: int, seed: int) -> pd.DataFrame:
    """Let viewers with tastes watch and rate.

    A viewer likes two or three genres, prefers an era, and watches what fits
    and what is famous; sequels are watched by those who saw the first. The
    value is taste + the movie's quality + the viewer's mood, to half stars.

    Returns:
        Columns ``userId`` (int), ``movieId`` (int, 1 + position in ``movies``),
        ``rating`` (0.5 to 5), ``timestamp`` (seconds), sorted by viewer and time.
    """
    rng = np.random.default_rng(seed)
    genres = sorted({genre for movie in movies for genre in movie.genres})
    of_genre = np.array([[genre in movie.genres for genre in genres] for movie in movies], dtype=np.float64)
    of_genre /= np.linalg.norm(of_genre, axis=1, keepdims=True)
    years = np.array([movie.year for movie in movies], dtype=np.float64)
    style = np.array([movie.style_seed for movie in movies])
    fame = rng.zipf(1.6, len(movies)).clip(max=60) ** 0.5
    quality = rng.normal(0, 0.45, len(movies))
    rows: list[tuple[int, int, float, int]] = []
    for user in range(1, n_viewers + 1):
        taste = rng.dirichlet(np.full(len(genres), 0.25)) * 3.0
        era = rng.normal(1990, 20)
        liking = of_genre @ taste - np.abs(years - era) / 60
        seen = _watch(rng, liking, fame, style)
        mood = rng.normal(0, 0.35)
        values = 3.2 + liking[seen] - liking.mean() + quality[seen] + mood + rng.normal(0, 0.5, len(seen))
        times = np.sort(rng.integers(_FIRST_RATING, _FIRST_RATING + _SPAN_SECONDS, len(seen)))
        halves = (np.round(values * 2) / 2).clip(0.5, 5.0)
        rows += [(user, int(m) + 1, float(v), int(t)) for m, v, t in zip(seen, halves, times, strict=True)]
    return pd.DataFrame(rows, columns=["userId", "movieId", "rating", "timestamp"])


def _watch(rng: np.random.Generator, liking: np.ndarray, fame: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Positions of the movies one viewer saw, in the order of watching."""
    wish = np.exp(2.0 * liking) * fame
    n_seen = min(int(rng.integers(15, 45)), len(liking))
    seen = list(rng.choice(len(liking), n_seen, replace=False, p=wish / wish.sum()))
    liked_series = set(style[seen])
    sequels = [m for m in np.flatnonzero(np.isin(style, list(liked_series))) if rng.random() < 0.5]
    return np.array(list(dict.fromkeys([*seen, *sequels])), dtype=np.int64)
