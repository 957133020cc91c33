"""A real Chromium against a real server over the small catalog."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Playwright, Route, expect, sync_playwright
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

PREFIX = "/cinema"
_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_PATIENCE_MS = 45_000  # a busy machine is no fault of the page
_AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that drives a browser is tried once more, and the run says so: it waits for other processes."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


class QuietHandler(WSGIRequestHandler):
    """Answers without a line in the log for each poster."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...


def in_one_piece(app: WSGIApplication) -> WSGIApplication:
    """Hand out answers read to their end: werkzeug's server leaves a file open whose reader went away."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        body = app(environ, start_response)
        try:
            return [b"".join(body)]
        finally:
            if hasattr(body, "close"):
                body.close()

    return answer


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve ``app`` under a prefix, as behind a proxy; gives the address of its first page."""
    outside = Response("Not part of this site.", status=404)
    mounted = in_one_piece(DispatcherMiddleware(outside, {PREFIX: app}))
    server = make_server("127.0.0.1", 0, mounted, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def serve() -> Callable[[Flask], AbstractContextManager[str]]:
    """Serve an app of the test's own."""
    return serving


@pytest.fixture(scope="session")
def site(app: Flask) -> Iterator[str]:
    """Address of the small catalog's site; every test of it also proves that a prefix works."""
    with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of the browser."""
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium: the machine's own where it has one, else Playwright's."""
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
    yield chromium
    chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages in contexts of their own; a fault in any script fails the test."""
    contexts, faults = [], []

    def open_one(address: str, wait: str = "domcontentloaded", **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address, wait_until=wait)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


class Held:
    """Requests of a page that get no answer until the test lets them go."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._page = page
        self._routes: list[Route] = []
        page.route(pattern, lambda route: self._routes.append(route))  # Playwright marks the handler

    def first(self) -> Route:
        """The first of them, as soon as the page has asked."""
        end = time.monotonic() + _PATIENCE_MS / 1000
        while not self._routes and time.monotonic() < end:
            self._page.wait_for_timeout(20)
        return self._routes[0]


@pytest.fixture(scope="session")
def hold() -> Callable[[Page, str], Held]:
    """Hold what a page asks for back."""
    return Held


@pytest.fixture(scope="session")
def violations() -> Callable[[Page], list[str]]:
    """What axe-core holds against a page as it stands, one line each."""
    source = _AXE.read_text(encoding="utf-8")

    def check(page: Page) -> list[str]:
        page.evaluate(source)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]

    return check
