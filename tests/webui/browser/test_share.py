"""Taking an answer along: its link, and the same question as a call of the API."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
PERMITTED = {"permissions": ["clipboard-read", "clipboard-write"]}


def shown_ids(page: Page) -> list[str]:
    return page.locator(".results > .card").evaluate_all("cards => cards.map(card => card.dataset.movieId)")


def copied(page: Page, button: str) -> str:
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def answered_ids(command: str, cwd: Path) -> list[str]:
    """Ids that a copied command answers, run as somebody who pastes it into a shell would."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    done = subprocess.run(["bash", "-c", f"{command} --silent"], cwd=cwd, capture_output=True, timeout=60)
    return [one["movie_id"] for one in json.loads(done.stdout)["results"]]


def test_a_copied_link_shows_somebody_else_the_same_blend(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}", **PERMITTED)
    for ink, share in (("visual", "100"), ("genre", "0"), ("taste", "0")):
        page.locator(f"#ink-{ink}").fill(share)
    expect(page.locator(".results[data-visual='1.0000']")).to_be_visible()
    other = open_page(copied(page, "Copy link"))
    expect(other.locator(".results[data-visual='1.0000']")).to_be_visible()
    assert shown_ids(other) == shown_ids(page)


@pytest.mark.parametrize(
    "path", ["movies/{0}?genre=100&taste=20&visual=0", "these?like={0}&like={2}&unlike={1}"]
)
def test_a_copied_call_answers_what_the_page_shows(
    site: str, open_page: OpenPage, movie_ids: list[str], tmp_path: Path, path: str
) -> None:
    page = open_page(f"{site}/{path.format(*movie_ids)}", **PERMITTED)
    page.get_by_text("Filters and order").click()
    page.locator("#panel select[name=genres]").select_option("Drama")
    page.locator("#panel select[name=series]").select_option("hide")
    page.locator("#panel input[name=collapse_duplicates]").check()
    page.locator("#panel input[name=year_min]").fill("1960")
    page.wait_for_url("**year_min=1960**")
    expect(page.locator("#part")).to_have_attribute("aria-busy", "false")
    command = copied(page, "Copy API call")
    assert command.startswith("curl ")
    assert answered_ids(command, tmp_path) == shown_ids(page)


def test_a_copied_call_of_an_upload_sends_the_picture(
    site: str, open_page: OpenPage, movie_ids: list[str], tmp_path: Path
) -> None:
    page = open_page(f"{site}/upload", **PERMITTED)
    poster = tmp_path / "poster.jpg"
    poster.write_bytes(page.request.get(f"{site}/posters/{movie_ids[0]}?w=480").body())
    page.locator("#file").set_input_files(poster)
    page.locator(".results").wait_for()
    assert answered_ids(copied(page, "Copy API call"), tmp_path) == shown_ids(page)


def test_without_the_clipboard_the_text_is_there_to_be_taken(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')); }")
    page.get_by_role("button", name="Copy link").click()
    field = page.get_by_role("textbox", name="To copy")
    expect(field).to_be_focused()
    assert field.input_value() == page.url
