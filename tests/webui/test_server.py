"""The production server: two processes that agree, metrics of both, and a stop that breaks nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from indexer.settings import Settings
from recommender.types import SimilarRequest
from webui.client import OnesheetClient

API_KEY = "a-key-for-tests"
PATIENCE_SECONDS = 90
RUN = "from webui.cli import main; main()"


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(settings: Settings, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "ONESHEET_HOME": str(settings.home),
        "ONESHEET_MODEL": str(settings.model),
        "ONESHEET_API_KEYS": API_KEY,
        "ONESHEET_RATE_LIMIT": "",
        "OMP_NUM_THREADS": "1",
        **more,
    }


def wait_until_ready(served: Served) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        assert served.process.poll() is None, served.log.read_text()
        try:
            if requests.get(f"{served.url}/readyz", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise TimeoutError(served.log.read_text())


@pytest.fixture
def served(own_home: Settings, tmp_path: Path) -> Iterator[Served]:
    port, log = free_port(), tmp_path / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, "serve", "--port", str(port), "--workers", "2"],
            env=environment(own_home),
            stderr=file,
        )
    server = Served(process, f"http://127.0.0.1:{port}", log)
    wait_until_ready(server)
    yield server
    process.terminate()
    process.wait(PATIENCE_SECONDS)


def test_what_one_process_stores_every_process_answers_at_once(served: Served) -> None:
    with OnesheetClient(served.url, API_KEY) as client:
        stored = client.put_movie("new-1", "Ein neuer Film", 2021, ["Comedy", "Drama"])
        assert stored.genres == ("Comedy", "Drama")
        # A connection stays with the process that took it, so each of these is a fresh one.
        for _ in range(12):
            assert requests.get(f"{served.url}/api/v1/movies/new-1", timeout=30).status_code == 200
        client.remove_movie("new-1")
        for _ in range(12):
            assert requests.get(f"{served.url}/api/v1/movies/new-1", timeout=30).status_code == 404


def test_metrics_count_the_requests_of_all_processes(served: Served) -> None:
    for _ in range(10):
        requests.get(f"{served.url}/api/v1/genres", timeout=30)
    text = requests.get(f"{served.url}/metrics", timeout=30).text
    line = next(
        line
        for line in text.splitlines()
        if line.startswith("onesheet_request_seconds_count") and "/api/v1/genres" in line
    )
    assert float(line.rsplit(" ", 1)[1]) == 10
    assert "onesheet_movies 40.0" in text


def test_a_stop_lets_the_request_under_way_finish(served: Served) -> None:
    answers: list[int] = []

    def ask() -> None:
        with OnesheetClient(served.url) as client:
            answers.append(len(client.similar(SimilarRequest(like=(first,), k=5)).results))

    with OnesheetClient(served.url) as client:
        first = next(iter(client.movies(limit=1))).movie_id
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE_SECONDS) == 0
    assert answers == [5, 5, 5, 5]
    assert '"event": "request"' in served.log.read_text()
    assert "Traceback" not in served.log.read_text()


def test_a_question_by_id_never_loads_torch(small_home: Settings) -> None:
    code = (
        "import sys\n"
        "from webui.app import create_app\n"
        "client = create_app().test_client()\n"
        "movie = client.get('/api/v1/movies?limit=1').get_json()['movies'][0]['movie_id']\n"
        "answer = client.get(f'/api/v1/movies/{movie}/similar')\n"
        "assert answer.status_code == 200 and answer.get_json()['results']\n"
        "assert client.get(f'/posters/{movie}?w=80').status_code == 200\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(small_home),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout.strip() == "False"


def test_the_master_process_loads_neither_faiss_nor_torch() -> None:
    code = "import sys, webui.server; print(sorted({'faiss', 'torch', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
