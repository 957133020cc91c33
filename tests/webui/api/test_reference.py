"""The reference of the API: what its page says of the OpenAPI document."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from webui.api.reference import Entry, Operation, Reference, read_reference


@pytest.fixture
def reference(client: FlaskClient) -> Reference:
    samples = {"movie_id": "tt1", "like": "tt1", "value": 5}
    return read_reference(client.get("/api/openapi.json").get_json(), samples)


def operation_of(reference: Reference, method: str, path: str) -> Operation:
    operations = [one for section in reference.sections.values() for one in section]
    [found] = [one for one in operations if (one.method, one.path) == (method, path)]
    return found


def entry_of(operation: Operation, name: str) -> Entry:
    [found] = [one for one in operation.entries if one.name == name]
    return found


def test_a_number_says_its_limits_and_its_default(reference: Reference) -> None:
    k = entry_of(operation_of(reference, "GET", "/api/v1/movies/{movie_id}/similar"), "k")
    assert (k.kind, k.told, k.limits, k.default) == ("number", "integer, 1 to 200", (1.0, 200), "10")


def test_a_value_of_few_is_a_choice(reference: Reference) -> None:
    similar = operation_of(reference, "GET", "/api/v1/movies/{movie_id}/similar")
    assert entry_of(similar, "series").choices == ("first", "neutral", "hide")
    assert entry_of(similar, "collapse_duplicates").choices == ("true", "false")


def test_a_json_body_begins_with_its_required_members(reference: Reference) -> None:
    [body] = operation_of(reference, "POST", "/api/v1/recommendations").bodies
    assert json.loads(body.sample) == {"ratings": [{"movie_id": "tt1", "value": 5}]}


def test_an_operation_that_changes_the_catalog_is_begun_with_no_movie_of_it(reference: Reference) -> None:
    for method in ("PUT", "DELETE"):
        operation = operation_of(reference, method, "/api/v1/movies/{movie_id}")
        assert operation.needs_key
        assert entry_of(operation, "movie_id").sample == ""
    assert not operation_of(reference, "GET", "/api/v1/movies/{movie_id}").needs_key


def test_every_answer_that_names_a_schema_leads_to_one_of_the_page(reference: Reference) -> None:
    known = {one.name for one in reference.schemas}
    operations = [one for section in reference.sections.values() for one in section]
    named = {outcome.schema for one in operations for outcome in one.outcomes} - {""}
    members = {entry.schema for one in reference.schemas for entry in one.members} - {""}
    assert len(named) > 10
    assert named | members <= known


def test_code_in_a_description_is_shown_as_code(client: FlaskClient) -> None:
    page = client.get("/api/docs", headers={"Accept": "text/html"}).text
    assert "at most <code>w</code> pixels wide" in page
    assert "``" not in page
