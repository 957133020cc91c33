"""Requests and answers of the API as pydantic models; the OpenAPI document is made from them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_origin

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from embeddings.errors import InvalidRequestError
from indexer.titles import MAX_COLLECTION, YEARS
from recommender.types import Filters, Weights

MAX_K = 200
MAX_PAGE = 200
MAX_IDS = 200
MovieId = Annotated[str, StringConstraints(pattern=r"^\w[\w.:~-]{0,127}$")]
GenreName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
CollectionName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_COLLECTION),
    Field(description="The collection that it belongs to."),
]
Year = Annotated[int, Field(ge=YEARS.start, le=YEARS.stop - 1)]
Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Series = Literal["first", "neutral", "hide"]


def split_list(value: Any) -> Any:
    """Split ``A|B`` or ``A,B`` and drop what is empty; anything that is not text or a list stays.

    Example:
        >>> split_list(["Comedy|Drama", "War"])
        ['Comedy', 'Drama', 'War']
    """
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return value
    return [name.strip() for part in parts for name in re.split(r"[|,]", part) if name.strip()]


def list_fields(model: type[BaseModel]) -> frozenset[str]:
    """Names of the fields of ``model`` that hold lists."""
    return frozenset(
        name for name, field in model.model_fields.items() if get_origin(field.annotation) is list
    )


class Contract(BaseModel):
    """A model of what the API takes; members that it does not name are refused."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class QueryContract(Contract):
    """A query string: an optional parameter is left out or empty, as forms send it, never ``null``."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The JSON schema, as pydantic makes it, without ``null``."""
        schema = super().model_json_schema(*args, **kwargs)
        for name, member in schema.get("properties", {}).items():
            schema["properties"][name] = _without_null(member)
        return schema

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if value not in ("", [""])}


def _without_null(member: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in member.get("anyOf", []) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return member
    rest = {key: value for key, value in member.items() if key not in ("anyOf", "default")}
    return {**kinds[0], **rest}


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, list[str]] = Field(default_factory=dict, description="Sentences by field.")


class Health(Contract):
    """Whether the server lives or is ready."""

    status: Literal["ok", "ready"]


class MoviePath(Contract):
    """A movie by its id."""

    movie_id: MovieId = Field(description="Public id, such as tt0133093.")


class MovieQuery(QueryContract):
    """Which movies to list, and where the page begins."""

    q: str | None = Field(default=None, max_length=200, description="Words of the title.")
    genre: list[GenreName] = Field(
        default_factory=list, max_length=32, description="A movie must carry each; repeat it or join with |."
    )
    known: bool | None = Field(
        default=None, description="Only movies whose genres are known, or only those predicted."
    )
    year_min: Year | None = None
    year_max: Year | None = None
    sort: Literal["relevance", "ratings", "title", "year", "oldest"] | None = Field(
        default=None,
        description="Best match (with q), most rated (without), A to Z, newest first, oldest first.",
    )
    cursor: str | None = Field(default=None, max_length=1024, description="``next`` of the page before.")
    limit: int = Field(default=40, ge=1, le=MAX_PAGE)

    _genres = field_validator("genre", mode="before")(split_list)


