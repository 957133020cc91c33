"""Keys open what changes data, and a rate limit counts by key or address."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask

from embeddings.errors import InvalidRequestError, SnapshotError
from webui.access import ApiKeys, install_access, require_api_key
from webui.problems import RETRY_AFTER_SECONDS, install_problems


def make_app(keys: tuple[str, ...] = (), rate_limit: str = "") -> Flask:
    app = Flask("under_test")
    install_problems(app)
    install_access(app, keys, rate_limit, "memory://")

    @app.put("/thing")
    def put_thing() -> str:
        require_api_key()
        return "done"

    @app.get("/thing")
    def get_thing() -> str:
        return "here"

    @app.get("/snapshot")
    def get_snapshot() -> str:
        raise SnapshotError("nothing is indexed yet")

    return app


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_is_known_and_a_prefix_of_it_is_not() -> None:
    keys = ApiKeys(["correct-horse", "battery"])
    assert keys.knows("battery")
    assert not keys.knows("correct-hors")
    assert not keys.knows("")


def test_a_key_can_be_given_as_its_hash_and_the_hash_itself_opens_nothing() -> None:
    digest = "sha256:" + hashlib.sha256(b"correct-horse").hexdigest()
    keys = ApiKeys([digest])
    assert keys.knows("correct-horse")
    assert not keys.knows(digest)


def test_a_hash_that_is_none_is_refused_without_saying_the_key() -> None:
    with pytest.raises(InvalidRequestError, match="64 hexadecimal digits") as refused:
        ApiKeys(["sha256:correct-horse"])
    assert "correct-horse" not in str(refused.value)


def test_keys_are_not_kept_as_text() -> None:
    assert "correct-horse" not in str(vars(ApiKeys(["correct-horse"])))


def test_a_server_without_keys_lets_nobody_write() -> None:
    answer = make_app().test_client().put("/thing", headers=bearer("anything"))
    assert answer.status_code == 403
    assert "ONESHEET_API_KEYS" in answer.get_json(force=True)["detail"]


def test_a_wrong_key_and_no_key_are_challenged() -> None:
    client = make_app(("right",)).test_client()
    for headers in ({}, bearer("wrong"), {"Authorization": "Basic cmlnaHQ="}):
        answer = client.put("/thing", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.put("/thing", headers=bearer("right")).data == b"done"


def test_too_many_requests_are_refused_with_the_time_to_wait() -> None:
    client = make_app(rate_limit="2/minute").test_client()
    first = client.get("/thing").headers
    assert first["RateLimit-Remaining"] == "1"
    assert "Retry-After" not in first
    client.get("/thing")
    refused = client.get("/thing")
    assert refused.status_code == 429
    assert refused.mimetype == "application/problem+json"
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_the_time_until_the_next_count_is_given_in_seconds_from_now() -> None:
    client = make_app(rate_limit="2/minute").test_client()
    headers = client.get("/thing").headers
    assert headers["RateLimit-Limit"] == "2"
    assert 0 <= int(headers["RateLimit-Reset"]) <= 60


def test_an_error_that_waiting_does_not_mend_asks_nobody_to_wait() -> None:
    client = make_app(("right",), rate_limit="100/hour").test_client()
    for status, answer in ((404, client.get("/nothing")), (401, client.put("/thing"))):
        assert answer.status_code == status
        assert "Retry-After" not in answer.headers


def test_what_is_away_for_seconds_does_not_ask_for_the_rest_of_the_hour() -> None:
    away = make_app(rate_limit="100/hour").test_client().get("/snapshot")
    assert away.status_code == 503
    assert away.headers["RateLimit-Remaining"] == "99"
    assert away.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)


def test_an_unknown_key_does_not_buy_a_fresh_count() -> None:
    client = make_app(("right",), rate_limit="1/minute").test_client()
    client.get("/thing")
    assert client.get("/thing", headers=bearer("made-up")).status_code == 429
    assert client.get("/thing", headers=bearer("right")).status_code == 200


def test_an_empty_rate_limit_is_off() -> None:
    client = make_app(rate_limit="").test_client()
    assert all(client.get("/thing").status_code == 200 for _ in range(50))
