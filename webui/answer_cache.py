"""Answers that were given before, kept in memory while the catalog does not change."""

from __future__ import annotations

import threading
from collections import OrderedDict


class AnswerCache:
    """The answers given last, by ETag; the one unused for longest goes first. Threads may share it.

    Args:
        max_bytes: How much the bodies may take in all.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, tag: str) -> bytes | None:
        """The body under ``tag``; None where it is not kept."""
        with self._lock:
            body = self._bodies.get(tag)
            if body is not None:
                self._bodies.move_to_end(tag)
            return body

    def keep(self, tag: str, body: bytes) -> None:
        """Keep a body; one that is larger than an eighth of all is not kept."""
        if len(body) > self._max_bytes // 8:
            return
        with self._lock:
            self._n_bytes += len(body) - len(self._bodies.pop(tag, b""))
            self._bodies[tag] = body
            while self._n_bytes > self._max_bytes:
                self._n_bytes -= len(self._bodies.popitem(last=False)[1])
