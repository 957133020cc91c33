"""A gate with few places turns the rest away at once, and takes new ones when places are free."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

from webui.overload import LoadGate
from webui.settings import WebSettings


class SlowApp:
    """Answers when it is told to; tells how many are inside."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.inside.release()
        self.go_on.wait(10)
        return Response("done")(environ, start_response)


def broken_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise RuntimeError("on purpose")


def gate(app: Any, running: int = 1, waiting: int = 0, wait: float = 0.0) -> tuple[LoadGate, list[int]]:
    shed: list[int] = []
    web = WebSettings(max_running=running, max_waiting=waiting, max_wait_seconds=wait)
    return LoadGate(app, web, lambda: shed.append(1)), shed


def test_a_full_gate_answers_503_and_recovers() -> None:
    app = SlowApp()
    door, shed = gate(app)
    first = threading.Thread(target=lambda: Client(door).get("/api/v1/movies"))
    first.start()
    app.inside.acquire()
    refused = Client(door).get("/api/v1/movies")
    assert refused.status_code == 503
    assert refused.mimetype == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
    assert shed == [1]
    app.go_on.set()
    first.join()
    assert Client(door).get("/api/v1/movies").status_code == 200


def test_one_that_waits_gets_the_next_place() -> None:
    app = SlowApp()
    door, shed = gate(app, waiting=1, wait=10.0)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(Client(door).get("/x").status_code)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    app.inside.acquire()
    app.go_on.set()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert not shed


def test_health_passes_a_full_gate() -> None:
    app = SlowApp()
    door, _ = gate(app)
    first = threading.Thread(target=lambda: Client(door).get("/x"))
    first.start()
    app.inside.acquire()
    health = threading.Thread(target=lambda: Client(door).get("/healthz"))
    health.start()
    assert app.inside.acquire(timeout=5)
    app.go_on.set()
    first.join()
    health.join()


def test_a_crash_gives_its_place_back() -> None:
    door, _ = gate(broken_app)
    for _ in range(3):
        try:
            Client(door).get("/x")
        except RuntimeError as error:
            assert str(error) == "on purpose"
        else:
            raise AssertionError("the crash was swallowed")
