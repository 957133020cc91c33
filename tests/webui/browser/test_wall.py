"""The wall in a real browser: search, filters, paging, the keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, Request, expect

from webui.page_forms import PAGE_SIZE

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
PATIENCE_SECONDS = 45
FIRST_ARE = """(ids) => {
    const cards = document.querySelectorAll(".wall > .card");
    return ids.every((id, i) => cards[i]?.dataset.movieId === id);
}"""


def shown_ids(page: Page) -> list[str]:
    return page.locator(".wall > .card").evaluate_all("cards => cards.map(card => card.dataset.movieId)")


def expect_ids(page: Page, expected: list[str]) -> None:
    """These movies in this order, as soon as the page has them: an answer before may have as many."""
    end = time.monotonic() + PATIENCE_SECONDS
    while shown_ids(page) != expected and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert shown_ids(page) == expected


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_every_movie_comes_once_as_the_end_of_the_wall_comes_near(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(site)
    page.mouse.wheel(0, 6000)
    expect(page.get_by_text("That is the whole wall.")).to_be_visible()
    assert sorted(shown_ids(page)) == sorted(movie_ids)


def test_without_a_script_a_link_leads_to_the_rest_of_the_wall(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(site, java_script_enabled=False)
    first = page.locator(".wall > .card").count()
    page.get_by_role("link", name="More posters").click()
    assert first + page.locator(".wall > .card").count() == len(movie_ids)


def test_typing_narrows_the_wall_and_the_url_holds_what_was_typed(
    site: str, open_page: OpenPage, client: FlaskClient
) -> None:
    movie = client.get("/api/v1/movies?limit=1").get_json()["movies"][0]
    page = open_page(site)
    page.get_by_role("searchbox").press_sequentially(movie["title"])
    expect(page.locator(f".wall > .card[data-movie-id={movie['movie_id']}]")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(movie["title"])
    found = shown_ids(page)
    assert asked(page)["q"] == [movie["title"]]
    page.reload()
    expect_ids(page, found)
    assert page.get_by_role("searchbox").input_value() == movie["title"]


def test_a_filter_set_before_the_script_ran_counts(
    site: str, open_page: OpenPage, hold: Callable[[Page, str], Any], movie_ids: list[str]
) -> None:
    page = open_page("about:blank")
    script = hold(page, "**/js/wall*.js*")
    page.goto(site, wait_until="commit")
    page.locator("select[name=sort]").select_option("title")
    script.first().continue_()
    page.wait_for_url("**sort=title")
    page.wait_for_function(FIRST_ARE, arg=movie_ids[:PAGE_SIZE])


def test_filters_show_what_the_api_finds(site: str, open_page: OpenPage, client: FlaskClient) -> None:
    expected = client.get("/api/v1/movies?genre=Drama&sort=title&limit=200").get_json()["movies"]
    page = open_page(site)
    page.locator("select[name=genre]").select_option("Drama")
    page.locator("select[name=sort]").select_option("title")
    expect(page.locator(".wall > .card")).to_have_count(len(expected))
    expect_ids(page, [movie["movie_id"] for movie in expected])
    assert asked(page) == {"genre": ["Drama"], "sort": ["title"]}


def test_a_decade_holds_only_its_years(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/?decade=1980")
    years = {int(text) for text in page.locator(".card .year").all_inner_texts()}
    assert years
    assert years <= set(range(1980, 1990))


def test_a_search_without_a_match_says_so_and_shows_a_way_back(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/?q=no+such+movie")
    expect(page.get_by_text("No movie matches “no such movie”")).to_be_visible()
    page.get_by_role("link", name="Show every poster").click()
    expect(page.locator(".wall > .card").first).to_be_visible()


def test_a_misspelt_title_leads_to_the_movie_that_was_meant(
    site: str, open_page: OpenPage, client: FlaskClient, movie_ids: list[str]
) -> None:
    title = client.get(f"/api/v1/movies/{movie_ids[0]}").get_json()["title"]
    page = open_page(site)
    page.get_by_label("Search titles").fill(f"{title[:-2]}{title[-1]}{title[-2]}")
    expect(page.get_by_role("heading", name="Did you mean")).to_be_visible()
    page.get_by_role("list", name="Did you mean").get_by_role("link", name=title).click()
    page.wait_for_url(f"**/movies/{movie_ids[0]}")


def test_the_keyboard_alone_reaches_a_movie(site: str, open_page: OpenPage) -> None:
    page = open_page(site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the posters"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.sheet')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="More like this")).to_be_visible()


def test_the_first_page_weighs_less_than_150_kilobytes_without_posters(
    site: str, open_page: OpenPage
) -> None:
    page = open_page("about:blank")
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(site, wait_until="networkidle")
    weights = {
        request.url: request.sizes()["responseBodySize"]
        for request in finished
        if "/posters/" not in request.url
    }
    assert len(weights) > 5
    assert sum(weights.values()) < 150_000


def test_the_slash_key_goes_to_the_search_and_is_typed_where_one_types(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/movies/{movie_ids[0]}")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("zz/zz")
    assert search.input_value() == "zz/zz"
    page.keyboard.press("Enter")
    expect(page.get_by_text("No movie matches “zz/zz”")).to_be_visible()


def test_going_back_from_a_movie_finds_the_wall_as_it_was(site: str, open_page: OpenPage) -> None:
    page = open_page(site)
    page.locator("select[name=genre]").select_option("Drama")
    page.locator("select[name=sort]").select_option("year")
    page.wait_for_url("**genre=Drama&sort=year")
    expect(page.locator("#part .wall")).not_to_have_attribute("aria-busy", "true")
    found = shown_ids(page)
    page.locator(".wall .sheet").first.click()
    expect(page.get_by_role("heading", name="More like this")).to_be_visible()
    page.go_back()
    expect(page.locator("select[name=genre]")).to_have_value("Drama")
    assert asked(page) == {"genre": ["Drama"], "sort": ["year"]}
    expect_ids(page, found)


def test_a_poster_that_does_not_load_becomes_a_sheet_with_its_title(site: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.route("**/posters/**", lambda route: route.fulfill(status=404, body=""))
    page.goto(site)
    card = page.locator(".wall > .card").first
    expect(card.locator(".poster")).to_have_text(card.get_attribute("data-title") or "")


def test_a_server_that_went_away_is_told_and_tried_again(site: str, open_page: OpenPage) -> None:
    page = open_page(site)
    page.route("**/*part=wall*", lambda route: route.abort())
    page.locator("select[name=sort]").select_option("title")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/*part=wall*")
    page.locator("select[name=sort]").select_option("year")
    expect(page.locator(".wall > .card").first).to_be_visible()


def test_the_theme_that_was_chosen_is_remembered(site: str, open_page: OpenPage) -> None:
    page = open_page(site, color_scheme="light")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != paper
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
