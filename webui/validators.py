"""ETags keyed to what is served: the snapshot, the catalog's revision, and the question."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, jsonify, request

from webui.services import services

_CACHE_CONTROL = "public, max-age=0, must-revalidate"


def revalidated(make: Callable[[], dict[str, object]]) -> Response:
    """Answer 304 where the caller's copy is still right, else make the answer and tag it.

    The tag is weak: two answers to one question at one revision say the same,
    but each says how long it took.

    Args:
        make: Makes the JSON answer; not called where the copy is still right.
    """
    tag = _tag()
    answer = Response(status=304) if request.if_none_match.contains_weak(tag) else jsonify(make())
    answer.set_etag(tag, weak=True)
    answer.headers["Cache-Control"] = _CACHE_CONTROL
    return answer


def _tag() -> str:
    view = services().recommender.reader.view()
    asked = f"{view.manifest.name}\n{view.revision}\n{request.full_path}"
    return hashlib.blake2b(asked.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
