"""Turn requests away while too many wait, so that those let in are answered in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from webui.problems import RETRY_AFTER_SECONDS, Problem
from webui.settings import WebSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ARRIVED = "onesheet.arrived"
"""Member of a WSGI environment: when the request came, on the monotonic clock."""
_ALWAYS = ("/healthz", "/readyz", "/metrics", "/static/")


class LoadGate:
    """A WSGI door with a fixed number of places and a short queue.

    It stands outside Flask: a request that is turned away must cost next to
    nothing, or shedding would itself be the overload. Health, metrics and
    static files pass always.

    Args:
        app: What answers the requests let in.
        web: How many places, how long the queue and the wait.
        on_shed: Called for each request turned away.
    """

    def __init__(self, app: WSGIApplication, web: WebSettings, on_shed: Callable[[], None]) -> None:
        self._app = app
        self._max_wait_seconds = web.max_wait_seconds
        self._on_shed = on_shed
        # Queues of tokens: written in C, they hand a place on without a turn of the interpreter.
        self._places = _tokens(web.max_running)
        self._queue = _tokens(web.max_running + web.max_waiting)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if str(environ.get("PATH_INFO", "")).startswith(_ALWAYS):
            return self._app(environ, start_response)
        environ[ARRIVED] = time.monotonic()
        try:
            self._queue.get_nowait()
        except Empty:
            return self._shed(environ, start_response)
        try:
            self._places.get(timeout=self._max_wait_seconds)
        except Empty:
            self._queue.put(None)
            return self._shed(environ, start_response)
        # Every answer is whole when the app returns it, so sending it to a slow reader needs no place.
        try:
            return self._app(environ, start_response)
        finally:
            self._places.put(None)
            self._queue.put(None)

    def _shed(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._on_shed()
        problem = Problem(
            503,
            "Too many requests are waiting; ask again in a moment.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
        return problem.response()(environ, start_response)


def _tokens(n: int) -> SimpleQueue[None]:
    tokens: SimpleQueue[None] = SimpleQueue()
    for _ in range(n):
        tokens.put(None)
    return tokens
