"""Search, browse, one movie, one in, one out."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from indexer.settings import Settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.settings import WebSettings

AUTHORIZED = {"Authorization": "Bearer a-key-for-tests"}
MULTIPART = "multipart/form-data"


def drawn_poster() -> bytes:
    buffer = io.BytesIO()
    image = Image.new("RGB", (120, 180), (240, 220, 40))
    image.paste((20, 20, 160), (30, 40, 90, 140))
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_pages_follow_each_other_without_gap_or_repeat(client: FlaskClient, movie_ids: list[str]) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(20):
        page = client.get(f"/api/v1/movies?sort=title&limit=7&cursor={cursor}").get_json()
        seen += [movie["movie_id"] for movie in page["movies"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == movie_ids
    assert page["total"] == len(movie_ids) == 40


def test_a_search_finds_a_movie_by_a_word_of_its_title(client: FlaskClient, movie_ids: list[str]) -> None:
    movie = client.get(f"/api/v1/movies/{movie_ids[3]}").get_json()
    word = movie["title"].split()[-1]
    found = client.get("/api/v1/movies", query_string={"q": word}).get_json()["movies"]
    assert movie["movie_id"] in [one["movie_id"] for one in found]


def test_a_genre_filter_lets_only_its_movies_through(client: FlaskClient) -> None:
    genre = client.get("/api/v1/genres").get_json()["genres"][0]
    page = client.get("/api/v1/movies", query_string={"genre": genre["genre"], "limit": 200}).get_json()
    assert page["total"] == genre["movies"] > 0
    assert all(genre["genre"] in movie["genres"] for movie in page["movies"])


def test_a_movie_has_known_and_predicted_genres(client: FlaskClient, movie_ids: list[str]) -> None:
    movie = client.get(f"/api/v1/movies/{movie_ids[0]}").get_json()
    assert movie["genres"]
    assert len(movie["predicted_genres"]) == 10
    assert all(0 <= p <= 1 for p in movie["predicted_genres"].values())
    assert movie["poster_url"] == f"/posters/{movie_ids[0]}"


def test_an_unknown_movie_is_404_and_a_wrong_option_names_its_field(client: FlaskClient) -> None:
    assert client.get("/api/v1/movies/tt9999999").status_code == 404
    for query, name in (
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("year_min=12", "year_min"),
        ("sort=best", "sort"),
        ("colour=red", "colour"),
        ("cursor=abc", "cursor"),
    ):
        answer = client.get(f"/api/v1/movies?{query}")
        assert answer.status_code == 422, query
        assert name in answer.get_json(force=True)["errors"], query


def test_a_copy_that_is_still_right_is_not_sent_again(client: FlaskClient, movie_ids: list[str]) -> None:
    first = client.get("/api/v1/movies?limit=5")
    assert "must-revalidate" in first.headers["Cache-Control"]
    again = client.get("/api/v1/movies?limit=5", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert not again.data
    other = client.get("/api/v1/movies?limit=6", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_a_movie_put_in_is_found_at_once_and_gone_when_deleted(own_client: FlaskClient) -> None:
    before = own_client.get("/api/v1/movies?limit=1")
    form = {"title": "Ein neuer Film", "year": "2020", "genres": "Comedy|Drama"}
    stored = own_client.put(
        "/api/v1/movies/new-1",
        data={**form, "poster": (io.BytesIO(drawn_poster()), "poster.png")},
        headers=AUTHORIZED,
    )
    assert stored.status_code == 201
    movie = stored.get_json()["movie"]
    assert movie["title"] == "Ein neuer Film"
    assert movie["genres"] == ["Comedy", "Drama"]
    assert movie["predicted_genres"]
    similar = own_client.get("/api/v1/movies/new-1/similar?k=3").get_json()["results"]
    assert len(similar) == 3
    neighbour = similar[0]["movie_id"]
    back = own_client.get(f"/api/v1/movies/{neighbour}/similar?k=200&visual=1").get_json()["results"]
    assert "new-1" in [one["movie_id"] for one in back]
    after = own_client.get("/api/v1/movies?limit=1", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200

    assert own_client.delete("/api/v1/movies/new-1", headers=AUTHORIZED).status_code == 200
    assert own_client.get("/api/v1/movies/new-1").status_code == 404
    back = own_client.get(f"/api/v1/movies/{neighbour}/similar?k=200&visual=1").get_json()["results"]
    assert "new-1" not in [one["movie_id"] for one in back]
    assert own_client.delete("/api/v1/movies/new-1", headers=AUTHORIZED).status_code == 404


def test_a_movie_can_be_changed_by_json_and_keeps_its_poster(own_client: FlaskClient) -> None:
    movie_id = own_client.get("/api/v1/movies?limit=1").get_json()["movies"][0]["movie_id"]
    changed = own_client.put(
        f"/api/v1/movies/{movie_id}", json={"title": "Renamed", "genres": "War"}, headers=AUTHORIZED
    )
    assert changed.status_code == 200
    assert changed.get_json()["movie"]["title"] == "Renamed"
    assert changed.get_json()["movie"]["genres"] == ["War"]
    assert changed.get_json()["movie"]["poster_url"] is not None


def test_a_collection_goes_in_by_form_and_json_and_puts_its_movies_first(
    own_client: FlaskClient, movie_ids: list[str]
) -> None:
    one, two = movie_ids[0], movie_ids[20]
    form = {"collection": "Odd Pair Collection", "title": "Prologue"}
    stored = own_client.put(f"/api/v1/movies/{one}", data=form, headers=AUTHORIZED, content_type=MULTIPART)
    assert stored.get_json()["movie"]["collection"] == "Odd Pair Collection"
    body = {"collection": "odd pair", "title": "Elsewhere"}
    assert own_client.put(f"/api/v1/movies/{two}", json=body, headers=AUTHORIZED).status_code == 200
    assert own_client.get(f"/api/v1/movies/{two}").get_json()["collection"] == "odd pair"
    assert own_client.get(f"/api/v1/movies/{movie_ids[5]}").get_json()["collection"] is None
    cards = own_client.get("/api/v1/movies?q=elsewhere").get_json()["movies"]
    assert [card["collection"] for card in cards if card["movie_id"] == two] == ["odd pair"]

    def similar(series: str) -> list[dict[str, Any]]:
        answer = own_client.get(f"/api/v1/movies/{one}/similar?k=39&series={series}")
        results: list[dict[str, Any]] = answer.get_json()["results"]
        return results

    first = similar("first")[0]
    assert (first["movie_id"], first["reasons"][0]["text"]) == (two, "Same collection: odd pair")
    assert two not in {found["movie_id"] for found in similar("hide")}
    [reason] = [found["reasons"][0] for found in similar("neutral") if found["movie_id"] == two]
    assert reason["data"] == {"collections": ["Odd Pair Collection", "odd pair"]}


@pytest.mark.parametrize("name", ["", "x" * 201, 5, ["a"], {"name": "a"}])
def test_a_collection_that_is_no_name_is_refused(
    own_client: FlaskClient, movie_ids: list[str], name: object
) -> None:
    refused = own_client.put(f"/api/v1/movies/{movie_ids[0]}", json={"collection": name}, headers=AUTHORIZED)
    assert refused.status_code == 422
    assert "collection" in refused.get_json(force=True)["errors"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_nothing_is_changed_without_a_known_key(
    client: FlaskClient, movie_ids: list[str], headers: dict[str, str]
) -> None:
    assert client.delete(f"/api/v1/movies/{movie_ids[0]}", headers=headers).status_code == 401
    assert client.put(f"/api/v1/movies/{movie_ids[0]}", json={}, headers=headers).status_code == 401
    assert client.get(f"/api/v1/movies/{movie_ids[0]}").status_code == 200


def test_a_poster_that_is_none_leaves_the_catalog_as_it_was(own_client: FlaskClient, tmp_path: Path) -> None:
    refused = own_client.put(
        "/api/v1/movies/new-2",
        data={"title": "No poster", "poster": (io.BytesIO(b"not a picture"), "poster.jpg")},
        headers=AUTHORIZED,
    )
    assert refused.status_code == 422
    assert "poster" in refused.get_json(force=True)["errors"]
    assert own_client.get("/api/v1/movies/new-2").status_code == 404


def test_a_poster_is_fetched_only_from_an_allowed_host(own_client: FlaskClient) -> None:
    for url in ("http://127.0.0.1/poster.jpg", "https://images.example/poster.jpg"):
        refused = own_client.put("/api/v1/movies/new-3", json={"poster_url": url}, headers=AUTHORIZED)
        assert refused.status_code == 422
        assert "poster_url" in refused.get_json(force=True)["errors"]
    assert own_client.get("/api/v1/movies/new-3").status_code == 404


class PosterHost(BaseHTTPRequestHandler):
    """Answers every question with one drawn poster."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(drawn_poster())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def poster_host() -> Iterator[str]:
    """Name and port of a server that has a poster."""
    with HTTPServer(("127.0.0.1", 0), PosterHost) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_poster_of_an_allowed_host_is_fetched_embedded_and_found(
    own_home: Settings, poster_host: str
) -> None:
    settings = replace(own_home, poster_hosts=(poster_host,), allow_private_posters=True)
    client = create_app(settings, open_recommender(settings), WebSettings()).test_client()
    body = {"title": "Fetched", "poster_url": f"http://{poster_host}/poster.png"}
    stored = client.put("/api/v1/movies/new-4", json=body, headers=AUTHORIZED)
    assert stored.status_code == 201
    assert stored.get_json()["movie"]["predicted_genres"]
    assert Image.open(io.BytesIO(client.get("/posters/new-4").data)).size == (120, 180)
    [nearest] = client.post(
        "/api/v1/similar",
        data={"poster": (io.BytesIO(drawn_poster()), "p.png"), "k": "1", "visual": "1"},
    ).get_json()["results"]
    assert nearest["movie_id"] == "new-4"
    assert nearest["signals"]["visual"] > 0.99


