"""What was answered a moment ago, kept for as long as the catalog does not change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

State = tuple[str, int]
"""Snapshot and catalog revision: the same question under the same state has the same answer."""


class StateCache(Generic[Key, Value]):
    """The values used last, all of one state; a newer state empties it. Threads may share it.

    Args:
        size: How many at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._state: State | None = None
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def find(self, state: State, key: Key) -> Value | None:
        """The value of ``key`` under ``state``; None where it is not kept."""
        with self._lock:
            if state != self._state or key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, state: State, key: Key, value: Value) -> None:
        """Keep a value, if it is of no older revision; the one used longest ago makes room for it."""
        with self._lock:
            if state != self._state:
                if self._state is not None and state[1] < self._state[1]:
                    return  # asked before a change, and answered after others had asked since
                self._state = state
                self._values.clear()
            self._values[key] = value
            if len(self._values) > self._size:
                self._values.popitem(last=False)
