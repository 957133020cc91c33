"""Movies known by their poster alone: do the nearest ones have the same genres?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.types import Rows
from recommender.blend import Scale
from recommender.defaults import default_weights
from recommender.evaluation.data import CatalogData, with_genres
from recommender.evaluation.metrics import jaccard, top
from recommender.evaluation.outcome import Figures, Outcome, RowResult
from recommender.evaluation.protocol import JudgeOptions
from recommender.evaluation.scorers import Blend, Chance, InnerProduct, Scorer
from recommender.weight_choice import scale_of, weight_grid

HEADLINE = "jaccard_at_10"
K = 10
MOST_QUERIES = 3_000
SPLIT_SHARE = 0.8
_MOST_TUNED = 500
_AT_ONCE = 256


def judge_genre(
    data: CatalogData, truth: Mapping[str, frozenset[str]] | None, options: JudgeOptions
) -> Outcome:
    """Judge by the genres that the ten nearest share with the movie that asks.

    The ranking sees posters only: embeddings, genres predicted from them. Who
    is known to have which genre is used to judge, never to rank. Movies of one
    film or one artwork do not answer for each other.

    Args:
        data: The catalog.
        truth: True genres by movie id, whose movies alone ask and answer; None takes every movie
            whose genres the catalog was told.
        options: How.

    Raises:
        InvalidRequestError: Fewer than two such movies have a poster.
    """
    movies, genres = _judged(data, truth)
    if len(movies) < K + 1:
        raise InvalidRequestError(
            f"{len(movies)} movies have an embedded poster and known genres; at least {K + 1} are needed. "
            "Import and reindex the posters of the labels that are judged by."
        )
    outcome = Outcome("genre", HEADLINE, options.seed)
    rows = with_genres(replace(data.rows, taste=np.zeros((len(data), 0), np.float32)), data.predicted_genres)
    rows = rows.take(movies)
    looks = {name: look[movies] for name, look in (options.looks or {}).items()}
    judged = _Judged(rows, data.films[movies], genres, looks)
    for seed in range(options.seed, options.seed + options.repeats):
        _judge_split(outcome, judged.take(_four_fifths(judged.films, seed)), seed)
    outcome.notes["n_movies"] = len(movies)
    outcome.notes["comparisons"] = [
        outcome.gain("blend_default", "random"),
        outcome.gain("blend_default", "visual"),
        outcome.gain("genre_predicted", "random"),
    ]
    return outcome


@dataclass(frozen=True)
class _Judged:
    """Posters that ask and answer.

    Args:
        rows: Their rows, without taste, with genres predicted.
        films: int64, (n,), equal for posters of one film or one artwork.
        genres: bool, (n, n_genres), true genres.
        looks: Further ways to see a poster, name to unit rows.
    """

    rows: Rows
    films: NDArray[np.int64]
    genres: NDArray[np.bool_]
    looks: Mapping[str, NDArray[np.float32]]

    def take(self, positions: NDArray[np.int64]) -> _Judged:
        looks = {name: look[positions] for name, look in self.looks.items()}
        return _Judged(self.rows.take(positions), self.films[positions], self.genres[positions], looks)


def _four_fifths(films: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Posters of four fifths of the films: chance in who answers is in the interval, too."""
    numbers = np.unique(films)
    kept = np.random.default_rng(seed).permutation(numbers)[: max(K + 1, round(SPLIT_SHARE * len(numbers)))]
    return np.flatnonzero(np.isin(films, kept))


def _judge_split(outcome: Outcome, judged: _Judged, seed: int) -> None:
    """Judge every row on one split and add what was found."""
    rows, films, genres = judged.rows, judged.films, judged.genres
    asked = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MOST_QUERIES])
    scale = scale_of(rows)
    tuned = _tune(rows, scale, genres, films, asked[:_MOST_TUNED])
    scorers: dict[str, Scorer] = {
        "random": Chance(len(rows), seed),
        "genre_predicted": InnerProduct(rows.genre),
        "visual": InnerProduct(rows.visual),
        **{name: InnerProduct(look) for name, look in judged.looks.items()},
        "blend_default": Blend(rows, scale, np.array(default_weights({}, "poster").as_tuple())),
        "blend_best": Blend(rows, scale, tuned),
    }
    names = np.array(rows.movie_ids)[asked]
    for name, scorer in scorers.items():
        _add(outcome, name, names, shared_genres(scorer, asked, films, genres))
    _add(outcome, "oracle", names, _oracle(asked, films, genres))
    outcome.n_queries += len(asked)
    outcome.notes["hindsight_weights"] = tuned.tolist()


def shared_genres(
    scorer: Scorer, asked: NDArray[np.int64], films: NDArray[np.int64], genres: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Jaccard@10 of each movie that asks: mean over its ten nearest of other films, float64, (m,)."""
    found = np.empty(len(asked))
    for start in range(0, len(asked), _AT_ONCE):
        part = asked[start : start + _AT_ONCE]
        scores = scorer.everything(part)
        scores[films[part][:, None] == films[None]] = -np.inf
        nearest = top(scores, K)
        found[start : start + len(part)] = jaccard(genres[part][:, None], genres[nearest]).mean(axis=1)
    return found


def _judged(
    data: CatalogData, truth: Mapping[str, frozenset[str]] | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Positions of the movies that are judged, and their true genres."""
    if truth is None:
        genres = data.known_genres
    else:
        genres = data.genres.multi_hot([truth.get(one, frozenset()) for one in data.rows.movie_ids]) > 0
    movies = np.flatnonzero(genres.any(axis=1) & data.rows.known[:, 0])
    return movies, genres[movies]


def _tune(
    rows: Rows, scale: Scale, genres: NDArray[np.bool_], films: NDArray[np.int64], asked: NDArray[np.int64]
) -> NDArray[np.float64]:
    grid = weight_grid(0.1)
    grid = grid[grid[:, 2] == 0]
    figures = [shared_genres(Blend(rows, scale, one), asked, films, genres).mean() for one in grid]
    return np.asarray(grid[int(np.argmax(figures))])


def _oracle(
    asked: NDArray[np.int64], films: NDArray[np.int64], genres: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The best any ranking could do: neighbours chosen by their true genres."""
    found = np.empty(len(asked))
    for i, movie in enumerate(asked.tolist()):
        shares = np.where(films == films[movie], -1.0, jaccard(genres[movie], genres))
        found[i] = np.sort(shares)[-K:].mean()
    return found


def _add(outcome: Outcome, name: str, names: NDArray[np.str_], values: NDArray[np.float64]) -> None:
    result = outcome.rows.setdefault(name, RowResult())
    result.metrics.setdefault(HEADLINE, []).append(Figures(names, values))
