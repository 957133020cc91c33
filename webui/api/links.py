"""Where one answer of the API leads: the links of the OpenAPI document.

A client that follows them, and a test that does, needs no id to begin with.
"""

from __future__ import annotations

import copy
from typing import Any

_MOVIE = "/api/v1/movies/{movie_id}"
_SIMILAR = "/api/v1/movies/{movie_id}/similar"
_POSTER = "/posters/{movie_id}"
_HEATMAP = "/api/v1/movies/{movie_id}/heatmap"
_MOVIES = "/api/v1/movies"

Target = tuple[str, str, str, dict[str, str]]
"""Name of the link, method, path, and a runtime expression for each parameter."""


def _to_movie(where: str, change: bool = False) -> tuple[Target, ...]:
    """Links from an answer that holds a movie's id at ``where``."""
    here = {"movie_id": where}
    reading: tuple[Target, ...] = (
        ("Movie", "get", _MOVIE, here),
        ("MoreLikeThis", "get", _SIMILAR, here),
        ("Poster", "get", _POSTER, here),
    )
    return (*reading, ("RemoveIt", "delete", _MOVIE, here)) if change else reading


_FIRST_RESULT = _to_movie("$response.body#/results/0/movie_id")
_SAME_MOVIE = _to_movie("$request.path.movie_id")
_LINKS: dict[tuple[str, str, str], tuple[Target, ...]] = {
    ("get", _MOVIES, "200"): (
        ("NextPage", "get", _MOVIES, {"cursor": "$response.body#/next"}),
        *_to_movie("$response.body#/movies/0/movie_id"),
    ),
    ("get", _MOVIE, "200"): (
        *_SAME_MOVIE[1:],
        ("ChangeIt", "put", _MOVIE, _SAME_MOVIE[0][3]),
        ("Heatmap", "get", _HEATMAP, {**_SAME_MOVIE[0][3], "genre": "$response.body#/chosen_genres/0"}),
    ),
    ("put", _MOVIE, "200"): _to_movie("$response.body#/movie/movie_id", change=True),
    ("put", _MOVIE, "201"): _to_movie("$response.body#/movie/movie_id", change=True),
    ("delete", _MOVIE, "200"): _to_movie("$response.body#/movie_id"),
    ("get", _SIMILAR, "200"): _FIRST_RESULT,
    ("post", "/api/v1/similar", "200"): _FIRST_RESULT,
    ("post", "/api/v1/recommendations", "200"): _FIRST_RESULT,
    ("get", "/api/v1/map", "200"): _to_movie("$response.body#/movie_ids/0"),
    ("get", "/api/v1/genres", "200"): (
        ("ItsMovies", "get", _MOVIES, {"genre": "$response.body#/genres/0/genre"}),
    ),
}


def with_links(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of an OpenAPI document whose answers name what can be asked next."""
    linked = copy.deepcopy(document)
    for (method, path, status), targets in _LINKS.items():
        answer = linked["paths"][path][method]["responses"][status]
        answer["links"] = {
            name: {
                "operationId": linked["paths"][to_path][to_method]["operationId"],
                "parameters": parameters,
            }
            for name, to_method, to_path, parameters in targets
        }
    return linked
