"""The OpenAPI document, asked by schemathesis: no fault of ours, no answer that is not documented.

``ONESHEET_SCHEMA_EXAMPLES`` sets how many requests each operation gets alone, and in how
many chains the document's links are followed from answer to answer.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from recommender.recommender import Recommender, open_recommender
from webui.api.links import with_links
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


class OwnApp:
    """A WSGI app over a copy of the small catalog, which the requests may change."""

    def __init__(self, small_home: Settings, directory: Path) -> None:
        self._source, self._home = small_home, directory / "home"
        self._recommender: Recommender | None = None
        self.start_over()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self._app(environ, start_response)

    def start_over(self) -> None:
        """Take a fresh copy: what was answered once is answered again to the same requests."""
        self.close()
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.copytree(self._source.home, self._home)
        own = replace(
            self._source,
            home=self._home,
            database_url=f"sqlite:///{self._home / 'catalog.db'}",
            index_url=f"faiss://{self._home}/index",
        )
        self._recommender = open_recommender(own)
        self._app = create_app(own, self._recommender, WebSettings())

    def close(self) -> None:
        if self._recommender is not None:
            self._recommender.catalog.close()


@pytest.fixture(scope="session")
def own_app(small_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    """One app for all requests of this file."""
    app = OwnApp(small_home, tmp_path_factory.mktemp("schema"))
    yield app
    app.close()


@pytest.fixture(scope="session")
def api_schema(own_app: OwnApp) -> schemathesis.schemas.BaseSchema:
    """The document that the app serves."""
    return schemathesis.openapi.from_wsgi("/api/openapi.json", own_app)


def document() -> dict[str, Any]:
    """The document as the views give it; it needs no catalog."""
    found: dict[str, Any] = create_app(load_settings("nowhere", {}), web=WebSettings()).api_doc
    return found


def documented() -> list[tuple[str, str]]:
    """Method and path of every operation."""
    return [(method.upper(), path) for path, item in document()["paths"].items() for method in item]


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


def linked(links: dict[str, Any]) -> set[str]:
    """Operations that a link leads from or to."""
    operations = {
        operation["operationId"]: (f"{method.upper()} {path}", operation)
        for path, item in links["paths"].items()
        for method, operation in item.items()
    }
    found = set()
    for name, operation in operations.values():
        targets = {
            operations[link["operationId"]][0]
            for answer in operation["responses"].values()
            for link in answer.get("links", {}).values()
        }
        found |= {name, *targets} if targets else set()
    return found


def test_following_the_links_from_answer_to_answer_meets_no_fault(
    api_schema: schemathesis.schemas.BaseSchema, own_app: OwnApp
) -> None:
    asked: Counter[str] = Counter()

    class Chain(api_schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            own_app.start_over()

        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": HEADERS}

        def after_call(self, response: schemathesis.Response, case: schemathesis.Case) -> None:
            asked[f"{case.method} {case.path}"] += 1

        def validate_response(
            self, response: schemathesis.Response, case: schemathesis.Case, **given: Any
        ) -> None:
            case.validate_response(response, checks=CHECKS, headers=HEADERS)

    Chain.run(
        settings=settings(
            max_examples=max(20, EXAMPLES),  # fewer leave operations out
            stateful_step_count=12,
            deadline=None,
            database=None,
            derandomize="ONESHEET_SCHEMA_EXAMPLES" not in os.environ,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
    )
    print(dict(asked))
    assert set(asked) >= linked(with_links(document()))
