"""Settings of the web door come from the environment, and a wrong one is refused by name."""

from __future__ import annotations

import pytest

from embeddings.errors import InvalidRequestError
from webui.settings import WebSettings, load_web_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_web_settings({}) == WebSettings()


def test_origins_and_numbers_are_read() -> None:
    web = load_web_settings(
        {
            "ONESHEET_CORS_ORIGINS": "https://a.example, https://b.example",
            "ONESHEET_TRUSTED_PROXIES": "1",
            "ONESHEET_MAX_WAIT_SECONDS": "0.5",
        }
    )
    assert web.cors_origins == ("https://a.example", "https://b.example")
    assert web.trusted_proxies == 1
    assert web.max_wait_seconds == 0.5


@pytest.mark.parametrize("text", ["many", "0", "nan", "inf", "-3"])
def test_a_number_of_places_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="ONESHEET_MAX_RUNNING"):
        load_web_settings({"ONESHEET_MAX_RUNNING": text})
