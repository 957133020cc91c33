"""Your own poster: chosen, dropped, pasted, refused, and added to the catalog."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from indexer.settings import Settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.settings import WebSettings

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
Hold = Callable[[Page, str], Any]


@pytest.fixture
def poster(client: FlaskClient, movie_ids: list[str], tmp_path: Path) -> Path:
    """The poster of the first movie, as a file of one's own."""
    file = tmp_path / "mine.jpg"
    file.write_bytes(client.get(f"/posters/{movie_ids[0]}?w=480").data)
    return file


def transfer(page: Page, poster: Path, kind: str) -> None:
    """Drop or paste a file onto the page as the browser's own event does."""
    page.evaluate(
        """([kind, text]) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "mine.jpg", { type: "image/jpeg" }));
            const event = kind === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
            document.body.dispatchEvent(event);
        }""",
        [kind, base64.b64encode(poster.read_bytes()).decode()],
    )


def test_a_chosen_poster_shows_its_genres_and_neighbours_and_blends_live(
    site: str, open_page: OpenPage, client: FlaskClient, poster: Path
) -> None:
    page = open_page(f"{site}/upload")
    page.locator("#file").set_input_files(poster)
    expect(page.locator(".results > .card")).to_have_count(24)
    with poster.open("rb") as file:
        probs = client.post("/api/v1/predict", data={"poster": (file, "mine.jpg")}).get_json()["genre_probs"]
    expect(page.locator(".says meter").first).to_have_attribute("aria-label", next(iter(probs)))
    for ink, share in (("visual", "100"), ("genre", "0"), ("taste", "0")):
        page.locator(f"#ink-{ink}").fill(share)
    expect(page.locator(".results[data-visual='1.0000']")).to_be_visible()
    with poster.open("rb") as file:
        form = {"poster": (file, "mine.jpg"), "visual": "1", "k": "24"}
        answer = client.post("/api/v1/similar", data=form).get_json()
    shown = page.locator(".results > .card").evaluate_all("all => all.map(card => card.dataset.movieId)")
    assert shown == [one["movie_id"] for one in answer["results"]]


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_poster_can_be_dropped_and_pasted(site: str, open_page: OpenPage, poster: Path, kind: str) -> None:
    page = open_page(f"{site}/upload")
    transfer(page, poster, kind)
    expect(page.locator("#preview img")).to_be_visible()
    expect(page.locator(".results > .card").first).to_be_visible()


def test_a_heat_map_of_an_uploaded_poster_is_shown(site: str, open_page: OpenPage, poster: Path) -> None:
    page = open_page(f"{site}/upload")
    page.locator("#file").set_input_files(poster)
    page.locator("a.where").first.click()
    page.wait_for_function("() => document.querySelector('.heat')?.complete")
    assert page.locator(".heat").evaluate("picture => picture.naturalWidth") > 0


def test_a_poster_chosen_before_the_script_ran_is_read(
    site: str, open_page: OpenPage, hold: Hold, poster: Path
) -> None:
    page = open_page("about:blank")
    script = hold(page, "**/js/upload*.js*")
    page.goto(f"{site}/upload", wait_until="commit")
    page.locator("#file").set_input_files(poster)
    expect(page.locator("#reading-note")).to_have_text("")
    script.first().continue_()
    expect(page.locator(".results > .card").first).to_be_visible()


def test_going_back_reads_the_poster_that_still_stands_chosen(
    site: str, open_page: OpenPage, poster: Path
) -> None:
    page = open_page(f"{site}/upload")
    page.locator("#file").set_input_files(poster)
    page.locator(".results > .card a.sheet").first.click()
    expect(page.get_by_role("heading", name="More like this")).to_be_visible()
    page.wait_for_url("**/movies/*")
    page.go_back()
    page.wait_for_url("**/upload")
    expect(page.locator(".results > .card").first).to_be_visible()


def test_a_file_that_is_too_big_takes_the_place_of_one_that_is_being_read(
    site: str, open_page: OpenPage, hold: Hold, poster: Path
) -> None:
    page = open_page(f"{site}/upload")
    question = hold(page, "**/upload?part=reading")
    page.locator("#file").set_input_files(poster)
    question.first()
    expect(page.locator("#drop")).to_have_attribute("aria-busy", "true")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(21 * 2 ** 20)], "big.png", { type: "image/png" }));
            const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event);
        }"""
    )
    expect(page.get_by_role("alert")).to_have_text("The file has 21.0 MB; a poster may have 20 MB.")
    expect(page.locator("#drop")).to_have_attribute("aria-busy", "false")


def test_a_file_that_is_no_picture_gets_a_sentence(site: str, open_page: OpenPage, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture at all")
    page = open_page(f"{site}/upload")
    page.locator("#file").set_input_files(broken)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".results")).to_have_count(0)


def test_without_a_script_the_form_answers_with_a_page(site: str, open_page: OpenPage, poster: Path) -> None:
    page = open_page(f"{site}/upload", java_script_enabled=False)
    page.locator("#file").set_input_files(poster)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text("The poster says", exact=True)).to_be_visible()
    expect(page.locator(".results > .card")).to_have_count(24)


def test_a_poster_enters_the_catalog_with_a_key_and_not_without(
    own_home: Settings,
    open_page: OpenPage,
    poster: Path,
    serve: Callable[[Flask], AbstractContextManager[str]],
) -> None:
    recommender = open_recommender(own_home)
    with serve(create_app(own_home, recommender, WebSettings())) as site:
        page = open_page(f"{site}/upload")
        page.locator("#file").set_input_files(poster)
        page.locator(".add summary").click()
        for name, value in (("movie_id", "tt7777777"), ("title", "My Own Poster"), ("key", "wrong")):
            page.locator(f"#add input[name={name}]").fill(value)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#add-note")).to_contain_text("API key")
        page.locator("#add input[name=key]").fill(own_home.api_keys[0])
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("link", name="See My Own Poster in the catalog").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("My Own Poster")
        expect(page.locator(".results > .card").first).to_be_visible()
    recommender.catalog.close()
