"""One process at a time changes an index directory; a lock of a dead process does not block."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from embeddings.errors import SnapshotError

LOCK_FILE = "index.lock"
OWNER_FILE = "index.owner"


@contextmanager
def publishing(root: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of an index directory.

    The operating system takes the lock away from a process that dies, so it
    never has to be broken by hand; the owner's file only serves the message.

    Args:
        root: The index directory; made where it is missing.
        wait_seconds: How long to wait for another process; 0 does not wait.

    Raises:
        SnapshotError: Another process holds it; the message names it.
    """
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / LOCK_FILE)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise SnapshotError(
            f"{root} is being written by {_owner(root)}; wait until it is done, or stop it."
        ) from error
    try:
        (root / OWNER_FILE).write_text(f"process {os.getpid()} on {os.uname().nodename}")
        yield
    finally:
        lock.release()


def _owner(root: Path) -> str:
    try:
        return (root / OWNER_FILE).read_text().strip() or "another process"
    except OSError:
        return "another process"
