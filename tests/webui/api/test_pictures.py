"""Posters, their genres, and heat-maps over HTTP."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from indexer.settings import Settings
from recommender.recommender import open_recommender
from webui.answers import PredictAnswer
from webui.app import create_app
from webui.settings import MAX_UPLOAD_BYTES, WebSettings


def upload(data: bytes, **fields: str) -> dict[str, object]:
    return {"poster": (io.BytesIO(data), "poster.jpg"), **fields}


@pytest.mark.parametrize(("asked", "given"), [("80", 80), ("100", 160), ("2000", 320), ("", 320)])
def test_a_poster_comes_as_jpeg_at_the_width_on_offer(
    client: FlaskClient, movie_ids: list[str], asked: str, given: int
) -> None:
    answer = client.get(f"/posters/{movie_ids[0]}?w={asked}")
    assert answer.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(answer.data)).width == given


def test_a_poster_in_the_browser_is_not_sent_again(client: FlaskClient, movie_ids: list[str]) -> None:
    first = client.get(f"/posters/{movie_ids[0]}?w=160")
    again = client.get(f"/posters/{movie_ids[0]}?w=160", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert "max-age" in again.headers["Cache-Control"]


def test_a_movie_that_is_not_there_has_no_poster(client: FlaskClient) -> None:
    answer = client.get("/posters/tt9999999")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_a_poster_whose_file_is_gone_is_404(own_client: FlaskClient, own_home: Settings) -> None:
    image = io.BytesIO()
    Image.new("RGB", (100, 150), "red").save(image, "JPEG")
    own_client.put(
        "/api/v1/movies/gone-1",
        data=upload(image.getvalue(), title="Gone"),
        headers={"Authorization": "Bearer a-key-for-tests"},
    )
    for kept in own_home.posters_dir.glob("gone-1*"):
        kept.unlink()
    answer = own_client.get("/posters/gone-1")
    assert answer.status_code == 404
    assert "cannot be read" in answer.get_json(force=True)["detail"]


def test_an_uploaded_poster_gets_its_genres(client: FlaskClient, movie_ids: list[str]) -> None:
    answer = client.post("/api/v1/predict", data=upload(client.get(f"/posters/{movie_ids[0]}").data))
    document = answer.get_json()
    PredictAnswer.model_validate(document)
    shares = list(document["genre_probs"].values())
    assert shares == sorted(shares, reverse=True)
    assert set(document["genres"]) == {g for g, p in document["genre_probs"].items() if p >= 0.5}


def test_an_upload_above_the_limit_is_413(client: FlaskClient) -> None:
    # The test client would leave a temporary file open for a body above 500 KB.
    body, _, boundary = stream_encode_multipart(
        {"poster": FileStorage(io.BytesIO(b"\xff\xd8\xff" + bytes(MAX_UPLOAD_BYTES)), "poster.jpg")},
        use_tempfile=False,
    )
    answer = client.post(
        "/api/v1/predict", data=body.read(), content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert answer.status_code == 413
    assert "20 MB" in answer.get_json(force=True)["detail"]


def test_an_unknown_field_of_a_form_is_named(client: FlaskClient) -> None:
    answer = client.post("/api/v1/predict", data=upload(b"x", colour="red"))
    assert answer.status_code == 422
    assert "colour" in answer.get_json(force=True)["errors"]


def test_a_heat_map_is_a_picture_and_made_once(client: FlaskClient, movie_ids: list[str]) -> None:
    path = f"/api/v1/movies/{movie_ids[0]}/heatmap?genre=Drama"
    first = client.get(path)
    assert first.status_code == 200, first.data
    assert first.mimetype == "image/png"
    assert Image.open(io.BytesIO(first.data)).size[0] >= 40
    assert client.get(path).data == first.data
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert client.get(f"/api/v1/movies/{movie_ids[0]}/heatmap?genre=Opera").status_code == 422
    assert client.get(f"/api/v1/movies/{movie_ids[0]}/heatmap").status_code == 200


def test_an_uploaded_poster_gets_a_heat_map(client: FlaskClient, movie_ids: list[str]) -> None:
    poster = client.get(f"/posters/{movie_ids[0]}").data
    answer = client.post("/api/v1/heatmap", data=upload(poster, genre="Comedy"))
    assert answer.status_code == 200, answer.data
    assert answer.mimetype == "image/png"


def test_an_encoder_that_is_missing_is_503_and_ids_still_answer(
    small_home: Settings, movie_ids: list[str], tmp_path: Path
) -> None:
    lost = replace(small_home, model=tmp_path / "nothing")
    client = create_app(lost, open_recommender(lost), WebSettings()).test_client()
    assert client.get(f"/api/v1/movies/{movie_ids[0]}/similar").status_code == 200
    answer = client.post("/api/v1/predict", data=upload(b"\xff\xd8\xff"))
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
