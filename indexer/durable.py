"""Files that are there whole or not at all, whatever the moment the power goes."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from pathlib import Path

_SCRAP = re.compile(r"\..+\.\d+\.[0-9a-f]{8}")
"""A file that ``write_durably`` has not put in place yet: ``.NAME.PROCESS.RANDOM``."""
_SCRAP_SECONDS = 3600.0

_DISK_ERRORS = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG)
)


def write_durably(path: Path, data: bytes) -> None:
    """Put a file in place at once: written beside, flushed to the disk, renamed over.

    Raises:
        OSError: The disk is full or failing; what stood at ``path`` still does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def clear_scraps(directory: Path) -> None:
    """Delete what writers left beside their files when they were killed; those at work are left alone."""
    if not directory.is_dir():
        return
    for path in directory.iterdir():
        # Another process may finish or clear the same file meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if _SCRAP.fullmatch(path.name) and time.time() - path.stat().st_mtime > _SCRAP_SECONDS:
                path.unlink()


def sync_file(path: Path) -> None:
    """Flush a file's bytes to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Flush a directory's names to the disk; without it a rename may not outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disk_sentence(error: OSError) -> str | None:
    """What a full, failing or forbidden disk means and what to do; None where it is not about the disk.

    Example:
        >>> disk_sentence(OSError(errno.ENOSPC, "No space left on device", "/home/index"))
        '/home/index: No space left on device; free some space or mend the disk, and do it again.'
        >>> disk_sentence(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
    """
    if error.errno not in _DISK_ERRORS:
        return None
    denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    cure = "allow writing there" if denied else "free some space or mend the disk"
    return f"{error.filename or 'The disk'}: {error.strerror}; {cure}, and do it again."
