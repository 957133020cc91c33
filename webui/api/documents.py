"""Pieces of the OpenAPI document that several views share."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

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


def binary(*media_types: str) -> dict[str, Any]:
    """A response whose body is a file of one of ``media_types``."""
    return {"content": {name: {"schema": {"type": "string", "format": "binary"}} for name in media_types}}
