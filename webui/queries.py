"""Read query strings: each is checked once, however often it is asked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, get_type_hints

from flask import Response, request

from webui.schemas import Contract, list_fields

_KEPT = 1024
"""Query strings that were read last, per process; gunicorn lets none be longer than 8 KB."""


def queried(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let a view of ``path`` and ``query`` models read its own query string, from memory where it was read.

    flask-openapi3 documents the models of a view and, unless told not to, reads them field by field at
    each request, which takes longer than finding an answer that is kept.

    Args:
        view: Takes the models ``path`` and ``query``, or ``query`` alone, and changes neither.

    Raises:
        ValidationError: When the view is called: path or query do not fit their models.
    """
    models = get_type_hints(view)
    of_path, of_query = models.get("path"), models["query"]

    @functools.wraps(view)
    def read(**in_path: str) -> Response:
        path = {} if of_path is None else {"path": of_path.model_validate(in_path)}
        return view(**path, query=_read_query(of_query, request.query_string))

    # Where flask-openapi3's own decorator for reading late leaves its mark.
    read.__delay_validate_request__ = True  # type: ignore[attr-defined]
    return read


@functools.lru_cache(maxsize=_KEPT)
def _read_query(model: type[Contract], _query_string: bytes) -> Any:
    # The arguments of a request are what its query string says, nothing else.
    args, lists = request.args, list_fields(model)
    return model.model_validate({name: args.getlist(name) if name in lists else args[name] for name in args})
