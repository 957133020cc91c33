"""Taste: which movies are liked by the same people, also for movies nobody rated.

Two collaborative models place rated movies: factors of people and movies
(ALS), which see far, and factors of item-to-item neighbours (BM25), which see
near. Each is fitted twice, to all that a person rated and to what a person
rated one after another; of the four side by side the axes that carry most are
kept. A ridge map from poster, genres and year places every other movie; the
more ratings a movie has, the more its own place counts. Settings are those
that won (``docs/quality.md``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from implicit.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from indexer.taste_map import EVEN_RATINGS, PREDICTED_LENGTH, map_inputs, unit_rows
from indexer.types import Ratings, Rows, TasteFactors
from recommender.neighbours import narrowed, neighbour_factors
from recommender.rating_table import person_weights, rating_table, unexplained
from recommender.runs import runs_of

HIGHEST_RATING = 5.0
_LEAST_LIKING = 0.05
"""What a rating counts at least: who chose to watch a movie says something even by a low rating."""


@dataclass(frozen=True)
class TasteConfig:
    """How taste factors are fitted.

    Args:
        als_dim: Width of the factors of people and movies.
        neighbour_dim: Width of the factors of neighbours.
        dim: Width of the taste block at most: the axes that carry most of all four.
        shares: Share in a cosine of people's factors, of their neighbours, of runs' factors, of theirs.
        run_length: Ratings that a person gave one after another and that make a run.
        liking_power: How much a rating above what person and movie explain counts for neighbours.
        bm25_k1: How slowly further ratings of a movie stop counting.
        bm25_b: How much movies with many ratings are held back.
        value_power: Confidence of a rating is (value / 5) to this power.
        heavy_rater_power: A person with n ratings counts (median / n) to this power each.
        alpha: Scale of confidence, the factor of Hu et al.
        regularization: L2 penalty of the collaborative model, as a share of the norm of all
            confidence: a fixed penalty would flatten the taste of a small catalog.
        iterations: Sweeps of alternating least squares.
        kappa: Ratings at which a movie's own factor and its predicted one count alike.
        reach_power: How much a row's length follows the length of its factor; 0 makes all alike.
        reach_half: Ratings at which half of that is believed.
        fame_power: How much a row's length follows the usual length at its number of ratings.
        fame_window: Movies next in number of ratings that a factor's length is compared with.
        teacher_half: Ratings at which a movie counts half as a teacher of the map.
        visual_penalty: L2 penalty of the map's visual inputs.
        fact_penalty: L2 penalty of its genre and era inputs.
        well_rated: Ratings that make a movie well rated.
        least_movies: Well-rated movies below which there is no taste at all.
        seed: Start of the factors.
    """

    als_dim: int = 96
    neighbour_dim: int = 192
    dim: int = 128
    shares: tuple[float, float, float, float] = (0.25, 0.38, 0.10, 0.27)
    run_length: int = 20
    liking_power: float = 0.8
    bm25_k1: float = 100.0
    bm25_b: float = 0.2
    value_power: float = 1.0
    heavy_rater_power: float = 0.25
    alpha: float = 20.0
    regularization: float = 0.03
    iterations: int = 15
    kappa: float = EVEN_RATINGS
    reach_power: float = 1.8
    reach_half: float = 10.0
    fame_power: float = 0.2
    fame_window: int = 51
    teacher_half: float = 10.0
    visual_penalty: float = 300.0
    fact_penalty: float = 15.0
    well_rated: int = 5
    least_movies: int = 30
    seed: int = 20_001


class TasteModel:
    """Fits taste factors; the same ratings and rows give the same bytes.

    Args:
        config: How.

    Source:
        Y. Hu, Y. Koren and C. Volinsky, "Collaborative Filtering for Implicit
        Feedback Datasets", ICDM 2008; S. Robertson and H. Zaragoza, "The
        Probabilistic Relevance Framework: BM25 and Beyond", 2009.
    """

    def __init__(self, config: TasteConfig | None = None) -> None:
        self.config = config or TasteConfig()

    @property
    def identity(self) -> str:
        """Names this method, its version and its settings."""
        return f"taste-5 {json.dumps(asdict(self.config), sort_keys=True)}"

    def fit(self, ratings: Ratings, rows: Rows) -> TasteFactors | None:
        """Place every movie of ``rows`` by taste.

        Args:
            ratings: Of any movies; those of movies not in ``rows`` still shape the model.
            rows: Movies to place, with their visual and genre blocks and their years.

        Returns:
            Rows of length at most 1 in the order of ``rows``, zero for a movie with neither
            ratings nor blocks; None where too few movies are rated often enough to learn from.
        """
        placed = self.fit_ways(ratings, [rows])
        return placed[0] if placed else None

    def fit_ways(self, ratings: Ratings, ways: Sequence[Rows]) -> list[TasteFactors]:
        """Place the same movies as ``fit`` does for each way in which they may be known.

        What people rated is fitted once, so that factors of all ways lie in one space.

        Args:
            ratings: Of any movies.
            ways: Movies to place, with more or less of genres and years known.

        Returns:
            One for each way; none where too few movies are rated often enough to learn from.
        """
        # Sums in another order differ in the last bit: one thread makes two fits equal.
        with threadpool_limits(1):
            table = rating_table(ratings)
            n_ratings = table.values.getnnz(axis=0)
            if int((n_ratings >= self.config.well_rated).sum()) < self.config.least_movies:
                return []
            runs = runs_of(ratings, table.movie_ids, self.config.run_length)
            items = self._item_factors(table.values, runs)
            return [self._place(table.movie_ids, items, n_ratings, rows) for rows in ways]

    def _item_factors(self, values: csr_matrix, runs: csr_matrix) -> NDArray[np.float32]:
        """Rows whose cosine mixes the models, as long as the factor of the first: (n_items, taste_dim)."""
        config = self.config
        far, near = confidence(values, config), liking(values, config)
        factors = [
            self._als_factors(far),
            neighbour_factors(near, config.neighbour_dim, config.bm25_k1, config.bm25_b),
        ]
        if runs.nnz:
            factors += [
                self._als_factors(runs),
                neighbour_factors(runs, config.neighbour_dim, config.bm25_k1, config.bm25_b),
            ]
        parts = [np.sqrt(share) * unit_rows(one) for share, one in zip(config.shares, factors, strict=False)]
        reach = np.linalg.norm(factors[0], axis=1, keepdims=True)
        mixed = unit_rows(narrowed(np.concatenate(parts, axis=1), config.dim))
        return np.asarray(mixed * reach, dtype=np.float32)

    def _als_factors(self, confidence: csr_matrix) -> NDArray[np.float32]:
        size = self.config.alpha * float(np.linalg.norm(confidence.data))
        model = AlternatingLeastSquares(
            factors=self.config.als_dim,
            regularization=self.config.regularization * size,
            alpha=self.config.alpha,
            iterations=self.config.iterations,
            num_threads=1,
            random_state=self.config.seed,
        )
        model.fit(confidence, show_progress=False)
        return np.asarray(model.item_factors, dtype=np.float32)

    def _place(
        self,
        movie_ids: NDArray[np.object_],
        items: NDArray[np.float32],
        n_ratings: NDArray[np.int64],
        rows: Rows,
    ) -> TasteFactors:
        position = {movie_id: i for i, movie_id in enumerate(movie_ids.tolist())}
        found = np.array([position.get(movie_id, -1) for movie_id in rows.movie_ids], dtype=np.int64)
        rated = found >= 0
        n = np.where(rated, n_ratings[found], 0)
        own = np.where(rated[:, None], unit_rows(items)[found], 0).astype(np.float32)
        own_length = np.where(rated, self._lengths(items, n_ratings)[found], 0)
        learned = self._learn_map(rows, own, n)
        described = _described(rows)
        inputs = map_inputs(rows.visual, rows.genre, rows.years_or_zero())
        predicted = np.where(described[:, None], unit_rows(inputs @ learned), 0)
        share = np.where(described, n / (n + self.config.kappa), rated)
        direction = unit_rows((share[:, None] * own + (1 - share)[:, None] * predicted).astype(np.float32))
        length = share * own_length + (1 - share) * PREDICTED_LENGTH
        factors = (direction * length[:, None]).astype(np.float32)
        return TasteFactors(
            rows.movie_ids, factors, n.astype(np.int32), learned, self._model_id(learned, factors)
        )

    def _lengths(self, items: NDArray[np.float32], n_ratings: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far each movie's liking carries beside movies of like fame: (n_items,), at most 1.

        Fame lengthens every factor; what is left beside the movies next in
        number of ratings says how well liked a movie is by those who like what
        goes with it. ``PREDICTED_LENGTH`` is the middle.
        """
        norms = np.linalg.norm(items.astype(np.float64), axis=1)
        floor = 1e-3 * (float(np.median(norms)) or 1.0)
        heard = np.log(np.maximum(norms, floor))
        order = np.argsort(n_ratings, kind="stable")
        expected = np.empty_like(heard)
        expected[order] = _running_mean(heard[order], self.config.fame_window)
        trust = n_ratings / (n_ratings + self.config.reach_half)
        reach = self.config.reach_power * trust * (heard - expected)
        fame = self.config.fame_power * (expected - np.median(heard))
        return np.asarray(np.minimum(PREDICTED_LENGTH * np.exp(reach + fame), 1.0))

    def _learn_map(
        self, rows: Rows, own: NDArray[np.float32], n_ratings: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Ridge regression of own factors on poster, genres and year, better rated movies counting more."""
        taught = (n_ratings > 0) & _described(rows)
        x = map_inputs(rows.visual, rows.genre, rows.years_or_zero())[taught].astype(np.float64)
        trust = (n_ratings / (n_ratings + self.config.teacher_half))[taught, None]
        penalty = np.full(x.shape[1], self.config.fact_penalty)
        penalty[: rows.visual.shape[1]] = self.config.visual_penalty
        # The intercept is the mean taste and must not be shrunk.
        penalty[-1] = 1e-6
        weighted = x * trust
        solved = np.linalg.solve(
            x.T @ weighted + np.diag(penalty), weighted.T @ own[taught].astype(np.float64)
        )
        return np.asarray(solved, dtype=np.float32)

    def _model_id(self, learned: NDArray[np.float32], factors: NDArray[np.float32]) -> str:
        digest = hashlib.sha256(json.dumps(asdict(self.config), sort_keys=True).encode())
        digest.update(learned.tobytes())
        digest.update(factors.tobytes())
        return digest.hexdigest()[:16]


def confidence(values: csr_matrix, config: TasteConfig) -> csr_matrix:
    """How surely each rating says that the person likes such movies: people x movies.

    A low rating counts little, not against: choosing to watch a movie says more
    about taste than being disappointed by it.
    """
    weighted = values.copy()
    weighted.data = (values.data / HIGHEST_RATING) ** config.value_power
    return person_weights(weighted, config.heavy_rater_power)


def liking(values: csr_matrix, config: TasteConfig) -> csr_matrix:
    """The same by how much more the person liked the movie than person and movie explain.

    Who rates high, and what everybody rates high, says little of what goes
    together; neighbours by this are of a kind more often than of a year.
    """
    weighted = values.copy()
    weighted.data = np.maximum(1 + config.liking_power * unexplained(values), _LEAST_LIKING)
    return person_weights(weighted, config.heavy_rater_power)


def _described(rows: Rows) -> NDArray[np.bool_]:
    """Movies that the map can place: those with a poster or genres."""
    return np.asarray(np.any(rows.visual != 0, axis=1) | np.any(rows.genre != 0, axis=1))


def _running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Mean over the ``window`` values around each; the first and last value continue beyond the ends."""
    half = min(window, len(values)) // 2
    padded = np.pad(values, half, mode="edge")
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