class BlendContract(Contract):
    """What every "more like this" takes besides its movies."""

    k: int = Field(default=10, ge=1, le=MAX_K, description="How many at most.")
    visual: Share | None = Field(default=None, description="Weight of the look.")
    genre: Share | None = Field(default=None, description="Weight of the genres.")
    taste: Share | None = Field(default=None, description="Weight of what the same people like.")
    genres: list[GenreName] = Field(default_factory=list, max_length=32, description="Must carry each.")
    year_min: Year | None = None
    year_max: Year | None = None
    exclude: list[MovieId] = Field(default_factory=list, max_length=MAX_IDS, description="Left out.")
    min_score: Fraction | None = Field(default=None, description="Least score.")
    diversity: Fraction = Field(default=0.0, description="0 ranks by score alone, 1 by novelty alone.")
    collapse_duplicates: bool = Field(default=False, description="One of each group of equal posters.")
    series: Series = Field(default="neutral", description="Where movies of the same series or collection go.")

    _genres = field_validator("genres", "exclude", mode="before")(split_list)

    def weights(self) -> Weights | None:
        """The wanted shares; one that is not given counts 0 once another is; None when none is.

        Raises:
            InvalidRequestError: All are 0.
        """
        given = (self.visual, self.genre, self.taste)
        if all(share is None for share in given):
            return None
        visual, genre, taste = (share or 0.0 for share in given)
        if visual + genre + taste <= 0:
            raise InvalidRequestError("The weights are all 0; give visual, genre or taste a share.", "visual")
        return Weights(visual, genre, taste)

    def filters(self) -> Filters:
        """Which movies may be answered.

        Raises:
            InvalidRequestError: The years are the wrong way round.
        """
        if self.year_min is not None and self.year_max is not None and self.year_min > self.year_max:
            raise InvalidRequestError(
                f"year_min {self.year_min} is after year_max {self.year_max}; swap them.", "year_min"
            )
        return Filters(tuple(self.genres), self.year_min, self.year_max, tuple(self.exclude), self.min_score)


class SimilarQuery(BlendContract, QueryContract):
    """Options of ``GET .../similar``."""


class SimilarBody(BlendContract):
    """More like these, and less like those."""

    like: list[MovieId] = Field(min_length=1, max_length=MAX_IDS)
    unlike: list[MovieId] = Field(default_factory=list, max_length=MAX_IDS)


class SimilarForm(BlendContract):
    """More like this picture."""

    like: list[MovieId] = Field(default_factory=list, max_length=MAX_IDS)
    unlike: list[MovieId] = Field(default_factory=list, max_length=MAX_IDS)

    _ids = field_validator("like", "unlike", mode="before")(split_list)


class Rating(Contract):
    """One rating of the person."""

    movie_id: MovieId
    value: float = Field(ge=0.5, le=5, allow_inf_nan=False)


class RecommendationsBody(BlendContract):
    """What a person rated."""

    ratings: list[Rating] = Field(min_length=1, max_length=1000)


class PutMovieForm(Contract):
    """A movie to put into the catalog; its poster is the file ``poster`` of the form."""

    title: str | None = Field(default=None, min_length=1, max_length=500)
    year: Year | None = None
    genres: list[GenreName] | None = Field(default=None, max_length=32, description="A|B, or repeated.")
    collection: CollectionName | None = None

    _genres = field_validator("genres", mode="before")(split_list)


class PutMovieBody(Contract):
    """A movie to put into the catalog; its poster is fetched from an allowed host."""

    title: str | None = Field(default=None, min_length=1, max_length=500)
    year: Year | None = None
    genres: (
        Annotated[list[GenreName], Field(max_length=32)] | Annotated[str, Field(max_length=2000)] | None
    ) = Field(default=None, description="A list, or A|B.")
    collection: CollectionName | None = None
    poster_url: str | None = Field(
        default=None,
        max_length=2000,
        pattern=r"^https?://\S+$",
        description="On one of ONESHEET_POSTER_HOSTS.",
    )


class NoFields(Contract):
    """A form with a file and nothing else."""


class PosterQuery(QueryContract):
    """How wide the picture may be."""

    w: int = Field(default=720, ge=16, le=2000, description="Pixels; the next size on offer is sent.")


class ExternalPath(Contract):
    """A movie by the id another catalog gives it."""

    source: Literal["imdb", "tmdb"]
    external_id: str = Field(pattern=r"^\w{1,32}$", description="Such as tt0133093, or 603.")


class HeatmapQuery(QueryContract):
    """What the heat-map speaks for."""

    genre: GenreName | None = Field(default=None, description="A genre; the likeliest without one.")


class HeatmapForm(Contract):
    """What the heat-map of an uploaded poster speaks for."""

    genre: GenreName | None = Field(default=None, description="A genre; the likeliest without one.")
