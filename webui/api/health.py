"""Liveness, readiness and metrics."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from webui.api.documents import problems
from webui.problems import Problem
from webui.schemas import Health
from webui.services import services

health = APIBlueprint("health", __name__, abp_tags=[Tag(name="server")])


@health.get("/healthz", responses={200: Health})
def get_health() -> Response:
    """Whether the process answers at all."""
    return jsonify(status="ok")


@health.get("/readyz", responses={200: Health, **problems(503)})
def get_readiness() -> Response:
    """Whether a catalog and a snapshot are open, so that questions can be answered."""
    missing = services().why_not_ready()
    if missing is not None:
        return Problem(503, missing, headers={"Retry-After": "2"}).response()
    return jsonify(status="ready")


@health.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
def get_metrics() -> Response:
    """Counts and times in the Prometheus text format."""
    held = services()
    held.measure()
    return held.metrics.page()
