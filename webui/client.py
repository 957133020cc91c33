"""A typed client of the API: it answers with the recommender's own types and raises its own errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from embeddings.errors import InvalidRequestError, NotFoundError, OnesheetError
from indexer.types import Movie
from recommender.types import (
    Neighbour,
    Prediction,
    RatedMovie,
    Reason,
    SimilarMovies,
    SimilarRequest,
    Weights,
)

_API = "/api/v1"


class ApiError(OnesheetError):
    """The server refused for a reason that is not the question's: a key, a limit, a fault."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class OnesheetClient:
    """Asks a onesheet server; one session, so that connections are used again.

    A server that is busy (429, 503) is asked again as it says, a few times,
    where asking twice does no harm.

    Args:
        base_url: Where the server is, with its URL prefix if it has one.
        api_key: Needed by ``put_movie`` and ``remove_movie`` alone.
        timeout_seconds: How long an answer may take.

    Example:
        client = OnesheetClient("http://127.0.0.1:8000")
        client.similar(SimilarRequest(like=("tt0088763",), k=5)).results[0].title
    """

    def __init__(self, base_url: str, api_key: str | None = None, timeout_seconds: float = 30.0) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self._session = requests.Session()
        retry = Retry(total=3, backoff_factor=0.2, status_forcelist=(429, 503), raise_on_status=False)
        self._session.mount(self.base_url, HTTPAdapter(max_retries=retry))
        if api_key is not None:
            self._session.headers["Authorization"] = f"Bearer {api_key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def movies(self, limit: int = 100, **query: Any) -> Iterator[Movie]:
        """Every movie that a search finds, page by page.

        Args:
            limit: Movies per page.
            query: ``q``, ``genre``, ``year_min``, ``year_max``, ``sort``, as the API names them.
        """
        cursor: str | None = None
        while True:
            page = self._get(f"{_API}/movies", {**query, "limit": limit, "cursor": cursor})
            for card in page["movies"]:
                genres = tuple(card["genres"])
                known = card["genres_known"]
                yield Movie(
                    movie_id=card["movie_id"],
                    title=card["title"],
                    year=card["year"],
                    genres=genres if known else (),
                    chosen_genres=() if known else genres,
                    n_ratings=card["n_ratings"],
                    poster=card["poster_url"],
                    collection=card["collection"],
                )
            cursor = page["next"]
            if cursor is None:
                return

    def movie(self, movie_id: str) -> Movie:
        """One movie; its ``poster`` is a path on the server.

        Raises:
            NotFoundError: The catalog does not have it.
        """
        return _movie(self._get(_movie_path(movie_id)))

    def similar(self, asked: SimilarRequest) -> SimilarMovies:
        """Movies like those of the question.

        Raises:
            NotFoundError: A movie of the question is not in the catalog.
            InvalidRequestError: An option is out of range; ``field`` names it.
        """
        options = _options(asked)
        if asked.poster is None:
            body = {**options, "like": list(asked.like), "unlike": list(asked.unlike)}
            return _similar(self._send("POST", f"{_API}/similar", json=body), asked)
        fields = {**options, "like": list(asked.like), "unlike": list(asked.unlike)}
        form = [(name, text) for name, value in fields.items() for text in _form_texts(value)]
        files = {"poster": ("poster", asked.poster)}
        return _similar(self._send("POST", f"{_API}/similar", data=form, files=files), asked)

    def recommend(self, ratings: Sequence[RatedMovie], asked: SimilarRequest | None = None) -> SimilarMovies:
        """Movies for a person, from what the person rated."""
        asked = asked or SimilarRequest()
        body = {**_options(asked), "ratings": [asdict(rating) for rating in ratings]}
        return _similar(self._send("POST", f"{_API}/recommendations", json=body), asked)

    def predict(self, poster: Path | bytes) -> Prediction:
        """Genres of a poster; nothing is stored.

        Raises:
            InvalidRequestError: The file is not a poster that can be read.
        """
        answer = self._send("POST", f"{_API}/predict", files={"poster": ("poster", _bytes(poster))})
        return Prediction(answer["genre_probs"], tuple(answer["genres"]), answer["fingerprint"])

    def similar_ids(self, source: str, external_id: str, k: int = 10) -> tuple[str, ...]:
        """Ids of similar movies as ``imdb`` or ``tmdb`` gives them, nearest first."""
        path = f"{_API}/similar-ids/{quote(source, safe='')}/{quote(external_id, safe='')}"
        return tuple(self._get(path, {"k": k})["ids"])

    def genres(self) -> dict[str, int]:
        """Every genre and how many movies carry it."""
        return {found["genre"]: found["movies"] for found in self._get(f"{_API}/genres")["genres"]}

    def snapshot(self) -> dict[str, Any]:
        """What the server serves, as it says it."""
        return self._get(f"{_API}/snapshot")

    def put_movie(
        self,
        movie_id: str,
        title: str | None = None,
        year: int | None = None,
        genres: Sequence[str] = (),
        poster: Path | bytes | None = None,
        collection: str | None = None,
    ) -> Movie:
        """Put a movie in, or change one; it is found when this returns.

        Raises:
            ApiError: The key is missing or unknown.
            InvalidRequestError: A field or the poster cannot be taken.
        """
        given = {"title": title, "year": year, "genres": "|".join(genres) or None}
        given["collection"] = collection
        form = [(name, text) for name, value in given.items() for text in _form_texts(value)]
        # Without a file requests would send a plain form; an empty part keeps it multipart.
        files: list[tuple[str, Any]] = [(name, (None, text)) for name, text in form]
        if poster is not None:
            files.append(("poster", ("poster", _bytes(poster))))
        return _movie(self._send("PUT", _movie_path(movie_id), files=files)["movie"])

    def remove_movie(self, movie_id: str) -> None:
        """Take a movie out.

        Raises:
            NotFoundError: The catalog does not have it.
        """
        self._send("DELETE", _movie_path(movie_id))

    def _get(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self._send("GET", path, params=given)

    def _send(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        try:
            answer = self._session.request(
                method, self.base_url + path, timeout=self.timeout_seconds, **kwargs
            )
        except requests.RequestException as error:
            raise ApiError(f"{self.base_url} cannot be reached: {error}", 0) from error
        if not answer.ok:
            raise _error_of(answer)
        document: dict[str, Any] = answer.json()
        return document


def _error_of(answer: requests.Response) -> OnesheetError:
    try:
        problem = answer.json()
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return ApiError(f"{answer.url} answered {answer.status_code} without a problem document", 502)
    if answer.status_code == 404:
        return NotFoundError(detail)
    if answer.status_code == 422:
        return InvalidRequestError(detail, next(iter(problem.get("errors", {})), None))
    return ApiError(detail, answer.status_code)


def _movie_path(movie_id: str) -> str:
    return f"{_API}/movies/{quote(movie_id, safe='')}"


def _bytes(poster: Path | bytes) -> bytes:
    return poster.read_bytes() if isinstance(poster, Path) else poster


def _form_texts(value: object) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _options(asked: SimilarRequest) -> dict[str, Any]:
    shares = asdict(asked.weights) if asked.weights else {}
    filters = asdict(asked.filters)
    listed = {name: list(filters.pop(name)) for name in ("genres", "exclude")}
    chosen = {name: value for name, value in filters.items() if value is not None}
    return {
        "k": asked.k,
        **shares,
        **listed,
        **chosen,
        "diversity": asked.diversity,
        "collapse_duplicates": asked.collapse_duplicates,
        "series": asked.series,
    }


def _movie(document: dict[str, Any]) -> Movie:
    return Movie(
        movie_id=document["movie_id"],
        title=document["title"],
        year=document["year"],
        genres=tuple(document["genres"]),
        predicted_genres=document["predicted_genres"],
        chosen_genres=tuple(document["chosen_genres"]),
        n_ratings=document["n_ratings"],
        poster=document["poster_url"],
        artwork_group=document["artwork_group"],
        collection=document["collection"],
    )


def _similar(document: dict[str, Any], asked: SimilarRequest) -> SimilarMovies:
    return SimilarMovies(
        request=asked,
        weights=Weights(**document["weights"]),
        results=tuple(_neighbour(result) for result in document["results"]),
        snapshot=document["snapshot"],
        took_ms=document["took_ms"],
        predicted_genres=document.get("predicted_genres"),
        rest_weights=Weights(**rest) if (rest := document.get("rest_weights")) else None,
    )


def _neighbour(result: dict[str, Any]) -> Neighbour:
    fields = {
        **result,
        "genres": tuple(result["genres"]),
        "reasons": tuple(Reason(**reason) for reason in result["reasons"]),
    }
    return Neighbour(**fields)
