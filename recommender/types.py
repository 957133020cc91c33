"""What is asked of the recommender and what it answers; every door speaks in these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SIGNALS = ("visual", "genre", "taste")


@dataclass(frozen=True)
class Weights:
    """Shares of the three signals, each >= 0, at least one above 0."""

    visual: float
    genre: float
    taste: float

    def as_tuple(self) -> tuple[float, float, float]:
        return (self.visual, self.genre, self.taste)


@dataclass(frozen=True)
class Filters:
    """Which movies may be answered; applied before the k nearest are taken.

    Args:
        genres: A movie must carry each of them (known, else predicted, genres).
        year_min: Earliest year, inclusive.
        year_max: Latest year, inclusive.
        exclude: Movie ids left out besides the query's own.
        min_score: Least score in [0, 1].
    """

    genres: tuple[str, ...] = ()
    year_min: int | None = None
    year_max: int | None = None
    exclude: tuple[str, ...] = ()
    min_score: float | None = None


@dataclass(frozen=True)
class SimilarRequest:
    """One question: movies like these (or like this picture), and less like those.

    Args:
        like: Movie ids to be similar to; empty only with ``poster``.
        unlike: Movie ids to be dissimilar to.
        poster: Bytes of a poster that is not in the catalog.
        k: How many neighbours at most, 1 to 200.
        weights: Wanted shares; None is the learned default.
        filters: Which movies may be answered.
        diversity: 0 ranks by score alone, 1 by novelty alone (MMR).
        collapse_duplicates: Show one of each group of near-identical posters.
        series: ``first``, ``neutral`` or ``hide``: where movies of the same series go.
    """

    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    poster: bytes | None = field(default=None, repr=False)
    k: int = 10
    weights: Weights | None = None
    filters: Filters = Filters()
    diversity: float = 0.0
    collapse_duplicates: bool = False
    series: str = "neutral"


@dataclass(frozen=True)
class RatedMovie:
    """One movie a person rated; ``value`` on a 0.5 to 5 scale."""

    movie_id: str
    value: float


@dataclass(frozen=True)
class Prediction:
    """What the encoder says of one poster.

    Args:
        genre_probs: Genre to calibrated probability, in the order of the encoder's columns.
        chosen: Genres above their thresholds, in the same order.
        fingerprint: Of the encoder.
    """

    genre_probs: dict[str, float]
    chosen: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class Reason:
    """One true, checkable sentence; ``kind`` tells which, ``data`` holds what it was computed from."""

    kind: str
    text: str
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Neighbour:
    """One answered movie.

    Args:
        movie_id: Its id.
        title: Its title, or its id where the catalog has none.
        year: Its year, where known.
        genres: Known genres, else the predicted ones.
        score: What ranks, calibrated to [0, 1]: the share of random pairs scoring lower.
        percentile: The same in percent.
        signals: Cosine in [-1, 1] per signal; None where the signal does not know the pair.
        reasons: Why it is here.
        poster_url: Path of its poster on this server; None without a poster.
    """

    movie_id: str
    title: str
    year: int | None
    genres: tuple[str, ...]
    score: float
    percentile: float
    signals: dict[str, float | None]
    reasons: tuple[Reason, ...]
    poster_url: str | None

    def as_json(self) -> dict[str, object]:
        """One member of ``results``."""
        return {**vars(self), "genres": list(self.genres), "reasons": [dict(vars(r)) for r in self.reasons]}


@dataclass(frozen=True)
class SimilarMovies:
    """The answer to one ``SimilarRequest``, nearest first.

    Args:
        request: What was asked.
        weights: Shares in force after redistribution, summing to 1.
        results: At most ``request.k`` neighbours.
        snapshot: Name of the snapshot that answered, with its revision.
        took_ms: Milliseconds spent.
        predicted_genres: For a poster query, genre -> probability.
        rest_weights: Shares that found the movies of a default list and order what follows its first
            ten; None where ``weights`` ordered all of it.
    """

    request: SimilarRequest
    weights: Weights
    results: tuple[Neighbour, ...]
    snapshot: str
    took_ms: float
    predicted_genres: dict[str, float] | None = None
    rest_weights: Weights | None = None

    def as_json(self) -> dict[str, Any]:
        """The document that the API and ``onesheet similar --json`` print."""
        return {**self.document(), "results": [result.as_json() for result in self.results]}

    def document(self) -> dict[str, Any]:
        """The same for an encoder that knows dataclasses: results and reasons are those of this answer."""
        request = self.request
        like: dict[str, object] = {"movie_ids": list(request.like)}
        if request.poster is not None:
            like["poster"] = f"<{len(request.poster)} bytes>"
        document: dict[str, object] = {
            "query": {**like, "less": list(request.unlike)},
            "weights": {**vars(self.weights)},
            "rest_weights": None if self.rest_weights is None else {**vars(self.rest_weights)},
            "k": request.k,
            "filters": {**vars(request.filters)},
            "diversity": request.diversity,
            "collapse_duplicates": request.collapse_duplicates,
            "series": request.series,
            "results": self.results,
            "snapshot": self.snapshot,
            "took_ms": round(self.took_ms, 3),
        }
        if self.predicted_genres is not None:
            document["predicted_genres"] = self.predicted_genres
        return document
