"""Taste alone, as the field does it: the models that the blend must beat.

The candidates are the library's item models and EASE, each with the settings
that won in ``benchmarks/taste_models.py``; the best of them on validation
people is the row ``taste``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import bm25_weight, tfidf_weight
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from indexer.taste_map import unit_rows
from recommender.evaluation.people import People
from recommender.evaluation.scorers import InnerProduct, ItemItem, Scorer
from recommender.taste import HIGHEST_RATING

_SEED = 20_003
_RATED_OFTEN = 2


def taste_models() -> Mapping[str, Callable[[People], Scorer]]:
    """Name to a function that fits one model, ranking similar movies as the library does."""
    return {
        "als": fit_als,
        "bpr": fit_bpr,
        "cosine": fit_cosine,
        "tfidf": fit_tfidf,
        "bm25": fit_bm25,
        "ease": fit_ease,
    }


def fit_als(
    people: People, factors: int = 128, alpha: float = 20.0, penalty: float = 80.0, unit: bool = True
) -> Scorer:
    """Hu et al. on all ratings; similar movies by cosine, as the library has it, or by inner product."""
    # The library looks at the threads of BLAS when a model is built, not when it is fitted.
    with threadpool_limits(1):
        model = AlternatingLeastSquares(
            factors=factors, regularization=penalty, alpha=alpha, num_threads=1, random_state=_SEED
        )
        model.fit(_ones(people), show_progress=False)
    items = np.asarray(model.item_factors, dtype=np.float32)
    return InnerProduct(unit_rows(items) if unit else items)


def fit_bpr(people: People, factors: int = 64, penalty: float = 0.01, iterations: int = 150) -> Scorer:
    """Bayesian personalised ranking; similar movies by cosine."""
    with threadpool_limits(1):
        model = BayesianPersonalizedRanking(
            factors=factors,
            regularization=penalty,
            learning_rate=0.05,
            iterations=iterations,
            num_threads=1,
            random_state=_SEED,
        )
        model.fit(_ones(people), show_progress=False)
    return InnerProduct(unit_rows(np.asarray(model.item_factors, dtype=np.float32)))


def fit_cosine(people: People) -> Scorer:
    """Cosine of the movies' columns of ratings."""
    return _item_item(people, _product_of_units)


def fit_tfidf(people: People) -> Scorer:
    """The same after TF-IDF weighting."""
    return _item_item(people, lambda items: _product_of_units(tfidf_weight(items).tocsr()))


def fit_bm25(people: People, k1: float = 10.0, b: float = 0.5) -> Scorer:
    """The library's BM25: the inner product of the weighted columns, not their cosine."""

    def table(items: csr_matrix) -> NDArray[np.float32]:
        weighted = bm25_weight(items, K1=k1, B=b).tocsr()
        return _without_itself((weighted @ weighted.T).toarray())

    return _item_item(people, table)


def fit_ease(people: People, penalty: float = 3000.0) -> Scorer:
    """Embarrassingly shallow autoencoder: item weights in closed form.

    Source:
        H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
    """

    def table(items: csr_matrix) -> NDArray[np.float32]:
        gram = (items @ items.T).toarray().astype(np.float64) / HIGHEST_RATING**2
        gram[np.diag_indices(len(gram))] += penalty
        inverse = cho_solve(cho_factor(gram, overwrite_a=True), np.eye(len(gram)), overwrite_b=True)
        return _without_itself(inverse / -np.diag(inverse))

    return _item_item(people, table)


def _ones(people: People) -> csr_matrix:
    ones = people.values.copy()
    ones.data = np.ones_like(ones.data)
    return ones


def _item_item(people: People, table: Callable[[csr_matrix], NDArray[np.float32]]) -> Scorer:
    """A table of the movies rated often enough to say anything."""
    chosen = np.flatnonzero(people.n_ratings >= _RATED_OFTEN)
    place = np.full(people.values.shape[1], -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    return ItemItem(table(people.values[:, chosen].T.tocsr()), place)


def _product_of_units(items: csr_matrix) -> NDArray[np.float32]:
    norms = np.sqrt(np.asarray(items.multiply(items).sum(axis=1)).ravel())
    units = items.multiply(1.0 / np.maximum(norms, 1e-12)[:, None]).tocsr()
    return _without_itself((units @ units.T).toarray())


def _without_itself(table: NDArray[np.floating]) -> NDArray[np.float32]:
    found = table.astype(np.float32)
    np.fill_diagonal(found, 0.0)
    return found
