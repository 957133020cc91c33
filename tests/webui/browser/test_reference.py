"""The reference of the API in a browser: every operation can be read, sent, and reached by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
MOVIES = "movies_get_movies_movies_get"
SIMILAR = "similar_get_similar_movies__movie_id__similar_get"
POST_SIMILAR = "similar_post_similar_similar_post"
HEATMAP = "heatmap_post_heatmap_heatmap_post"
DELETE = "movies_delete_movie_movies__movie_id__delete"


def opened(page: Page, operation_id: str) -> Locator:
    operation = page.locator(f"#{operation_id}")
    operation.locator("summary").click()
    return operation


def test_every_operation_is_there_and_nothing_comes_from_elsewhere(site: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{site}/api/docs", wait_until="networkidle")
    document = page.request.get(f"{site}/api/openapi.json").json()
    operations = sorted(one["operationId"] for path in document["paths"].values() for one in path.values())
    shown = page.locator("details:has(form)").evaluate_all("all => all.map(one => one.id).sort()")
    assert shown == operations
    assert hosts - {""} == {urlsplit(site).netloc}
    page.get_by_role("link", name="onesheet", exact=True).click()
    expect(page.locator(".wall > .card").first).to_be_visible()


def test_every_reading_operation_answers_as_it_is_filled_in(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/api/docs")
    forms = page.locator("form[data-method=GET]")
    assert forms.count() >= 12
    for form in forms.all():
        form.evaluate("one => { one.closest('details').open = true; }")
        form.get_by_role("button").click()
        expect(form.locator(".status")).to_contain_text("200")


@pytest.mark.parametrize("width", [390, 1440])
def test_an_operation_with_its_answer_has_no_violation(
    site: str, open_page: OpenPage, violations: Callable[[Page], list[str]], width: int
) -> None:
    page = open_page(f"{site}/api/docs", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    operation = opened(page, SIMILAR)
    operation.get_by_role("button", name="Send").click()
    expect(operation.get_by_role("group", name="Body")).to_contain_text('"results"')
    expect(operation.get_by_role("group", name="As a command")).to_contain_text(f"{site}/api/v1/movies/")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_body_is_sent_as_json_or_as_a_form_with_a_file(
    site: str, open_page: OpenPage, movie_ids: list[str]
) -> None:
    page = open_page(f"{site}/api/docs")
    poster = page.request.get(f"{site}/posters/{movie_ids[0]}?w=240").body()
    file = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": poster}
    operation = opened(page, POST_SIMILAR)
    body = operation.get_by_role("group", name="Body", exact=True)
    operation.get_by_role("button", name="Send").click()
    expect(body).to_contain_text('"movie_ids": [')
    operation.get_by_label("Sent as").select_option("multipart/form-data")
    operation.locator("input[type=file]").set_input_files(file)
    operation.get_by_role("button", name="Send").click()
    expect(body).to_contain_text('"predicted_genres"')
    drawn = opened(page, HEATMAP)
    drawn.locator("input[type=file]").set_input_files(file)
    drawn.get_by_role("button", name="Send").click()
    expect(drawn.locator(".answer img")).to_be_visible()


def test_a_key_is_sent_where_one_is_needed(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/api/docs")
    operation = opened(page, DELETE)
    operation.get_by_label("movie_id").fill("no-such-movie")
    send, status = operation.get_by_role("button", name="Send"), operation.locator(".status")
    send.click()
    expect(status).to_contain_text("401")
    page.get_by_label("API key").fill("a-key-for-tests")
    send.click()
    expect(status).to_contain_text("404")
    expect(operation.get_by_role("group", name="As a command")).to_contain_text(
        '"Authorization: Bearer $KEY"'
    )


def test_the_keyboard_alone_opens_fills_in_and_sends(site: str, open_page: OpenPage) -> None:
    page = open_page(f"{site}/api/docs#{MOVIES}")
    operation = page.locator(f"#{MOVIES}")
    expect(operation.locator("form")).to_be_visible()  # a link to an operation opens it
    page.keyboard.press("Tab")
    expect(operation.locator("summary")).to_be_focused()
    page.keyboard.press("Tab")
    expect(operation.get_by_label("q", exact=True)).to_be_focused()
    page.keyboard.type("no such title anywhere")
    page.keyboard.press("Enter")
    expect(operation.get_by_role("group", name="Body")).to_contain_text('"total": 0')
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(operation.locator("form")).to_be_hidden()
