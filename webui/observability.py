"""Request ids, one JSON log line for each request, and its time by endpoint."""

from __future__ import annotations

import logging
import random
import re
import sys
import time
from datetime import UTC, datetime

from flask import Flask, Response, g, request

from webui.json_bytes import to_json
from webui.metrics import Metrics

REQUEST_ID_HEADER = "X-Request-ID"
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
log = logging.getLogger("webui.access")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, what ``extra`` gave, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return to_json(line, default=str).decode().rstrip("\n")


def log_json(level: int = logging.INFO) -> None:
    """Send every log record of this process to stderr as JSON; called by the server, not by apps."""
    # Nobody reads where a record was made, and finding out takes longer than the rest of it (the
    # logging HOWTO, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def install_observability(app: Flask, metrics: Metrics) -> None:
    """Number, time, count and log every request of ``app``."""

    def start() -> None:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        g.request_id = given if _SAFE_ID.fullmatch(given) else _new_id()
        g.started = time.perf_counter()

    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        # The rule, not the path: a metric with a label for each movie would grow without end.
        endpoint = request.url_rule.rule if request.url_rule else "(none)"
        method = request.method if request.method in _METHODS else "OTHER"
        metrics.requests.labels(endpoint, method, str(response.status_code)).observe(seconds)
        if response.status_code == 500:
            metrics.faults.inc()
        response.headers[REQUEST_ID_HEADER] = g.request_id
        if log.isEnabledFor(logging.INFO):
            log.info("request", extra=_facts(response, seconds))
        return response

    app.before_request(start)
    app.after_request(finish)


def _new_id() -> str:
    # It is no secret, only unlike the others: the system's randomness would cost a call to the kernel.
    return f"{random.getrandbits(128):032x}"


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))


def _facts(response: Response, seconds: float) -> dict[str, object]:
    return {
        "request_id": g.request_id,
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "ms": round(seconds * 1000, 2),
        "bytes": response.content_length,
        "address": request.remote_addr,
    }
