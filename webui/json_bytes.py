"""JSON as bytes: one encoder for answers, whoever sends them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
from flask.json.provider import JSONProvider
from werkzeug.sansio.response import Response


def to_json(document: object, default: Callable[[Any], Any] | None = None) -> bytes:
    """One JSON document in UTF-8, with a line's end; dataclasses are objects of their fields.

    Args:
        document: What is said.
        default: Turns a value that JSON does not know into one that it does; None refuses such values.

    Example:
        >>> to_json({"title": "Ödland", "year": None})
        b'{"title":"\\xc3\\x96dland","year":null}\\n'
    """
    try:
        return orjson.dumps(document, default, orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # It refuses what JSON can say only escaped, such as half a surrogate pair, and huge integers.
        return json.dumps(document, default=default or vars).encode() + b"\n"


class BytesProvider(JSONProvider):
    """Flask's JSON by ``to_json``."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """One JSON document as text; options of the standard encoder have no meaning here."""
        return to_json(obj).decode().rstrip("\n")

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Read one JSON document."""
        return json.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """An answer with ``args`` or ``kwargs`` as JSON."""
        body = to_json(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(body, content_type="application/json")  # type: ignore[arg-type]
