"""Start the server, or the bare one beside it, and wait until it answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RUN = "from webui.cli import main; main()"
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Served:
    """A running server.

    Args:
        address: Where it listens.
        pid: Process of its master.
        healthy_seconds: From its start to the first answer of any kind.
        ready_seconds: From its start to the first moment it could answer a question.
    """

    address: tuple[str, int]
    pid: int
    healthy_seconds: float
    ready_seconds: float

    def get(self, path: str) -> dict[str, Any]:
        """One JSON answer."""
        host, port = self.address
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=60) as answer:
            document: dict[str, Any] = json.load(answer)
        return document

    def resident_mb(self, kind: str = "VmRSS") -> float:
        """Memory of the master and its workers in MiB, shared pages counted in each.

        Args:
            kind: As ``/proc/PID/status`` names it; ``RssAnon`` leaves mapped files out.
        """
        pids = [self.pid, *_children(self.pid)]
        return sum(_resident_kb(pid, kind) for pid in pids) / 1024


@contextmanager
def onesheet_server(home: Path, log: Path, **environment: str) -> Iterator[Served]:
    """``onesheet serve`` over a home, without a rate limit."""
    port = _free_port()
    command = [sys.executable, "-c", _RUN, "--home", str(home), "serve", "--port", str(port)]
    with _running(command, port, "/readyz", log, ONESHEET_RATE_LIMIT="", **environment) as served:
        yield served


@contextmanager
def bare_server(document: dict[str, Any], log: Path) -> Iterator[Served]:
    """A Flask app that turns ``document`` into JSON, under the same gunicorn."""
    port, file = _free_port(), log.with_suffix(".document.json")
    file.write_text(json.dumps(document), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.bare_app", str(port), str(file)]
    with _running(command, port, "/bare", log) as served:
        yield served


@contextmanager
def _running(
    command: list[str], port: int, ready_path: str, log: Path, **environment: str
) -> Iterator[Served]:
    started = time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stderr=errors, env={**os.environ, **environment})
    try:
        healthy = _wait(process, port, "/healthz", started, (200, 404))
        ready = _wait(process, port, ready_path, started, (200,))
        yield Served(("127.0.0.1", port), process.pid, healthy, ready)
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _wait(
    process: subprocess.Popen[bytes], port: int, path: str, started: float, good: tuple[int, ...]
) -> float:
    while (passed := time.perf_counter() - started) < _PATIENCE_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}; see its log")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        if status in good:
            return time.perf_counter() - started
        time.sleep(0.01)
    raise TimeoutError(f"nothing on port {port} after {passed:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def _resident_kb(pid: int, kind: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1])
    return 0
