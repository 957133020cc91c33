"""The production server: gunicorn with threads, one recommender in each worker."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from prometheus_client import multiprocess
from threadpoolctl import threadpool_limits

from webui.app import create_app
from webui.metrics_dir import MULTIPROC_VARIABLE
from webui.observability import log_json
from webui.services import services_of

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

    from indexer.settings import Settings
    from webui.settings import WebSettings


_OMP_VARIABLE = "OMP_NUM_THREADS"
_M_ARENA_MAX = -8
"""Of malloc.h."""
_SILENT_SECONDS = 20.0


@dataclass(frozen=True)
class ServeOptions:
    """Where and with how many processes to listen.

    Args:
        host: Address; the default is reachable from this machine alone.
        port: TCP port; 0 lets the system choose.
        workers: Processes.
        graceful_seconds: How long requests under way may take when the server is told to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    graceful_seconds: int = 20


class JsonGunicornLogger(Logger):  # type: ignore[misc]
    """Gunicorn's own messages, through the root logger, so that every line is JSON."""

    def setup(self, cfg: Any) -> None:
        """Drop gunicorn's handlers; its records go up to ours."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, told everything by its caller and nothing by files or the command line."""

    def __init__(self, options: ServeOptions, settings: Settings, web: WebSettings) -> None:
        self._options = options
        self._settings = settings
        self._web = web
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings."""
        options = self._options
        host = f"[{options.host}]" if ":" in options.host else options.host
        for name, value in {
            "bind": [f"{host}:{options.port}"],
            "workers": options.workers,
            "worker_class": "gthread",
            # A place for each request that runs or waits, and some for those that are turned away.
            "threads": self._web.max_running + self._web.max_waiting + 8,
            "backlog": 256,
            "graceful_timeout": options.graceful_seconds,
            "timeout": 120,
            "keepalive": 30,
            "limit_request_line": 8190,
            "preload_app": True,
            "proc_name": "onesheet",
            "logger_class": "webui.server.JsonGunicornLogger",
            "when_ready": _limit_silence,
            "post_worker_init": _open_in_background,
            "worker_exit": _stop_working,
            "child_exit": _forget_worker,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The app; gunicorn forks after this, so nothing may be opened here."""
        return create_app(self._settings, web=self._web)


def serve(options: ServeOptions, settings: Settings, web: WebSettings) -> None:
    """Listen until told to stop; SIGTERM lets requests under way finish. Run it inside ``shared_metrics``.

    Args:
        options: Where and with how many processes.
        settings: Where the home is and what it allows.
        web: How each process answers.
    """
    log_json()
    Server(options, settings, web).run()


def _limit_silence(arbiter: Arbiter) -> None:
    for listener in arbiter.LISTENERS:
        limit_silence(listener.sock, _SILENT_SECONDS)


def limit_silence(listener: socket.socket, seconds: float) -> None:
    """Let what ``listener`` accepts wait this long for the next bytes of a request, or for room to answer.

    Without a limit a sender that stops in the middle of an upload would keep its place for ever. The kernel
    hands it on to each connection; Python's own would cost each request three calls of the kernel.
    """
    whole = int(seconds)
    limit = struct.pack("@ll", whole, int((seconds - whole) * 1e6))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _open_in_background(worker: Worker) -> None:
    """Open the recommender before the first question; meanwhile /readyz says no. Then answer ahead."""
    _keep_few_arenas()
    held = services_of(worker.app.callable)

    def work() -> None:
        with _one_thread_for_a_question():
            held.why_not_ready()
        held.ahead.run()

    threading.Thread(target=work, name="open-recommender", daemon=True).start()


@contextmanager
def _one_thread_for_a_question() -> Iterator[None]:
    """Let FAISS, imported inside, and numpy's BLAS work in the thread that asks.

    Requests are what runs in parallel here: a search of half a millisecond
    that is split waits for threads that other requests hold. Each OpenMP reads the
    variable when it is loaded, so torch, which brings its own, keeps all cores.
    """
    threadpool_limits(1, user_api="blas")
    told = os.environ.get(_OMP_VARIABLE)
    os.environ.setdefault(_OMP_VARIABLE, "1")
    try:
        yield
    finally:
        if told is None:
            del os.environ[_OMP_VARIABLE]


def _keep_few_arenas() -> None:
    """Let glibc's threads share two heaps: each of forty would keep the most it ever freed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)


def _stop_working(_arbiter: Arbiter, worker: Worker) -> None:
    services_of(worker.app.callable).ahead.stop()


def _forget_worker(_arbiter: Arbiter, worker: Worker) -> None:
    if os.environ.get(MULTIPROC_VARIABLE):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
