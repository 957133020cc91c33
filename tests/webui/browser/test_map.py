"""The map in a real browser: every poster a point, the posters when near, a click opens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page, Route, expect

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


MADE = {  # a cluster to the left, and one movie alone at the lower right
    "method": "made",
    "units": 10_000,
    "genres": ["Drama"],
    "movie_ids": [f"made{i}" for i in range(10)],
    "x": [500, 600, 700, 500, 600, 700, 500, 600, 700, 9_500],
    "y": [1_000, 1_000, 1_000, 1_100, 1_100, 1_100, 1_200, 1_200, 1_200, 9_000],
    "years": [1990] * 10,
    "genre": [0] * 10,
}
DRAWN = f"""() => new Promise((resolve) => {{
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(({PAINTED})())));
}})"""

POSTER = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='160' height='237'>"
    "<rect width='160' height='237' fill='black'/></svg>"
)
# Which of two posters is seen in the middle of the map.
TINT = """() => {
    const canvas = document.querySelector("#map canvas");
    const [x, y] = [canvas.width / 2, canvas.height / 2].map(Math.round);
    const [red, , blue] = canvas.getContext("2d").getImageData(x, y, 1, 1).data;
    return red > 200 ? "red" : blue > 200 ? "blue" : "neither";
}"""


def answer_picture(body: str, route: Route) -> None:
    route.fulfill(body=body, content_type="image/svg+xml")


@pytest.fixture
def sparse(site: str, open_page: OpenPage) -> Page:
    """The map of ten made movies, most of it empty."""
    page = open_page("about:blank")
    page.route("**/api/v1/map", lambda route: route.fulfill(json=MADE))
    page.goto(f"{site}/map")
    expect(page.locator("#map-note")).to_contain_text("laid out")
    return page


def place(page: Page, u: float, v: float) -> tuple[float, float]:
    """Where a place of the plane lies on the untouched canvas, from the corner of the window."""
    box = page.locator("#map canvas").bounding_box()
    assert box is not None
    return (
        box["x"] + box["width"] * (0.5 + 0.94 * (u - 0.5)),
        box["y"] + box["height"] * (0.5 + 0.94 * (v - 0.5)),
    )


def opened(page: Page) -> str:
    """The movie that Enter opens: the one nearest to the middle."""
    page.route("**/movies/made*", lambda route: route.fulfill(body="opened"))
    page.locator("#map canvas").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/movies/made*")
    return page.url.rsplit("/", 1)[1]


@pytest.mark.parametrize(("u", "v", "nearest"), [(0.7, 0.6, "made9"), (0.3, 0.3, "made8")])
def test_the_wheel_over_an_empty_place_ends_at_the_nearest_poster(
    sparse: Page, u: float, v: float, nearest: str
) -> None:
    sparse.mouse.move(*place(sparse, u, v))
    for _ in range(20):
        sparse.mouse.wheel(0, -240)
        assert sparse.evaluate(DRAWN) > 0
    assert opened(sparse) == nearest


def test_the_wheel_keeps_the_poster_under_the_cursor_in_its_place(sparse: Page) -> None:
    at = place(sparse, 0.95, 0.9)
    sparse.mouse.move(*at)
    for _ in range(20):
        sparse.mouse.wheel(0, -240)
    assert sparse.evaluate(DRAWN) > 0
    sparse.route("**/movies/made*", lambda route: route.fulfill(body="opened"))
    sparse.mouse.click(*at)
    sparse.wait_for_url("**/movies/made9")


def test_keys_come_nearer_to_a_poster_and_walk_from_one_to_the_next(sparse: Page) -> None:
    canvas = sparse.locator("#map canvas")
    canvas.focus()
    for _ in range(20):
        sparse.keyboard.press("+")
        assert sparse.evaluate(DRAWN) > 0
    # The middle of the map is empty; the cluster's last movie is nearest to it on a wide canvas.
    for _ in range(30):
        sparse.keyboard.press("ArrowRight")
        assert sparse.evaluate(DRAWN) > 0
    sparse.keyboard.press("ArrowDown")
    assert opened(sparse) == "made9"


def test_a_map_dragged_into_the_void_comes_back_to_its_nearest_poster(sparse: Page) -> None:
    x, y = place(sparse, 0.5, 0.5)
    for _ in range(3):
        sparse.mouse.move(x, y)
        sparse.mouse.down()
        sparse.mouse.move(x - 500, y - 250, steps=4)
        sparse.mouse.up()
        assert sparse.evaluate(DRAWN) > 0
    assert opened(sparse) == "made9"


def test_a_poster_is_opened_by_a_press_anywhere_on_it(site: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.route("**/api/v1/map", lambda route: route.fulfill(json=MADE))
    page.route("**/posters/**", partial(answer_picture, POSTER))
    page.route("**/movies/made*", lambda route: route.fulfill(body="opened"))
    page.goto(f"{site}/map")
    expect(page.locator("#map-note")).to_contain_text("laid out")
    at = place(page, 0.95, 0.9)
    page.mouse.move(*at)
    page.mouse.wheel(0, -900)
    page.wait_for_function(f"() => ({PAINTED})() > 5000")  # a poster as it is drawn, not a point
    page.mouse.click(at[0] + 30, at[1] - 50)  # beyond the reach of a finger from its middle
    page.wait_for_url("**/movies/made9")


def test_of_two_posters_that_overlap_the_one_that_is_named_lies_on_top(
    site: str, open_page: OpenPage
) -> None:
    page = open_page("about:blank")
    made = MADE | {"movie_ids": ["below", "above"], "x": [5_000, 5_100], "y": [5_000, 5_000]}
    page.route(
        "**/api/v1/map", lambda route: route.fulfill(json=made | {"years": [1990] * 2, "genre": [0] * 2})
    )
    for name, colour in (("below", "red"), ("above", "blue")):
        body = POSTER.replace("black", colour)
        page.route(f"**/posters/{name}*", partial(answer_picture, body))
    page.goto(f"{site}/map")
    expect(page.locator("#map-note")).to_contain_text("laid out")
    x, y = place(page, 0.5, 0.5)
    page.wait_for_function(f"() => ({TINT})() === 'blue'")
    page.mouse.move(x - 20, y)
    page.wait_for_function(f"() => ({TINT})() === 'red'")
    page.mouse.move(x - 300, y)
    page.wait_for_function(f"() => ({TINT})() === 'blue'")
