"""Learning from ratings, only when the ratings or the rows have changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.affinities import AffinityFitter
from indexer.catalog import Catalog
from indexer.catalog.learned import Learned
from indexer.poster_map import MapFitter
from indexer.types import Ratings, Rows, TasteFactors


class TasteFitter(Protocol):
    """Fits taste factors; None where the ratings are too few to learn from.

    ``identity`` names the method and its settings: equal ones teach the same from the same ratings.
    """

    @property
    def identity(self) -> str: ...

    def fit(self, ratings: Ratings, rows: Rows) -> TasteFactors | None: ...


class WeightFitter(Protocol):
    """Learns default weights by what is known of a query; an empty answer keeps the recommender's own."""

    @property
    def identity(self) -> str: ...

    def fit(
        self, ratings: Ratings, rows: Rows, predicted_genres: NDArray[np.float32]
    ) -> dict[str, tuple[float, float, float]]: ...


@dataclass(frozen=True)
class Fitters:
    """What learns from the rows and their ratings; None leaves out what it would have made.

    Args:
        taste: Fits taste factors.
        weights: Learns default weights.
        poster_map: Lays posters out in the plane.
        affinities: Finds out which movies people rate alike.
    """

    taste: TasteFitter | None = None
    weights: WeightFitter | None = None
    poster_map: MapFitter | None = None
    affinities: AffinityFitter | None = None


NO_FITTERS = Fitters()


def learn(catalog: Catalog, fingerprint: str, fitters: Fitters) -> Learned:
    """Fit taste factors and default weights to the ratings as they are.

    The same ratings, rows and settings teach the same, so what is known to come
    from them is kept. Without fitters, what was learned before stays.

    Args:
        catalog: Whose ratings; the factors are saved into it.
        fingerprint: Encoder whose rows are placed by taste.
        fitters: What learns.
    """
    kept = catalog.find_learned()
    if fitters.taste is None and fitters.weights is None:
        return Learned("", catalog.active().taste_model, kept.weights if kept else {})
    revision, teachers = catalog.ratings_revision(), _teachers(fitters)
    ratings, rows = catalog.ratings(), catalog.read_rows(fingerprint).rows
    source = _digest(teachers, ratings, rows)
    if kept is not None and kept.source == source:
        learned = replace(kept, ratings_revision=revision, taught_by=teachers)
    else:
        taste_model = _fit_taste(catalog, fitters.taste, ratings, rows)
        weights = kept.weights if kept else {}
        if fitters.weights is not None:
            weights = fitters.weights.fit(ratings, rows, _predicted_genres(catalog, fingerprint, rows))
        learned = Learned(source, taste_model, weights, revision, teachers)
    if learned != kept:
        catalog.save_learned(learned)
    return learned


def taught_the_same(catalog: Catalog, fitters: Fitters) -> bool:
    """Whether the ratings and the fitters are those that the catalog learned from; rows may be newer."""
    if fitters.taste is None and fitters.weights is None:
        return True
    kept = catalog.find_learned()
    return kept is not None and (kept.ratings_revision, kept.taught_by) == (
        catalog.ratings_revision(),
        _teachers(fitters),
    )


def _fit_taste(catalog: Catalog, fitter: TasteFitter | None, ratings: Ratings, rows: Rows) -> str | None:
    if fitter is None:
        return catalog.active().taste_model
    factors = fitter.fit(ratings, rows)
    if factors is None:
        return None
    catalog.save_taste(factors)
    return factors.model_id


def _predicted_genres(catalog: Catalog, fingerprint: str, rows: Rows) -> NDArray[np.float32]:
    """What posters say of the genres of these movies, unit rows, zero without a poster: (n, n_genres)."""
    found = np.zeros_like(rows.genre)
    place = {movie_id: i for i, movie_id in enumerate(rows.movie_ids)}
    for batch in catalog.iter_rows(fingerprint, told=False):
        # A movie that was put in since the rows were read has no place among them.
        there = [i for i, movie_id in enumerate(batch.rows.movie_ids) if movie_id in place]
        found[[place[batch.rows.movie_ids[i]] for i in there]] = batch.rows.genre[there]
    return found


def _teachers(fitters: Fitters) -> str:
    """Names the fitters of taste and weights."""
    return "".join("none" if one is None else one.identity for one in (fitters.taste, fitters.weights))


def _digest(teachers: str, ratings: Ratings, rows: Rows) -> str:
    """Digest of everything that decides what is learned."""
    digest = hashlib.sha256(teachers.encode())
    digest.update("\n".join(rows.movie_ids).encode())
    for names in (ratings.user_ids, ratings.movie_ids):
        digest.update("\n".join(map(str, names)).encode())
    for numbers in (ratings.values, ratings.rated_at, rows.visual, rows.genre, rows.years_or_zero()):
        digest.update(np.ascontiguousarray(numbers).tobytes())
    return digest.hexdigest()
