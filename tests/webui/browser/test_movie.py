"""A movie's page in a real browser: the blend, the filters, the reasons, the heat-map."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
PATIENCE_SECONDS = 45


def shown_ids(page: Page) -> list[str]:
    return page.locator(".results > .card").evaluate_all("cards => cards.map(card => card.dataset.movieId)")


def expect_ids(page: Page, expected: list[str]) -> None:
    """These movies in this order, as soon as the page has them: an answer before may have as many."""
    end = time.monotonic() + PATIENCE_SECONDS
    while shown_ids(page) != expected and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert shown_ids(page) == expected


def similar_ids(client: FlaskClient, movie_id: str, query: str) -> list[str]:
    answer = client.get(f"/api/v1/movies/{movie_id}/similar?k=24&{query}").get_json()
    return [one["movie_id"] for one in answer["results"]]


def slide(page: Page, ink: str, share: int) -> None:
    """Move one slider as a hand does: the value changes, then the input event comes."""
    page.locator(f"#ink-{ink}").fill(str(share))


def test_a_slider_moved_before_the_script_ran_counts(
    site: str,
    open_page: OpenPage,
    hold: Callable[[Page, str], Any],
    client: FlaskClient,
    movie_ids: list[str],
) -> None:
    movie = movie_ids[0]
    page = open_page("about:blank")
    script = hold(page, "**/js/similar*.js*")
    page.goto(f"{site}/movies/{movie}", wait_until="commit")
    for ink, share in (("visual", 100), ("genre", 0), ("taste", 0)):
        slide(page, ink, share)
    assert "visual" not in page.url
    script.first().continue_()
    expect(page.locator(".results[data-visual='1.0000']")).to_be_visible()
    expect_ids(page, similar_ids(client, movie, "visual=1"))


def test_a_page_as_it_came_asks_nothing_again(site: str, open_page: OpenPage, movie_ids: list[str]) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for query in ("", "?visual=60&genre=30&taste=10&min_score=0.5&series=hide&k=12"):
        page.goto(f"{site}/movies/{movie_ids[0]}{query}", wait_until="networkidle")
    assert asked and not [url for url in asked if "part=similar" in url]


def test_moving_the_sliders_ranks_as_the_api_does_and_the_url_holds_the_blend(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    movie = movie_ids[0]
    page = open_page(f"{site}/movies/{movie}")
    expect_ids(page, similar_ids(client, movie, ""))
    for ink, share in (("visual", 100), ("genre", 0), ("taste", 0)):
        slide(page, ink, share)
    expect(page.locator(".results[data-visual='1.0000']")).to_be_visible()
    expect_ids(page, similar_ids(client, movie, "visual=1"))
    assert page.locator("output[for=ink-visual]").inner_text() == "100 %"
    assert parse_qs(urlsplit(page.url).query) == {"visual": ["100"], "genre": ["0"], "taste": ["0"]}
    page.reload()
    expect_ids(page, similar_ids(client, movie, "visual=1"))


def test_the_learned_blend_comes_back_by_its_button(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}?visual=0&genre=1&taste=0")
    expect_ids(page, similar_ids(client, movie_ids[0], "genre=1"))
    page.get_by_role("button", name="Learned blend").click()
    expect(page.get_by_role("button", name="Learned blend")).to_be_hidden()
    expect_ids(page, similar_ids(client, movie_ids[0], ""))


def test_only_the_last_of_several_moves_is_shown(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[1]}?visual=100&genre=0&taste=0")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/*part=similar*", hold_the_first)
    with page.expect_request("**/*part=similar*"):
        slide(page, "genre", 50)
    with page.expect_response("**/*part=similar*"):
        slide(page, "genre", 100)
        slide(page, "visual", 0)
    expect(page.locator(".results[data-genre='1.0000']")).to_be_visible()
    assert held[0].request.failure is not None
    expect_ids(page, similar_ids(client, movie_ids[1], "genre=1"))


def test_all_sliders_at_zero_keep_a_trace_of_the_last_one_moved(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}?visual=100&genre=0&taste=0")
    slide(page, "visual", 0)
    expect(page.locator("output[for=ink-visual]")).to_have_text("100 %")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_filters_are_those_of_the_api(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    page.get_by_text("Filters and order").click()
    page.locator("#panel select[name=genres]").select_option("Drama")
    page.locator("#panel input[name=year_min]").fill("1980")
    expected = similar_ids(client, movie_ids[0], "genres=Drama&year_min=1980")
    assert expected
    expect(page.locator(".results > .card")).to_have_count(len(expected))
    expect_ids(page, expected)


def test_filters_that_nothing_passes_say_so_and_a_wrong_year_is_told(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}?year_min=2090")
    expect(page.get_by_text("No movie passes these filters.")).to_be_visible()
    page.locator("#panel input[name=year_max]").fill("1990")
    expect(page.get_by_role("alert")).to_contain_text("year_min 2090 is after year_max 1990")


def test_reasons_show_on_focus_and_describe_the_link(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    card = page.locator(".results > .card").first
    reasons = card.locator(".why")
    expect(reasons).to_have_css("opacity", "0")
    link = card.locator(".sheet")
    link.focus()
    expect(reasons).to_have_css("opacity", "1")
    assert link.get_attribute("aria-describedby") == reasons.get_attribute("id")
    assert reasons.locator("li").count() > 0


def test_on_a_touch_screen_every_reason_is_there_to_be_read(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    size = {"width": 390, "height": 844}
    page = open_page(f"{site}/movies/{movie_ids[0]}", viewport=size, has_touch=True, is_mobile=True)
    card = page.locator(".results > .card").first
    for reason in card.locator(".why li").all():
        expect(reason).to_be_visible()
    poster, why = card.locator(".poster").bounding_box(), card.locator(".why").bounding_box()
    assert poster is not None and why is not None
    assert why["y"] > poster["y"] + poster["height"]


@pytest.mark.parametrize(
    ("control", "value", "query"),
    [
        ("select[name=series]", "first", "series=first"),
        ("select[name=series]", "hide", "series=hide"),
        ("#diversity", "0.8", "diversity=0.8"),
        ("#min-score", "0.9", "min_score=0.9"),
        ("select[name=k]", "12", "k=12"),
    ],
)
def test_a_control_of_the_panel_asks_what_the_api_is_asked(
    site: str,
    open_page: OpenPage,
    client: FlaskClient,
    movie_ids: list[str],
    control: str,
    value: str,
    query: str,
) -> None:
    query = query if query.startswith("k=") else f"k=24&{query}"

    def answered(movie_id: str, asked: str) -> list[str]:
        answer = client.get(f"/api/v1/movies/{movie_id}/similar?{asked}").get_json()
        return [one["movie_id"] for one in answer["results"]]

    movie = next(one for one in movie_ids if answered(one, query) != answered(one, "k=24"))
    page = open_page(f"{site}/movies/{movie}")
    page.get_by_text("Filters and order").click()
    found = page.locator(f"#panel {control}")
    if control.startswith("select"):
        found.select_option(value)
    else:
        found.fill(value)
    page.wait_for_url(f"**{query.removeprefix('k=24&')}")
    expect(page.locator("#part")).to_have_attribute("aria-busy", "false")
    expect_ids(page, answered(movie, query))


def test_one_of_each_near_identical_poster_is_a_switch(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    page.get_by_text("Filters and order").click()
    page.get_by_label("One of each near-identical poster").check()
    page.wait_for_url("**collapse_duplicates=true")
    expect(page.locator("#part")).to_have_attribute("aria-busy", "false")
    expect_ids(page, similar_ids(client, movie_ids[0], "collapse_duplicates=true"))


def test_the_keyboard_alone_moves_a_slider(site: str, open_page: OpenPage, movie_ids: list[str]) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}?visual=0&genre=100&taste=0")
    page.locator("#ink-visual").focus()
    page.keyboard.press("End")
    expect(page.locator("output[for=ink-visual]")).to_have_text("50 %")
    expect(page.locator(".results[data-visual='0.5000']")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "ink-genre"
    page.keyboard.press("Home")
    expect(page.locator(".results[data-visual='1.0000']")).to_be_visible()


def test_a_server_that_went_away_is_told_and_asked_again(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    page.route("**/*part=similar*", lambda route: route.abort())
    slide(page, "visual", 90)
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/*part=similar*")
    slide(page, "visual", 80)
    expect(page.locator(".results > .card").first).to_be_visible()


def test_each_neighbour_has_a_bar_for_each_signal_that_is_known(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    first = client.get(f"/api/v1/movies/{movie_ids[0]}/similar?k=1").get_json()["results"][0]
    known = {name: value for name, value in first["signals"].items() if value is not None}
    bars = page.locator(".results > .card").first.locator("meter")
    shown = bars.evaluate_all("bars => bars.map(bar => [bar.className, bar.value])")
    assert dict(shown) == pytest.approx({name: max(value, 0) for name, value in known.items()}, abs=1e-3)


def test_a_heat_map_is_laid_over_the_poster_and_taken_off(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    link = page.locator("a.where").first
    genre = link.get_attribute("data-genre")
    link.click()
    heat = page.locator(".proof img.heat")
    expect(heat).to_have_attribute("alt", f"Heat-map of what in the poster speaks for {genre}")
    expect(page.locator("#heat-note")).to_have_text(f"Where it says {genre}")
    page.wait_for_function("() => document.querySelector('.heat').naturalWidth > 0")
    page.get_by_role("button", name="Plain poster").click()
    expect(heat).to_have_count(0)


def test_without_a_script_the_sliders_are_a_form(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}", java_script_enabled=False)
    page.locator("#ink-visual").fill("0")
    page.locator("#ink-genre").fill("100")
    page.locator("#ink-taste").fill("0")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".results[data-genre='1.0000']")).to_be_visible()
    expect_ids(page, similar_ids(client, movie_ids[0], "genre=1"))


def test_an_unknown_movie_is_a_page_that_leads_back(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/movies/tt0000000")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not on this wall")
    page.get_by_role("link", name="Back to the wall").click()
    expect(page.locator(".wall > .card").first).to_be_visible()