def test_an_uploaded_poster_counts_as_encoded_whatever_is_asked_of_it(own_client: FlaskClient) -> None:
    for path in ("/api/v1/predict", "/api/v1/similar"):
        data = {"poster": (io.BytesIO(drawn_poster()), "p.png")}
        assert own_client.post(path, data=data).status_code == 200
    assert "onesheet_encode_seconds_count 2.0" in own_client.get("/metrics").text


def test_every_edge_case_file_is_taken_as_a_poster_or_refused_in_a_sentence(
    own_client: FlaskClient, real_data: Path
) -> None:
    files = sorted(p for p in (real_data / "edgecases").iterdir() if p.suffix not in (".csv", ".txt"))
    assert len(files) >= 45
    taken = []
    for n, file in enumerate(files):
        form = {"title": file.name, "poster": FileStorage(io.BytesIO(file.read_bytes()), file.name)}
        # The test client would leave a temporary file open for bodies above 500 KB.
        body, _, boundary = stream_encode_multipart(form, use_tempfile=False)
        answer = own_client.put(
            f"/api/v1/movies/edge-{n}",
            data=body.read(),
            content_type=f"multipart/form-data; boundary={boundary}",
            headers=AUTHORIZED,
        )
        assert answer.status_code in (201, 413, 422), (file.name, answer.data[:300])
        if answer.status_code == 201:
            taken.append(f"edge-{n}")
            poster = own_client.get(f"/posters/edge-{n}?w=80")
            assert (poster.status_code, poster.data[:3]) == (200, b"\xff\xd8\xff"), file.name
        else:
            assert len(answer.get_json(force=True)["detail"]) > 20, file.name
            assert own_client.get(f"/api/v1/movies/edge-{n}").status_code == 404, file.name
    assert 10 <= len(taken) < len(files)
    similar = own_client.get(f"/api/v1/movies/{taken[0]}/similar?k=100").get_json()["results"]
    assert set(taken[1:]) <= {one["movie_id"] for one in similar}
