"""ETags keyed to what is served: the snapshot, the catalog's revision, and the question.

The same key finds answers that were made before: while the catalog does not
change, a question that is asked again costs a look-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response, request

from webui.json_bytes import to_json
from webui.services import current_view, services

if TYPE_CHECKING:
    from indexer.view import IndexView

_CACHE_CONTROL = "public, max-age=0, must-revalidate"


def revalidated(make: Callable[[], dict[str, object]]) -> Response:
    """Answer 304 where the caller's copy is still right, else the answer with its tag.

    Args:
        make: Makes the JSON answer; called only where neither the caller nor this process has it.
    """
    view = current_view()
    state, asked = (view.manifest.name, view.revision), (request.script_root, request.full_path)

    def body() -> bytes:
        answers = services().answers
        kept = answers.find(state, asked)
        if kept is None:
            kept = to_json(make())
            answers.keep(state, asked, kept)
        return kept

    return tagged(view, body)


def tagged(view: IndexView, body: Callable[[], bytes]) -> Response:
    """Answer 304 where the caller's copy of what ``view`` says is still right, else the answer with its tag.

    The tag is weak: two answers to one question at one revision say the same,
    but each says how long it took.

    Args:
        view: What is answered from.
        body: Makes the JSON answer; called only where the caller lacks it.
    """
    tag = _tag(view)
    # Most callers send no If-None-Match, and reading one that is not there takes longer than asking.
    if "HTTP_IF_NONE_MATCH" in request.environ and request.if_none_match.contains_weak(tag):
        answer = Response(status=304)
    else:
        answer = Response(body(), content_type="application/json")
    answer.headers["ETag"] = f'W/"{tag}"'
    answer.headers["Cache-Control"] = _CACHE_CONTROL
    return answer


def _tag(view: IndexView) -> str:
    asked = f"{view.manifest.name}\n{view.revision}\n{request.script_root}\n{request.full_path}"
    return hashlib.blake2b(asked.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
