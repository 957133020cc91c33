"""Nothing moves while a page loads, nor when an answer comes long after it was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
# What moved, as the browser's own metric sees it, without what a hand has caused just before.
WATCH = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const { value, hadRecentInput, sources } of list.getEntries()) {
            const moved = sources.map(({ node }) => node?.outerHTML?.slice(0, 80));
            if (!hadRecentInput) window.shifts.push([value, ...moved]);
        }
    }).observe({ type: "layout-shift", buffered: true });
"""
# A shift is told after the frame that showed it.
SHIFTS = """() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(window.shifts), 100)));
})"""
PATHS = (
    "",
    "?genre=Drama&q=the",
    "movies/{0}",
    "movies/{0}?visual=60&genre=20&taste=20&k=12",
    "these?like={0}&unlike={1}",
    "these",
    "upload",
    "map",
    "model",
    "api/docs#get_similar",
    "nowhere",
)


def watched(open_page: OpenPage, width: int) -> Page:
    page = open_page("about:blank", viewport={"width": width, "height": 900})
    page.add_init_script(WATCH)
    return page


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_moves_while_a_page_loads(
    site: str, open_page: OpenPage, movie_ids: list[str], path: str, width: int
) -> None:
    page = watched(open_page, width)
    page.goto(f"{site}/{path.format(*movie_ids)}", wait_until="networkidle")
    assert page.evaluate(SHIFTS) == []


@pytest.mark.parametrize("width", [390, 1440])
def test_a_tray_that_was_kept_moves_nothing(
    site: str, open_page: OpenPage, movie_ids: list[str], width: int
) -> None:
    page = watched(open_page, width)
    page.goto(f"{site}/nowhere")
    tray = [{"id": one, "title": one, "side": "like"} for one in movie_ids[:3]]
    page.evaluate("text => localStorage.setItem('onesheet-tray', text)", json.dumps(tray))
    page.goto(f"{site}/these", wait_until="networkidle")
    expect(page.get_by_role("region", name="More like these").get_by_role("listitem")).to_have_count(3)
    assert page.evaluate(SHIFTS) == []


@pytest.mark.parametrize("width", [390, 1440])
def test_an_answered_upload_moves_nothing_in_sight(
    site: str, open_page: OpenPage, movie_ids: list[str], width: int
) -> None:
    page = watched(open_page, width)
    page.goto(f"{site}/upload")
    poster = page.request.get(f"{site}/posters/{movie_ids[0]}?w=240").body()
    page.locator("#file").set_input_files({"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": poster})
    expect(page.locator(".results > .card").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SHIFTS) == []


def test_the_button_of_the_learned_blend_comes_without_moving_the_sliders_or_covering_them(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}", viewport={"width": 390, "height": 900})
    slider, button = page.locator("#ink-visual"), page.get_by_role("button", name="Learned blend")
    slider.scroll_into_view_if_needed()
    before = slider.bounding_box()
    slider.fill("70")
    expect(button).to_be_visible()
    assert slider.bounding_box() == before
    told, here = page.locator("output[for=ink-visual]").bounding_box(), button.bounding_box()
    assert told is not None and here is not None
    assert here["y"] + here["height"] <= told["y"]
