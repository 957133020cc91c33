"""Taste: which movies are liked by the same people, also for movies nobody rated.

A collaborative model places rated movies; a ridge map from [visual | genre | 1]
places every other one, and the more ratings a movie has, the more its own
place counts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
from implicit.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from indexer.types import Ratings, Rows, TasteFactors
from recommender.taste_map import map_inputs, predict_taste, unit_rows


@dataclass(frozen=True)
class TasteConfig:
    """How taste factors are fitted.

    Args:
        taste_dim: Width of a factor.
        liked_from: Least value that counts as liking.
        alpha: Confidence of a like, the factor of Hu et al.
        regularization: L2 penalty of the collaborative model.
        iterations: Sweeps of alternating least squares.
        kappa: Ratings at which a movie's own factor and its predicted one count alike.
        well_rated: Likes from which a movie teaches the map.
        map_penalty: L2 penalty of the map.
        least_movies: Well-rated movies below which there is no taste at all.
        seed: Start of the factors.
    """

    taste_dim: int = 64
    liked_from: float = 3.5
    alpha: float = 40.0
    regularization: float = 0.1
    iterations: int = 20
    kappa: float = 5.0
    well_rated: int = 5
    map_penalty: float = 30.0
    least_movies: int = 30
    seed: int = 20_001


class TasteModel:
    """Fits taste factors; the same ratings and rows give the same bytes.

    Args:
        config: How.

    Source:
        Y. Hu, Y. Koren and C. Volinsky, "Collaborative Filtering for Implicit
        Feedback Datasets", ICDM 2008.
    """

    def __init__(self, config: TasteConfig | None = None) -> None:
        self.config = config or TasteConfig()

    def fit(self, ratings: Ratings, rows: Rows) -> TasteFactors | None:
        """Place every movie of ``rows`` by taste.

        Args:
            ratings: Of any movies; those of movies not in ``rows`` still shape the model.
            rows: Movies to place, with their visual and genre blocks.

        Returns:
            Unit rows in the order of ``rows``, zero for a movie with neither likes nor
            blocks; None where too few movies are liked often enough to learn from.
        """
        # Sums in another order differ in the last bit: one thread makes two fits equal.
        with threadpool_limits(1):
            likes, movie_ids = _likes(ratings, self.config.liked_from)
            n_likes = np.asarray((likes > 0).sum(axis=0)).ravel()
            if int((n_likes >= self.config.well_rated).sum()) < self.config.least_movies:
                return None
            items = unit_rows(self._item_factors(likes))
            return self._place(movie_ids, items, n_likes, rows)

    def _item_factors(self, likes: csr_matrix) -> NDArray[np.float32]:
        model = AlternatingLeastSquares(
            factors=self.config.taste_dim,
            regularization=self.config.regularization,
            alpha=self.config.alpha,
            iterations=self.config.iterations,
            num_threads=1,
            random_state=self.config.seed,
        )
        model.fit(likes, show_progress=False)
        return np.asarray(model.item_factors, dtype=np.float32)

    def _place(
        self,
        movie_ids: NDArray[np.object_],
        items: NDArray[np.float32],
        n_likes: NDArray[np.int64],
        rows: Rows,
    ) -> TasteFactors:
        position = {movie_id: i for i, movie_id in enumerate(movie_ids.tolist())}
        found = np.array([position.get(movie_id, -1) for movie_id in rows.movie_ids], dtype=np.int64)
        n = np.where(found >= 0, n_likes[found], 0)
        own = np.where((found >= 0)[:, None], items[found], 0).astype(np.float32)
        inputs = map_inputs(rows.visual, rows.genre)
        taught = (n >= self.config.well_rated) & rows.known[:, :2].any(axis=1)
        learned = _ridge(inputs[taught], own[taught], self.config.map_penalty)
        predicted = predict_taste(rows.visual, rows.genre, learned)
        share = (n / (n + self.config.kappa))[:, None]
        factors = unit_rows((share * own + (1 - share) * predicted).astype(np.float32))
        return TasteFactors(
            rows.movie_ids, factors, n.astype(np.int32), learned, self._model_id(learned, factors)
        )

    def _model_id(self, learned: NDArray[np.float32], factors: NDArray[np.float32]) -> str:
        digest = hashlib.sha256(json.dumps(asdict(self.config), sort_keys=True).encode())
        digest.update(learned.tobytes())
        digest.update(factors.tobytes())
        return digest.hexdigest()[:16]


def _likes(ratings: Ratings, liked_from: float) -> tuple[csr_matrix, NDArray[np.object_]]:
    """Users x movies, 1 where liked; ids sorted, so that the order of the ratings does not matter."""
    liked = ratings.values >= liked_from
    users, user_index = np.unique(ratings.user_ids[liked].astype(str), return_inverse=True)
    movies, movie_index = np.unique(ratings.movie_ids[liked].astype(str), return_inverse=True)
    matrix = csr_matrix(
        (np.ones(int(liked.sum()), dtype=np.float32), (user_index, movie_index)),
        shape=(len(users), len(movies)),
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix, movies.astype(object)


def _ridge(inputs: NDArray[np.float32], targets: NDArray[np.float32], penalty: float) -> NDArray[np.float32]:
    x, y = inputs.astype(np.float64), targets.astype(np.float64)
    gram = x.T @ x
    # The intercept is the mean taste and must not be shrunk.
    gram[np.diag_indices(len(gram) - 1)] += penalty
    gram[-1, -1] += 1e-6
    solved: NDArray[np.float32] = np.linalg.solve(gram, x.T @ y).astype(np.float32)
    return solved
