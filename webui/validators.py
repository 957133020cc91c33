"""ETags keyed to what is served: the snapshot, the catalog's revision, and the question.

The same key finds answers that were made before: while the catalog does not
change, a question that is asked again costs a look-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, current_app, request

from webui.services import services

_CACHE_CONTROL = "public, max-age=0, must-revalidate"


def revalidated(make: Callable[[], dict[str, object]]) -> Response:
    """Answer 304 where the caller's copy is still right, else the answer with its tag.

    The tag is weak: two answers to one question at one revision say the same,
    but each says how long it took.

    Args:
        make: Makes the JSON answer; called only where neither the caller nor this process has it.
    """
    tag = _tag()
    if request.if_none_match.contains_weak(tag):
        answer = Response(status=304)
    else:
        answer = Response(_body(tag, make), content_type="application/json")
    answer.set_etag(tag, weak=True)
    answer.headers["Cache-Control"] = _CACHE_CONTROL
    return answer


def _body(tag: str, make: Callable[[], dict[str, object]]) -> bytes:
    answers = services().answers
    body = answers.find(tag)
    if body is None:
        body = current_app.json.dumps(make()).encode() + b"\n"
        answers.keep(tag, body)
    return body


def _tag() -> str:
    view = services().recommender.reader.view()
    asked = f"{view.manifest.name}\n{view.revision}\n{request.script_root}\n{request.full_path}"
    return hashlib.blake2b(asked.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
