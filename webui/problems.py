"""Every error as an RFC 9457 problem document; pages get the same facts as a page.

Domain errors become statuses here and nowhere else.

Source:
    RFC 9457, "Problem Details for HTTP APIs", 2023.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Flask, Response, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from embeddings.errors import (
    CatalogError,
    CheckpointError,
    InvalidRequestError,
    NotFoundError,
    OnesheetError,
    PosterError,
    SnapshotError,
)

log = logging.getLogger("webui")
PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 2
_STATUSES: tuple[tuple[type[OnesheetError], int], ...] = (
    (NotFoundError, 404),
    (InvalidRequestError, 422),
    (PosterError, 422),
    (CatalogError, 503),
    (SnapshotError, 503),
    (CheckpointError, 503),
)


@dataclass(frozen=True)
class Problem:
    """One error as it is sent.

    Args:
        status: HTTP status.
        detail: What was got, what was expected, the cure.
        errors: For 422, sentences by field.
        headers: Headers the answer carries besides.
    """

    status: int
    detail: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def document(self) -> dict[str, object]:
        """The members of RFC 9457, with ``errors`` where there are any."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return {**body, "errors": dict(self.errors)} if self.errors else body

    def response(self) -> Response:
        """The problem as a JSON answer that nobody may store."""
        answer = Response(json.dumps(self.document()), status=self.status, content_type=PROBLEM_JSON)
        answer.headers.update(self.headers)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def problem_of(error: OnesheetError) -> Problem:
    """Turn a domain error into a problem.

    Example:
        >>> problem_of(NotFoundError("no movie tt0")).status
        404
    """
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 422)
    if status == 503:
        return Problem(status, str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    if isinstance(error, PosterError):
        return Problem(status, str(error), {"poster": [str(error)]})
    if isinstance(error, InvalidRequestError) and error.field:
        return Problem(status, str(error), {error.field: [str(error)]})
    return Problem(status, str(error))


def problem_of_validation(error: ValidationError) -> Problem:
    """Turn what pydantic found into one problem with sentences by field."""
    errors: dict[str, list[str]] = {}
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part) for part in found["loc"]) or "body"
        errors.setdefault(name, []).append(found["msg"])
    fields = ", ".join(errors)
    return Problem(422, f"The request has {len(errors)} wrong field(s): {fields}. See errors.", errors)


def install_problems(app: Flask) -> None:
    """Make every error of ``app`` a problem document, or an error page where a page was asked for."""
    app.register_error_handler(OnesheetError, _answer_domain_error)
    app.register_error_handler(ValidationError, lambda error: _answer(problem_of_validation(error)))
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_fault)


def _answer_domain_error(error: OnesheetError) -> Response:
    problem = problem_of(error)
    if problem.status >= 500:
        log.warning("unavailable", extra={"detail": str(error)})
    return _answer(problem)


def _answer_http_error(error: HTTPException) -> Response:
    if error.response is not None and isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    headers = {k: v for k, v in error.get_headers() if k.lower() not in ("content-type", "content-length")}
    if status < 400:
        return Response(status=status, headers=headers)
    detail = error.description or HTTPStatus(status).phrase
    if isinstance(error, RequestEntityTooLarge):
        detail = "The request body is too large; a poster may have 20 MB."
    return _answer(Problem(status, detail, headers=headers))


def _answer_fault(error: Exception) -> Response:
    log.error("fault", exc_info=error)
    return _answer(Problem(500, "The server met a fault of its own; it is in the log under this request id."))


def _answer(problem: Problem) -> Response:
    if not _wants_page():
        return problem.response()
    page = Response(render_template("error.html", problem=problem), status=problem.status)
    page.headers.update(problem.headers)
    page.headers["Cache-Control"] = "no-store"
    return page


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/posters/", "/static/")):
        return False
    best = request.accept_mimetypes.best_match([PROBLEM_JSON, "application/json", "text/html"])
    return best == "text/html"
