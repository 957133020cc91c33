"""What every answer of the app has, whatever was asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from indexer.settings import load_settings
from webui.app import create_app
from webui.settings import WebSettings


@pytest.fixture
def empty_client(tmp_path: Path) -> FlaskClient:
    return create_app(load_settings(tmp_path, {}), web=WebSettings()).test_client()


def test_the_process_is_alive_before_anything_is_open(empty_client: FlaskClient) -> None:
    answer = empty_client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok"}


def test_an_unknown_path_is_a_problem_document(empty_client: FlaskClient) -> None:
    answer = empty_client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json(force=True)["title"] == "Not Found"


def test_a_wrong_method_names_the_right_ones(empty_client: FlaskClient) -> None:
    answer = empty_client.delete("/healthz")
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert "GET" in answer.headers["Allow"]


def test_a_given_request_id_comes_back_and_a_dangerous_one_is_replaced(empty_client: FlaskClient) -> None:
    assert empty_client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    replaced = empty_client.get("/healthz", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"]
    assert len(replaced) == 32


def test_the_openapi_document_is_version_3_1(empty_client: FlaskClient) -> None:
    document = empty_client.get("/api/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    assert "/healthz" in document["paths"]
