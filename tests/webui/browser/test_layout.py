"""Nothing moves while a page loads, and the reference page asks nobody else."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
SHIFT = """() => new Promise(resolve => {
    let total = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { total += entry.value; }))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(total), 300);
})"""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("path", ["", "movies/{0}", "these?like={0}&unlike={1}", "upload", "map", "model"])
def test_nothing_moves_while_a_page_loads(
    site: str, open_page: OpenPage, movie_ids: list[str], path: str, width: int
) -> None:
    size = {"width": width, "height": 900}
    page = open_page(f"{site}/{path.format(*movie_ids)}", "networkidle", viewport=size)
    # Letters that change face on a busy machine, where the fonts come late, move by a hundredth.
    assert page.evaluate(SHIFT) < 0.02


def test_the_reference_of_the_api_loads_nothing_from_elsewhere_and_leads_back(
    site: str, open_page: OpenPage
) -> None:
    page = open_page("about:blank")
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{site}/api/docs", wait_until="networkidle")
    expect(page.locator(".opblock")).to_have_count(19)
    page.locator("#operations-movies-movies_get_movies_movies_get").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    assert hosts - {""} == {urlsplit(site).netloc}
    page.get_by_role("link", name="onesheet", exact=True).click()
    expect(page.locator(".wall > .card").first).to_be_visible()
