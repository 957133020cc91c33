"""The tray: more like these, and less like those."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]


def test_likes_and_dislikes_lead_to_what_the_api_answers(
    site: str, open_page: OpenPage, client: FlaskClient
) -> None:
    page = open_page(site)
    cards = page.locator(".wall > .card")
    ids = [cards.nth(i).get_attribute("data-movie-id") for i in range(3)]
    for i, side in enumerate(("like", "like", "unlike")):
        cards.nth(i).locator(f".pick button[data-side={side}]").focus()
        page.keyboard.press("Enter")
    tray = page.get_by_role("region", name="More like these")
    expect(tray.get_by_role("listitem")).to_have_count(3)
    tray.get_by_role("link", name="Show").click()
    expect(page.locator(".results > .card").first).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == {"like": ids[:2], "unlike": ids[2:]}
    asked = {"like": ids[:2], "unlike": ids[2:], "k": 24}
    answer = client.post("/api/v1/similar", json=asked).get_json()
    shown = page.locator(".results > .card").evaluate_all("all => all.map(card => card.dataset.movieId)")
    assert shown == [one["movie_id"] for one in answer["results"]]


def test_the_sliders_keep_the_tray(site: str, open_page: OpenPage, movie_ids: list[str]) -> None:
    page = open_page(f"{site}/these?like={movie_ids[0]}&unlike={movie_ids[1]}")
    for ink, share in (("visual", "0"), ("genre", "100"), ("taste", "0")):
        page.locator(f"#ink-{ink}").fill(share)
    expect(page.locator(".results[data-genre='1.0000']")).to_be_visible()
    query = parse_qs(urlsplit(page.url).query)
    assert (query["like"], query["unlike"]) == ([movie_ids[0]], [movie_ids[1]])


def test_the_tray_outlives_the_page_and_empties_movie_by_movie(site: str, open_page: OpenPage) -> None:
    page = open_page(site)
    button = page.locator(".wall > .card").first.locator("button[data-side=like]")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.locator(".tray li button").click()
    expect(page.locator(".tray")).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_an_empty_tray_says_how_to_fill_it(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/these")
    expect(page.get_by_role("heading", name="The tray is empty")).to_be_visible()
