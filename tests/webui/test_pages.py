"""The pages without a browser: what they say when there is little to show, and what they let in."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import EnvironBuilder, stream_encode_multipart

from indexer.settings import load_settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.page_forms import PanelForm
from webui.page_model import card_html, find_figures, reach, reliability
from webui.page_parts import closeness, predicted_rows
from webui.settings import WebSettings

HTML = {"Accept": "text/html"}


@pytest.fixture
def bare_client(tmp_path: Path) -> Iterator[FlaskClient]:
    """A client of an app over an empty home."""
    settings = load_settings(tmp_path / "home", {"ONESHEET_RATE_LIMIT": ""})
    recommender = open_recommender(settings)
    yield create_app(settings, recommender, WebSettings()).test_client()
    recommender.catalog.close()


def test_an_empty_catalog_says_how_to_fill_it(bare_client: FlaskClient) -> None:
    page = bare_client.get("/", headers=HTML)
    assert page.status_code == 200
    assert "onesheet import" in page.text


def test_the_map_and_upload_pages_open_over_an_empty_catalog(bare_client: FlaskClient) -> None:
    assert [bare_client.get(path, headers=HTML).status_code for path in ("/map", "/upload", "/these")] == [
        200
    ] * 3


def test_known_and_predicted_split_the_catalog(client: FlaskClient, movie_ids: list[str]) -> None:
    known = client.get("/?known=known&part=wall", headers=HTML).text
    predicted = client.get("/?known=predicted&part=wall", headers=HTML).text
    assert f'data-heading="{len(movie_ids)} one-sheets"' in known
    assert 'data-heading="0 one-sheets"' in predicted


@pytest.mark.parametrize(
    "path",
    [
        "/?decade=1985",
        "/?sort=best",
        "/?cursor=x",
        "/movies/{0}?visual=-1",
        "/movies/{0}?visual=0&genre=0&taste=0",
    ],
)
def test_a_value_outside_what_is_allowed_is_a_page_with_a_sentence(
    client: FlaskClient, movie_ids: list[str], path: str
) -> None:
    page = client.get(path.format(*movie_ids), headers=HTML)
    assert page.status_code == 422
    assert page.mimetype == "text/html"
    assert "That cannot be asked" in page.text


def test_marks_of_other_sites_in_a_link_do_no_harm(client: FlaskClient) -> None:
    assert client.get("/?utm_source=elsewhere", headers=HTML).status_code == 200


def test_a_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/", headers=HTML)
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    assert "style=" not in page.text


def test_a_title_with_markup_is_shown_as_text(own_client: FlaskClient, movie_ids: list[str]) -> None:
    key = {"Authorization": "Bearer a-key-for-tests"}
    title = "<script>alert('x')</script>"
    changed = own_client.put(f"/api/v1/movies/{movie_ids[0]}", json={"title": title}, headers=key)
    assert changed.status_code == 200
    page = own_client.get(f"/movies/{movie_ids[0]}", headers=HTML).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_collection_is_shown_as_text_and_leads_to_its_movies(
    own_client: FlaskClient, movie_ids: list[str]
) -> None:
    key = {"Authorization": "Bearer a-key-for-tests"}
    assert "Part of" not in own_client.get(f"/movies/{movie_ids[0]}", headers=HTML).text
    for movie_id in (movie_ids[0], movie_ids[30]):
        body = {"collection": "<b onload=x>Odd & even</b>"}
        assert own_client.put(f"/api/v1/movies/{movie_id}", json=body, headers=key).status_code == 200
    page = own_client.get(f"/movies/{movie_ids[0]}?series=first", headers=HTML).text
    link = f'Part of <a href="/movies/{movie_ids[0]}?series=first#like-heading">'
    assert f"{link}&lt;b onload=x&gt;Odd &amp; even&lt;/b&gt;</a>" in page
    assert "<li>Same collection: &lt;b onload=x&gt;Odd &amp; even&lt;/b&gt;</li>" in page
    assert "<b onload" not in page
    first = re.search(r'<li class="card" data-movie-id="([^"]+)"', page)
    assert first is not None
    assert first.group(1) == movie_ids[30]


def test_an_upload_without_a_file_is_refused_with_a_sentence(client: FlaskClient) -> None:
    page = client.post("/upload", data={"k": "5"}, headers=HTML, content_type="multipart/form-data")
    assert page.status_code == 422
    assert "choose a JPEG, PNG or WebP" in page.text


def test_every_edge_case_is_read_or_refused_with_a_sentence(client: FlaskClient, real_data: Path) -> None:
    files = sorted(p for p in (real_data / "edgecases").rglob("*") if p.is_file() and p.suffix != ".csv")
    statuses = {}
    for file in files:
        # The test client would leave a temporary file open for bodies above 500 KB.
        form = {"poster": FileStorage(io.BytesIO(file.read_bytes()), file.name)}
        body, _, boundary = stream_encode_multipart(form, use_tempfile=False)
        kind = f"multipart/form-data; boundary={boundary}"
        answer = client.post("/upload?part=reading", data=body.read(), content_type=kind, headers=HTML)
        statuses[file.name] = answer.status_code
        assert answer.status_code in (200, 413, 422), file.name
        said = "The poster says" if answer.status_code == 200 else "That cannot be asked"
        assert answer.status_code == 413 or said in answer.text, file.name
    assert {200, 422} <= set(statuses.values())


def test_predicted_genres_are_the_likeliest_and_every_chosen_one() -> None:
    probs = {f"G{i}": 0.9 - 0.05 * i for i in range(12)}
    rows = predicted_rows(probs, ("G11",))
    assert [row.genre for row in rows] == [f"G{i}" for i in range(8)] + ["G11"]
    assert [row.chosen for row in rows] == [False] * 8 + [True]


@pytest.mark.parametrize(
    ("percentile", "words"),
    [
        (0.0, "no closer than most"),
        (49.99, "no closer than most"),
        (50.0, "closer than 50 %"),
        (98.97, "closer than 98 %"),
        (99.0, "closest 1 in 100"),
        (99.96, "closest 1 in 2,500"),
        (100.0, "closest 1 in 10,000"),
    ],
)
def test_closeness_is_told_in_words_that_differ_near_the_top(percentile: float, words: str) -> None:
    assert closeness(percentile) == words


def test_the_panel_is_open_only_where_a_filter_stands() -> None:
    assert not PanelForm(visual=1, genre=0, taste=0).narrowed
    assert PanelForm(diversity=0.2).narrowed
    assert PanelForm(collapse_duplicates=True).narrowed


def test_the_evaluation_is_found_where_the_manifest_keeps_it() -> None:
    figures = {"per_genre": {}}
    assert find_figures(figures) is figures
    assert find_figures({"validation": {"n": 1}, "test": figures}) is figures
    assert find_figures({"seed": 0}) is None


def test_reliability_dots_stand_where_said_meets_true() -> None:
    bins = [{"predicted": 0.25, "observed": 0.5, "count": 4}, {"predicted": 0.9, "observed": 0.9, "count": 0}]
    assert reach({"reliability": bins}) == 0.5
    dots = reliability({"reliability": bins})
    assert [(dot.x, dot.y, dot.count) for dot in dots] == [(50.0, 0.0, 4)]


def test_markup_in_a_model_card_is_shown_as_text(tmp_path: Path) -> None:
    assert card_html(tmp_path) is None
    (tmp_path / "MODEL_CARD.md").write_text("# A card\n\n<img src=x onerror=alert(1)>\n", encoding="utf-8")
    assert card_html(tmp_path) == "<h1>A card</h1>\n<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"


def test_a_static_file_is_closed_even_where_the_browser_hangs_up(app: Flask) -> None:
    environ = EnvironBuilder(path="/static/js/wall.js").get_environ()
    # As a server does whose reader is gone: the answer is neither read to its end nor closed.
    answer = app.wsgi_app(environ, lambda status, headers, exc_info=None: lambda data: None)
    assert next(iter(answer))
    held = [number.resolve() for number in Path("/proc/self/fd").iterdir()]
    assert "wall.js" not in {path.name for path in held}
