"""The directory through which several workers sum their metrics; free of prometheus_client."""

from __future__ import annotations

import os
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
    with tempfile.TemporaryDirectory(prefix="onesheet-metrics-", ignore_cleanup_errors=True) as directory:
        os.environ[MULTIPROC_VARIABLE] = directory
        try:
            yield
        finally:
            del os.environ[MULTIPROC_VARIABLE]
