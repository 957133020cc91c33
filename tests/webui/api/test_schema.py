"""The OpenAPI document, asked by schemathesis: no fault of ours, no answer that is not documented.

``ONESHEET_SCHEMA_EXAMPLES`` sets how many requests each operation gets.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from indexer.settings import Settings, load_settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.settings import WebSettings

EXAMPLES = int(os.environ.get("ONESHEET_SCHEMA_EXAMPLES", "15"))
# Over WSGI schemathesis does not unpack what it says it accepts.
HEADERS = {"Authorization": "Bearer a-key-for-tests", "Accept-Encoding": "identity"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="session")
def api_schema(
    small_home: Settings, tmp_path_factory: pytest.TempPathFactory
) -> schemathesis.schemas.BaseSchema:
    """The document of an app over a copy of the small catalog, which the requests may change."""
    home = tmp_path_factory.mktemp("schema") / "home"
    shutil.copytree(small_home.home, home)
    own = replace(
        small_home,
        home=home,
        database_url=f"sqlite:///{home / 'catalog.db'}",
        index_url=f"faiss://{home}/index",
    )
    app = create_app(own, open_recommender(own), WebSettings())
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app)


def documented() -> list[tuple[str, str]]:
    """Method and path of every operation; the document needs no catalog."""
    paths = create_app(load_settings("nowhere", {}), web=WebSettings()).api_doc["paths"]
    return [(method.upper(), path) for path, item in paths.items() for method in item]


@pytest.mark.parametrize(("method", "path"), documented())
def test_every_answer_is_documented_and_none_is_a_fault(
    api_schema: schemathesis.schemas.BaseSchema, method: str, path: str
) -> None:
    @given(case=api_schema[path][method].as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="ONESHEET_SCHEMA_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    ask()
