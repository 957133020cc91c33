"""Pieces of the OpenAPI document that several views share."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_openapi3 import OpenAPI
from flask_openapi3.models import Schema
from pydantic import BaseModel

from webui.problems import PROBLEM_JSON

API_KEY_SECURITY: list[dict[str, list[Any]]] = [{"apiKey": []}]
SECURITY_SCHEMES: dict[str, Any] = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "One of the keys in ONESHEET_API_KEYS."}
}
NOT_MODIFIED: dict[str, Any] = {"description": "The copy that If-None-Match names is still right."}


def problems(*statuses: int) -> dict[int | str, Any]:
    """Responses that are problem documents, by status.

    Example:
        >>> problems(404)[404]["description"]
        'Not Found'
    """
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status in statuses
    }


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """An operation whose body is ``model`` as JSON."""
    return _body({"application/json": {"schema": _reference(model)}})


def file_body(model: type[BaseModel], required: bool = True) -> dict[str, Any]:
    """An operation whose body is a form: the fields of ``model`` and a file ``poster``."""
    return _body({"multipart/form-data": _form(model, required)})


def file_or_json(form: type[BaseModel], body: type[BaseModel]) -> dict[str, Any]:
    """An operation whose body is JSON, or a form with a file ``poster``."""
    return _body(
        {"application/json": {"schema": _reference(body)}, "multipart/form-data": _form(form, required=False)}
    )


def add_body_schemas(app: OpenAPI, models: tuple[type[BaseModel], ...]) -> None:
    """Define the schemas that bodies refer to; views that read their own body are not looked into."""
    for model in models:
        schema = dict(model.model_json_schema(ref_template=_REFERENCE))
        for name, definition in schema.pop("$defs", {}).items():
            app.components_schemas[name] = Schema(**definition)
        app.components_schemas[model.__name__] = Schema(**schema)


_REFERENCE = "#/components/schemas/{model}"


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _form(model: type[BaseModel], required: bool) -> dict[str, Any]:
    # One flat object: the model forbids further fields, so a second schema beside it could never hold too.
    schema = dict(model.model_json_schema())
    poster = {"type": "string", "format": "binary", "description": "JPEG, PNG or WebP."}
    schema["properties"] = {"poster": poster, **schema.get("properties", {})}
    schema["required"] = [*schema.get("required", []), *(["poster"] if required else [])]
    return {"schema": schema}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


def binary(*media_types: str) -> dict[str, Any]:
    """A response whose body is a file of one of ``media_types``."""
    return {"content": {name: {"schema": {"type": "string", "format": "binary"}} for name in media_types}}
