"""The directory through which several workers sum their metrics; free of prometheus_client."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

MULTIPROC_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_metrics() -> Iterator[None]:
    """Name a directory for the metrics of all workers while the server runs.

    prometheus_client chooses how it counts when it is first imported, so this
    must be entered before.
    """
    if os.environ.get(MULTIPROC_VARIABLE):
        yield
        return
    directory, owner = tempfile.mkdtemp(prefix="onesheet-metrics-"), os.getpid()
    os.environ[MULTIPROC_VARIABLE] = directory
    try:
        yield
    finally:
        # A forked worker leaves through here too, while others may still be answering.
        if os.getpid() == owner:
            del os.environ[MULTIPROC_VARIABLE]
            shutil.rmtree(directory, ignore_errors=True)
