"""Requests and answers of the API as pydantic models; the OpenAPI document is made from them."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_K = 200
MAX_PAGE = 200
MAX_IDS = 200
MovieId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f/]+$", strip_whitespace=True),
]
GenreName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Year = Annotated[int, Field(ge=1800, le=2200)]
Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Series = Literal["first", "neutral", "hide"]


class Contract(BaseModel):
    """A model whose JSON schema is made once; flask-openapi3 asks for it at every request."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The JSON schema, as pydantic makes it, from memory after the first time."""
        return _schema(cls, args, tuple(sorted(kwargs.items())))


class QueryContract(Contract):
    """A query string: an optional parameter is left out, never sent as ``null``."""


@functools.cache
def _schema(
    model: type[Contract], args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]
) -> dict[str, Any]:
    schema = super(Contract, model).model_json_schema(*args, **dict(kwargs))
    if issubclass(model, QueryContract):
        for name, member in schema.get("properties", {}).items():
            schema["properties"][name] = _without_null(member)
    return schema


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
