"""Prometheus metrics of the web door; with several workers they are summed through a shared directory.

``PROMETHEUS_MULTIPROC_DIR`` names that directory; ``onesheet serve`` sets it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from flask import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from webui.metrics_dir import MULTIPROC_VARIABLE

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Metrics:
    """What one app counts, in a registry of its own so that two apps can live in one process."""

    registry: CollectorRegistry
    requests: Histogram
    search: Histogram
    encode: Histogram
    shed: Counter
    faults: Counter
    overlay_rows: Gauge
    revision_lag: Gauge
    movies: Gauge

    def page(self) -> Response:
        """Everything counted so far, by every worker, in the Prometheus text format."""
        registry = self.registry
        if os.environ.get(MULTIPROC_VARIABLE):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def make_metrics() -> Metrics:
    """Make the metrics of one app, all at zero."""
    registry = CollectorRegistry()
    return Metrics(
        registry=registry,
        requests=Histogram(
            "onesheet_request_seconds",
            "Time to answer a request.",
            ("endpoint", "method", "status"),
            registry=registry,
            buckets=_SECONDS,
        ),
        search=Histogram(
            "onesheet_search_seconds", "Time to find similar movies.", registry=registry, buckets=_SECONDS
        ),
        encode=Histogram(
            "onesheet_encode_seconds", "Time to encode one poster.", registry=registry, buckets=_SECONDS
        ),
        shed=Counter(
            "onesheet_shed_requests", "Requests answered 503 for want of a place.", registry=registry
        ),
        faults=Counter("onesheet_faults", "Requests answered 500.", registry=registry),
        overlay_rows=_gauge("onesheet_overlay_rows", "Movies newer than the snapshot.", registry),
        revision_lag=_gauge("onesheet_revision_lag", "Catalog revisions since the snapshot.", registry),
        movies=_gauge("onesheet_movies", "Movies that can be answered.", registry),
    )


def _gauge(name: str, text: str, registry: CollectorRegistry) -> Gauge:
    # Every worker sees the same catalog, so the latest value of any worker is the value.
    return Gauge(name, text, registry=registry, multiprocess_mode="mostrecent")
