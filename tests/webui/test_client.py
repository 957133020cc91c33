"""The Python client says what the server says, in the recommender's own types."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from embeddings.errors import InvalidRequestError, NotFoundError
from indexer.settings import Settings
from recommender.recommender import open_recommender
from recommender.types import Filters, RatedMovie, SimilarRequest, Weights
from webui.client import ApiError, OnesheetClient

API_KEY = "a-key-for-tests"


@pytest.fixture
def api(live_url: str) -> Iterator[OnesheetClient]:
    with OnesheetClient(live_url, API_KEY) as client:
        yield client


@pytest.fixture
def poster(small_home: Settings) -> Path:
    return next((small_home.home.parent / "demo" / "posters").glob("*.jpg"))


def test_every_movie_comes_page_by_page(api: OnesheetClient) -> None:
    movies = list(api.movies(limit=7, sort="title"))
    assert len({movie.movie_id for movie in movies}) == len(movies) == 40
    assert api.movie(movies[3].movie_id).title == movies[3].title


def test_an_answer_equals_the_recommenders_own(api: OnesheetClient, own_home: Settings) -> None:
    ids = sorted(movie.movie_id for movie in api.movies())
    asked = SimilarRequest(
        like=(ids[0], ids[1]),
        unlike=(ids[2],),
        k=7,
        weights=Weights(1, 2, 0),
        filters=Filters(year_min=1960, exclude=(ids[3],)),
        diversity=0.25,
        collapse_duplicates=True,
    )
    recommender = open_recommender(own_home)
    own = recommender.similar(asked)
    recommender.catalog.close()
    said = api.similar(asked)
    assert said.results == own.results
    assert said.weights == own.weights
    assert said.snapshot == own.snapshot


def test_a_poster_finds_its_movie_and_its_genres(api: OnesheetClient, poster: Path) -> None:
    found = api.similar(SimilarRequest(poster=poster.read_bytes(), k=3, weights=Weights(1, 0, 0)))
    # The net has random weights and computes narrowly: posters of one series may change places.
    assert poster.stem in [result.movie_id for result in found.results]
    assert found.predicted_genres == pytest.approx(api.predict(poster).genre_probs)


def test_a_movie_goes_in_and_out(api: OnesheetClient, poster: Path) -> None:
    stored = api.put_movie("new-1", "Ein neuer Film", 2020, ["Drama", "Comedy"], poster)
    assert (stored.title, stored.year, stored.genres) == ("Ein neuer Film", 2020, ("Comedy", "Drama"))
    changed = api.put_movie("new-1", year=2021, collection="Neue Filme")
    assert (changed.title, changed.collection) == ("Ein neuer Film", "Neue Filme")
    [listed] = [movie for movie in api.movies(q="neuer film") if movie.movie_id == "new-1"]
    assert listed.collection == "Neue Filme"
    api.remove_movie("new-1")
    with pytest.raises(NotFoundError, match="new-1"):
        api.movie("new-1")


def test_a_person_a_media_server_and_the_facts(api: OnesheetClient) -> None:
    ids = sorted(movie.movie_id for movie in api.movies())
    recommended = api.recommend([RatedMovie(ids[0], 5.0), RatedMovie(ids[1], 1.0)], SimilarRequest(k=4))
    assert len(recommended.results) == 4
    assert len(api.similar_ids("imdb", ids[0], k=6)) == 6
    assert sum(api.genres().values()) > 40
    assert api.snapshot()["count"] == 40


def test_errors_keep_their_kind(api: OnesheetClient, live_url: str) -> None:
    ids = [movie.movie_id for movie in api.movies()]
    with pytest.raises(NotFoundError):
        api.similar(SimilarRequest(like=("tt9999999",)))
    with pytest.raises(InvalidRequestError) as refused:
        api.similar(SimilarRequest(like=(ids[0],), k=500))
    assert refused.value.field == "k"
    with OnesheetClient(live_url) as stranger, pytest.raises(ApiError) as denied:
        stranger.remove_movie(ids[0])
    assert denied.value.status == 401
    with OnesheetClient("http://127.0.0.1:9") as nowhere, pytest.raises(ApiError, match="cannot be reached"):
        nowhere.genres()


class ShedsOnce(http.server.BaseHTTPRequestHandler):
    """Turns the first request away, as a busy server does, and answers the second."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if len(self.seen) == 1:
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"genres": []}')

    def log_message(self, format: str, *args: object) -> None: ...


def test_a_busy_server_is_asked_again() -> None:
    handler = type("Handler", (ShedsOnce,), {"seen": []})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with OnesheetClient(f"http://127.0.0.1:{server.server_port}") as client:
            assert client.genres() == {}
        server.shutdown()
        thread.join()
    assert handler.seen == ["/api/v1/genres"] * 2
