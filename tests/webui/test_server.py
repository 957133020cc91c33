"""The production server: two processes that agree, metrics of both, and a stop that breaks nothing."""

from __future__ import annotations

import json
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
from click.testing import CliRunner

from indexer import database
from indexer.settings import Settings
from recommender.types import SimilarRequest
from webui.cli import main
from webui.client import OnesheetClient
from webui.server import limit_silence

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


def wait_until_read(connection: socket.socket, served: Served) -> None:
    """Until the server has taken what was sent: the receive queue of its side of the connection is empty."""
    mine = connection.getsockname()[1]
    theirs = connection.getpeername()[1]
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            local, remote, _, queues = line.split()[1:5]
            ports = int(local.rsplit(":", 1)[1], 16), int(remote.rsplit(":", 1)[1], 16)
            if ports == (theirs, mine) and queues.endswith(":00000000"):
                return
        time.sleep(0.05)
    raise TimeoutError(served.log.read_text())


def wait_until_told(served: Served, words: str) -> None:
    """Until the log says so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while words not in served.log.read_text():
        if time.monotonic() > end:
            raise TimeoutError(served.log.read_text())
        time.sleep(0.05)


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


def test_a_stop_after_answers_is_clean(served: Served) -> None:
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
    events = [json.loads(line)["event"] for line in served.log.read_text().splitlines()]
    assert events.count("request") >= 5
    assert "Traceback" not in served.log.read_text()


def test_a_request_under_way_when_the_stop_comes_is_answered(served: Served) -> None:
    with OnesheetClient(served.url) as client:
        movie_id = next(iter(client.movies(limit=1))).movie_id
    body = json.dumps({"ratings": [{"movie_id": movie_id, "value": 5}]}).encode()
    head = (
        "POST /api/v1/recommendations HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    port = int(served.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head.encode() + body[:10])
        wait_until_read(connection, served)
        served.process.send_signal(signal.SIGTERM)
        wait_until_told(served, "Handling signal: term")
        time.sleep(0.5)  # the master tells its workers
        connection.sendall(body[10:])
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert len(json.loads(answer.partition(b"\r\n\r\n")[2])["results"]) == 10
    assert served.process.wait(PATIENCE_SECONDS) == 0


def test_a_sender_may_be_silent_for_a_while_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        limit_silence(listener, 0.2)
        with socket.create_connection(listener.getsockname()) as sender:
            ours, _ = listener.accept()
            with ours:
                ours.setblocking(False)
                ours.setblocking(True)  # as gunicorn does between two requests of a connection
                sender.sendall(b"POST")
                assert ours.recv(100) == b"POST"
                with pytest.raises(BlockingIOError):
                    ours.recv(100)


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


def test_a_catalog_of_another_schema_is_not_served_and_the_cure_is_named(own_home: Settings) -> None:
    engine = database.make_engine(own_home.database_url)
    database.downgrade(engine, "0001")
    engine.dispose()
    done = CliRunner().invoke(main, ["--home", str(own_home.home), "serve", "--port", str(free_port())])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "run `onesheet db upgrade`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_master_process_loads_neither_faiss_nor_torch() -> None:
    heavy = "{'faiss', 'torch', 'pandas'}"
    code = f"import sys, webui.commands, webui.server; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
