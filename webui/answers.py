"""What the API answers, as pydantic models, so that the OpenAPI document and the tests know it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A JSON answer; members that are not named here are a fault of ours."""

    model_config = ConfigDict(extra="forbid")


class MovieAnswer(Answer):
    """A movie of the catalog."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str] = Field(description="Known genres; empty where none are known.")
    predicted_genres: dict[str, float] = Field(description="Genre to calibrated probability.")
    chosen_genres: list[str] = Field(description="Predicted genres above their thresholds.")
    n_ratings: int
    poster_url: str | None
    artwork_group: int | None
    collection: str | None = Field(description="The collection that it belongs to, where a source says so.")


class MovieCard(Answer):
    """A movie as a list shows it."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str] = Field(description="Known genres, else the chosen ones.")
    genres_known: bool
    n_ratings: int
    poster_url: str | None
    collection: str | None


class MoviePage(Answer):
    """One page of movies."""

    movies: list[MovieCard]
    next: str | None = Field(description="Cursor of the next page; null on the last.")
    total: int | None = Field(description="How many movies match; null where counting was not worth it.")


class WeightsAnswer(Answer):
    """Shares in force, summing to 1."""

    visual: float
    genre: float
    taste: float


class SignalsAnswer(Answer):
    """Cosine in [-1, 1] by signal; null where the signal does not know the pair."""

    visual: float | None
    genre: float | None
    taste: float | None


class ReasonAnswer(Answer):
    """One true sentence and what it was computed from."""

    kind: str
    text: str
    data: dict[str, Any]


class NeighbourAnswer(Answer):
    """One similar movie."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str]
    score: float = Field(ge=0, le=1)
    percentile: float = Field(ge=0, le=100)
    signals: SignalsAnswer
    reasons: list[ReasonAnswer]
    poster_url: str | None


class QueryAnswer(Answer):
    """What was asked."""

    movie_ids: list[str]
    less: list[str]
    poster: str | None = None


class FiltersAnswer(Answer):
    """Which movies were allowed."""

    genres: list[str]
    year_min: int | None
    year_max: int | None
    exclude: list[str]
    min_score: float | None


class SimilarAnswer(Answer):
    """Similar movies, nearest first."""

    query: QueryAnswer
    weights: WeightsAnswer
    rest_weights: WeightsAnswer | None = Field(
        default=None,
        description="Shares that found the movies of a default list, and order what follows its first ten.",
    )
    k: int
    filters: FiltersAnswer
    diversity: float
    collapse_duplicates: bool
    series: str
    results: list[NeighbourAnswer]
    snapshot: str
    took_ms: float
    predicted_genres: dict[str, float] | None = None


class PredictAnswer(Answer):
    """Genres of a poster."""

    genre_probs: dict[str, float] = Field(description="Genre to calibrated probability, likeliest first.")
    genres: list[str] = Field(description="Genres above their thresholds, likeliest first.")
    fingerprint: str
    took_ms: float


class PutMovieAnswer(Answer):
    """A movie that is now in the catalog, and searchable."""

    movie: MovieAnswer
    created: bool
    revision: int


class GenreCount(Answer):
    """A genre and how many movies carry it."""

    genre: str
    movies: int
    predicted: bool = Field(description="Whether the encoder can predict it.")


class GenresAnswer(Answer):
    """The genres of the catalog and of the encoder."""

    genres: list[GenreCount]


class SnapshotAnswer(Answer):
    """What is being served."""

    name: str
    kind: str
    fingerprint: str
    genres: list[str]
    widths: list[int]
    spreads: list[float]
    count: int
    revision: int
    snapshot_revision: int
    overlay_rows: int
    taste_model: str | None
    default_weights: dict[str, list[float]]
    created_at: str


class SimilarIdsAnswer(Answer):
    """Ids a media server can look up in its own library, nearest first."""

    source: Literal["imdb", "tmdb"]
    query: str
    ids: list[str]
    snapshot: str


class RemovedAnswer(Answer):
    """A movie that is gone."""

    movie_id: str
    revision: int


class ModelAnswer(BaseModel):
    """What the checkpoint says of itself."""

    model_config = ConfigDict(extra="allow")

    arch: str
    embedding_dim: int
    genres: list[str]
    thresholds: list[float]
    provenance: dict[str, Any]
    metrics: dict[str, Any]
