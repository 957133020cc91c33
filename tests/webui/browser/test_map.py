"""The map in a real browser: every poster a point, the posters when near, a click opens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
PAINTED = """() => {
    const canvas = document.querySelector("#map canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let painted = 0;
    for (let i = 3; i < pixels.length; i += 4) painted += pixels[i] > 0;
    return painted;
}"""
# Opaque colours that fill more than the edge of a point.
COLOURS = """() => {
    const canvas = document.querySelector("#map canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const found = new Map();
    for (let i = 0; i < pixels.length; i += 4) {
        if (pixels[i + 3] !== 255) continue;
        const colour = `rgb(${pixels[i]}, ${pixels[i + 1]}, ${pixels[i + 2]})`;
        found.set(colour, 1 + (found.get(colour) ?? 0));
    }
    return [...found.keys()];
}"""


def test_the_map_draws_every_poster_and_names_its_colours(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/map")
    expect(page.locator("#map-note")).to_have_text(f"{len(movie_ids)} posters, laid out by t-SNE.")
    page.wait_for_function(f"() => ({PAINTED})() > 0")
    page.locator("#colour").select_option("decade")
    names = page.locator("#legend li").all_inner_texts()
    assert sum(int(name.split("(")[1].rstrip(")")) for name in names) == len(movie_ids)
    assert all("s (" in name for name in names)


def test_coming_near_shows_the_posters(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/map")
    expect(page.locator("#map-note")).to_contain_text("laid out")
    page.get_by_role("button", name="Nearer").click()
    page.wait_for_function(f"() => ({PAINTED})() > 5000")


def test_a_colour_of_the_legend_is_lit_alone_and_all_are_again(site: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.route("**/posters/**", lambda route: route.abort())  # so that they hide no point
    page.goto(f"{site}/map")
    expect(page.locator("#map-note")).to_contain_text("laid out")
    page.wait_for_function(f"() => ({PAINTED})() > 0")
    button = page.locator("#legend button").first
    tint = button.locator("rect").evaluate("one => getComputedStyle(one).fill")
    before = page.evaluate(COLOURS)
    assert tint in before
    assert len(before) > 3
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(f"n => ({COLOURS})().length < n", arg=len(before))
    assert tint in page.evaluate(COLOURS)
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(f"n => ({COLOURS})().length === n", arg=len(before))


def test_a_map_that_cannot_be_fetched_says_so(site: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.route("**/api/v1/map", lambda route: route.abort())
    page.goto(f"{site}/map")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")


def test_the_keyboard_opens_the_movie_in_the_middle(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/map")
    expect(page.locator("#map-note")).to_contain_text("laid out")
    page.locator("#map canvas").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tip")).to_be_visible()
    expect(page.locator("#map-note")).to_contain_text("(")
    pointed = page.locator("#tip").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="More like this")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(pointed.rsplit(" (", 1)[0], ignore_case=True)


def test_a_click_on_a_point_opens_its_movie(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/map")
    expect(page.locator("#map-note")).to_contain_text("laid out")
    canvas = page.locator("#map canvas")
    box = canvas.bounding_box()
    assert box is not None
    # The first movie of the map, where the page's own geometry puts it.
    points = page.request.get(f"{site}/api/v1/map").json()
    x = box["width"] * (0.5 + 0.94 * (points["x"][0] / points["units"] - 0.5))
    y = box["height"] * (0.5 + 0.94 * (points["y"][0] / points["units"] - 0.5))
    canvas.click(position={"x": x, "y": y})
    page.wait_for_url("**/movies/*")
    assert page.url.endswith(points["movie_ids"][0])
