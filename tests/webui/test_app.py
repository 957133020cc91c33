"""What every answer of the app has, whatever was asked."""

from __future__ import annotations

import re
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


def test_no_foreign_page_may_call_the_api_unless_its_origin_is_named(tmp_path: Path) -> None:
    settings, origin = load_settings(tmp_path, {}), {"Origin": "https://a.example"}
    closed = create_app(settings, web=WebSettings()).test_client()
    assert "Access-Control-Allow-Origin" not in closed.get("/healthz", headers=origin).headers
    named = create_app(settings, web=WebSettings(cors_origins=("https://a.example",))).test_client()
    allowed = named.get("/healthz", headers=origin).headers
    assert allowed["Access-Control-Allow-Origin"] == "https://a.example"
    assert {"ETag", "RateLimit-Reset", "Retry-After"} <= set(
        allowed["Access-Control-Expose-Headers"].split(", ")
    )
    other = named.get("/healthz", headers={"Origin": "https://b.example"}).headers
    assert "Access-Control-Allow-Origin" not in other


def test_forwarded_headers_are_believed_only_from_trusted_proxies(tmp_path: Path) -> None:
    settings, prefix = load_settings(tmp_path, {}), {"X-Forwarded-Prefix": "/cinema"}
    alone = create_app(settings, web=WebSettings()).test_client()
    assert "/cinema" not in alone.get("/api/docs", headers=prefix).text
    behind = create_app(settings, web=WebSettings(trusted_proxies=1)).test_client()
    page = behind.get("/api/docs", headers=prefix).text
    assert 'href="/cinema/api/openapi.json"' in page
    assert 'data-root="/cinema"' in page


def test_the_documentation_page_fetches_nothing_from_elsewhere(empty_client: FlaskClient) -> None:
    page = empty_client.get("/api/docs").text
    sources = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert "/static/js/reference.js" in sources
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)
    assert all(empty_client.get(source, buffered=True).status_code == 200 for source in sources)


def test_an_empty_home_is_alive_but_not_ready(empty_client: FlaskClient) -> None:
    answer = empty_client.get("/readyz")
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert "reindex" in answer.get_json(force=True)["detail"]


def test_a_long_answer_is_compressed_where_the_caller_can_read_it(empty_client: FlaskClient) -> None:
    plain = empty_client.get("/api/openapi.json")
    packed = empty_client.get("/api/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 3
