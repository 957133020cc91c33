"""Files that can be made again: kept on disk by key, and done without where the disk will not."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("webui")


@dataclass(frozen=True)
class DiskCache:
    """A directory of files by key; it may be deleted at any time.

    Args:
        directory: Where they lie.
        suffix: How their names end.
    """

    directory: Path
    suffix: str

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The bytes under ``key``, made and kept now where they are not there yet.

        Args:
            key: Letters, digits and hyphens; equal keys stand for equal bytes.
            make: Makes the bytes; its errors pass through.
        """
        path = self.directory / key[:2] / f"{key}{self.suffix}"
        try:
            return path.read_bytes()
        except OSError:
            data = make()
        try:
            _write_aside(data, path)
        except OSError as error:
            # A full disk must not cost an answer that is at hand already.
            log.warning("cache not written", extra={"path": str(path), "error": str(error)})
        return data


def _write_aside(data: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        # Two requests may make the same file at once; the later one replaces equal bytes.
        Path(aside).replace(path)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise
