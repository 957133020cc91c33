"""Every page passes axe-core, wide and narrow, light and dark, and fits its window."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PAGES = (
    "",
    "?q=no+such+movie",
    "?decade=never",
    "movies/{0}",
    "these?like={0}&unlike={1}",
    "these",
    "upload",
    "map",
    "model",
    "api/docs",
    "nowhere",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_violation_and_does_not_scroll_sideways(
    site: str,
    open_page: Callable[..., Page],
    violations: Callable[[Page], list[str]],
    movie_ids: list[str],
    path: str,
) -> None:
    page = open_page(f"{site}/{path.format(*movie_ids)}", reduced_motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert (width, scheme, violations(page)) == (width, scheme, [])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_answered_upload_has_no_violation(
    site: str,
    open_page: Callable[..., Page],
    violations: Callable[[Page], list[str]],
    movie_ids: list[str],
) -> None:
    page = open_page(f"{site}/upload")
    poster = page.request.get(f"{site}/posters/{movie_ids[0]}?w=240").body()
    page.locator("#file").set_input_files({"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": poster})
    page.locator(".results").wait_for()
    page.locator(".add summary").click()
    assert violations(page) == []
