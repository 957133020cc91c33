"""Answers that were given before, kept in memory while the catalog does not change."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Hashable

State = tuple[str, int]
"""Snapshot and catalog revision: the same question under the same state has the same answer."""


class AnswerCache:
    """The bodies given last, all of one state; the one unused for longest goes first. Threads may share it.

    Bodies are kept compressed, at a fifth of their size: unpacking one takes some 15 microseconds.

    Args:
        max_bytes: How much the compressed bodies may take in all.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._state: State | None = None
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, state: State, question: Hashable) -> bytes | None:
        """The body of the answer to ``question`` under ``state``; None where it is not kept."""
        with self._lock:
            packed = self._bodies.get(question) if state == self._state else None
            if packed is None:
                return None
            self._bodies.move_to_end(question)
        return zlib.decompress(packed)

    def keep(self, state: State, question: Hashable, body: bytes) -> None:
        """Keep a body; one that takes more than an eighth of all is not kept, another state empties all.

        Of requests that were under way when the catalog changed some end later than the first ones of the
        new state: what they say of an older revision is not kept.
        """
        packed = zlib.compress(body, 1)
        if len(packed) > self.max_bytes // 8:
            return
        with self._lock:
            if state != self._state:
                if self._state is not None and state[1] < self._state[1]:
                    return
                self._state, self.n_bytes = state, 0
                self._bodies.clear()
            self.n_bytes += len(packed) - len(self._bodies.pop(question, b""))
            self._bodies[question] = packed
            while self.n_bytes > self.max_bytes:
                self.n_bytes -= len(self._bodies.popitem(last=False)[1])
