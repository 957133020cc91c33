"""Nothing moves while a page loads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
SHIFT = """() => new Promise(resolve => {
    let total = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { total += entry.value; }))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(total), 300);
})"""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize(
    "path", ["", "movies/{0}", "these?like={0}&unlike={1}", "upload", "map", "model", "api/docs"]
)
def test_nothing_moves_while_a_page_loads(
    site: str, open_page: OpenPage, movie_ids: list[str], path: str, width: int
) -> None:
    size = {"width": width, "height": 900}
    page = open_page(f"{site}/{path.format(*movie_ids)}", "networkidle", viewport=size)
    # Letters that change face on a busy machine, where the fonts come late, move by a hundredth.
    assert page.evaluate(SHIFT) < 0.02
