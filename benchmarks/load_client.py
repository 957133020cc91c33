"""A load generator of one thread: keep-alive HTTP/1.1 connections over epoll, little work for each request.

It must cost far less than the server it measures, for both share the
machine; a request here is one send, one or two receives and a find.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_BOUNDARY = "onesheet-load"


@dataclass
class Connection:
    """One keep-alive connection and the request under way on it."""

    socket: socket.socket
    asked_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Load:
    """What a run met.

    Args:
        seconds: How long it ran.
        latencies: Seconds from the time a request was due to the end of its answer, one each.
        statuses: Answers by HTTP status; 0 is a connection that broke.
    """

    seconds: float
    latencies: np.ndarray
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        """Answers with status 200 in a second."""
        return self.statuses.get(200, 0) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """The latency that ``share`` percent of the answers stay under, in milliseconds."""
        return float(np.percentile(self.latencies, share) * 1000) if len(self.latencies) else float("nan")

    def summary(self) -> dict[str, object]:
        """The figures for a table or a file."""
        return {
            "per_second": round(self.per_second, 1),
            "p50_ms": round(self.percentile_ms(50), 3),
            "p99_ms": round(self.percentile_ms(99), 3),
            "statuses": self.statuses,
        }


def run_load(
    address: tuple[str, int],
    requests: Iterator[bytes],
    seconds: float,
    n_connections: int,
    rate: float | None = None,
) -> Load:
    """Ask for some seconds.

    Args:
        address: Host and port.
        requests: Whole requests, headers and body, without end.
        seconds: How long.
        n_connections: Connections, each with one request at a time.
        rate: Requests due each second, whether or not the server keeps up; None asks again at once.
    """
    generator = _Generator(address, requests, n_connections, rate)
    try:
        return generator.run(seconds)
    finally:
        generator.close()


def get_request(path: str, headers: str = "") -> bytes:
    """A GET request as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


def upload_request(path: str, poster: Path) -> bytes:
    """A POST request with a file ``poster``, as bytes."""
    body = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="poster"; filename="poster.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    body += poster.read_bytes() + f"\r\n--{_BOUNDARY}--\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Generator:
    def __init__(
        self, address: tuple[str, int], requests: Iterator[bytes], n_connections: int, rate: float | None
    ) -> None:
        self._address = address
        self._requests = requests
        self._rate = rate
        self._selector = selectors.DefaultSelector()
        self._free: deque[Connection] = deque()
        self._due: deque[float] = deque()
        self._latencies: list[float] = []
        self._statuses: Counter[int] = Counter()
        for _ in range(n_connections):
            self._connect()

    def run(self, seconds: float) -> Load:
        start = time.perf_counter()
        end, n_due = start + seconds, 0
        while (now := time.perf_counter()) < end:
            if self._rate is None:
                self._due.extend([now] * len(self._free))
            else:
                while start + n_due / self._rate <= now:
                    self._due.append(start + n_due / self._rate)
                    n_due += 1
            while self._due and self._free:
                self._ask(self._free.popleft(), self._due.popleft())
            for key, _ in self._selector.select(0.001 if self._rate else 0.1):
                self._receive(key.data)
        return Load(time.perf_counter() - start, np.array(self._latencies), dict(self._statuses))

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.socket.close()
        self._selector.close()

    def _connect(self) -> None:
        connected = socket.create_connection(self._address, timeout=10)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(connected)
        self._selector.register(connected, selectors.EVENT_READ, connection)
        self._free.append(connection)

    def _ask(self, connection: Connection, due: float) -> None:
        connection.asked_at = due
        connection.received.clear()
        try:
            connection.socket.sendall(next(self._requests))
        except OSError:
            self._broken(connection)

    def _receive(self, connection: Connection) -> None:
        try:
            part = connection.socket.recv(1 << 18)
        except OSError:
            part = b""
        if not part:
            self._broken(connection)
            return
        connection.received += part
        if not _is_whole(connection.received):
            return
        self._statuses[int(connection.received[9:12])] += 1
        self._latencies.append(time.perf_counter() - connection.asked_at)
        if b"connection: close" in connection.received[:1000].lower():
            self._renew(connection)
        else:
            self._free.append(connection)

    def _broken(self, connection: Connection) -> None:
        self._statuses[0] += 1
        self._renew(connection)

    def _renew(self, connection: Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        if connection in self._free:
            self._free.remove(connection)
        self._connect()


def _is_whole(received: bytearray) -> bool:
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return False
    headers = bytes(received[:head]).lower()
    start = headers.find(b"content-length:")
    if start < 0:
        return True
    length = int(headers[start + 15 :].split(b"\r\n", 1)[0])
    return len(received) >= head + 4 + length
