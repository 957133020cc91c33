"""Whole journeys: every flow by touch on a phone in the dark, and what is left of them by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "color_scheme": "dark",
    "reduced_motion": "reduce",
}


@pytest.fixture
def poster(client: FlaskClient, movie_ids: list[str], tmp_path: Path) -> Path:
    file = tmp_path / "mine.jpg"
    file.write_bytes(client.get(f"/posters/{movie_ids[0]}?w=480").data)
    return file


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_phone_finds_a_movie_and_blends_by_touch(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    title = client.get(f"/api/v1/movies/{movie_ids[0]}").get_json()["title"]
    page = open_page(site, **PHONE)
    page.get_by_label("Search titles").fill(title)
    page.locator(f".wall > .card[data-movie-id='{movie_ids[0]}'] .sheet").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title, ignore_case=True)
    slider = page.locator("#ink-taste")
    box = slider.bounding_box()
    assert box is not None
    slider.tap(position={"x": box["width"] - 2, "y": box["height"] / 2})
    page.wait_for_url("**taste=100**")
    assert parse_qs(urlsplit(page.url).query)["taste"] == ["100"]
    page.locator("a.where").first.tap()
    page.wait_for_function("() => document.querySelector('.heat')?.naturalWidth > 0")
    assert fits(page)


def test_a_phone_gathers_a_tray_and_opens_what_is_like_it(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}", **PHONE)
    # Three posters side by side leave no room for a thumb on the wall: a movie is gathered on its own page.
    page.locator(".tray-line").get_by_role("button", name="More like").tap()
    page.locator(".results > .card").first.locator("button[data-side=unlike]").tap()
    tray = page.get_by_role("region", name="More like these")
    expect(tray.get_by_role("listitem")).to_have_count(2)
    tray.get_by_role("link", name="Show").tap()
    expect(page.locator(".results > .card").first).to_be_visible()
    assert fits(page)


def test_a_phone_reads_a_poster_of_its_own(
    site: str, open_page: OpenPage, violations: Callable[[Page], list[str]], poster: Path
) -> None:
    page = open_page(f"{site}/upload", **PHONE)
    page.locator("#file").set_input_files(poster)
    expect(page.locator(".results > .card").first).to_be_visible()
    assert fits(page)
    assert violations(page) == []


def test_a_phone_opens_a_movie_from_the_map(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/map", **PHONE)
    expect(page.locator("#map-note")).to_contain_text("laid out")
    canvas = page.locator("#map canvas")
    box = canvas.bounding_box()
    assert box is not None
    points = page.request.get(f"{site}/api/v1/map").json()
    x, y = (
        side * (0.5 + 0.94 * (points[axis][0] / points["units"] - 0.5))
        for axis, side in (("x", box["width"]), ("y", box["height"]))
    )
    canvas.tap(position={"x": x, "y": y})
    page.wait_for_url("**/movies/*")
    assert page.url.endswith(points["movie_ids"][0])


def test_the_keyboard_alone_reads_a_poster_and_opens_its_nearest(
    site: str, open_page: OpenPage, poster: Path
) -> None:
    page = open_page("about:blank")
    # A browser that is told to report choosers while a key is on its way may open its own window instead.
    page.on("filechooser", lambda _: None)
    page.goto(f"{site}/upload")
    page.locator("#file").focus()
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files(poster)
    expect(page.locator("#reading-note")).to_contain_text("Read: ")
    first = page.locator(".results > .card").first
    expect(first).to_be_visible()
    movie_id = first.get_attribute("data-movie-id")
    page.locator("a.where").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.heat')?.naturalWidth > 0")
    first.locator("a.sheet").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/movies/{movie_id}")


def test_the_keyboard_alone_opens_what_the_model_page_folds(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/model", color_scheme="dark")
    summaries = page.locator("main summary")
    for i in range(summaries.count()):
        summaries.nth(i).focus()
        page.keyboard.press("Enter")
    assert page.locator("main details:not([open])").count() == 0
