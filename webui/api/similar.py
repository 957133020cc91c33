"""More like this: by id, by several ids, by a picture, for a person."""

from __future__ import annotations

import orjson
from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from recommender.types import RatedMovie, SimilarMovies, SimilarRequest
from webui.answers import SimilarAnswer
from webui.api.documents import NOT_MODIFIED, file_or_json, json_body, problems
from webui.bodies import find_upload, is_form, read_form, read_json
from webui.json_bytes import to_json
from webui.queries import queried
from webui.schemas import (
    BlendContract,
    MoviePath,
    RecommendationsBody,
    SimilarBody,
    SimilarForm,
    SimilarQuery,
)
from webui.services import current_view, services
from webui.validators import tagged

_POSTER_PATH = b'"poster_url":"/'

similar = APIBlueprint(
    "similar",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="more like this")],
    abp_responses=problems(404, 422, 429, 503),
)


@similar.get("/movies/<movie_id>/similar", responses={200: SimilarAnswer, 304: NOT_MODIFIED})
@queried
def get_similar(path: MoviePath, query: SimilarQuery) -> Response:
    """Movies like one movie, nearest first."""
    asked = similar_request(query, like=(path.movie_id,))
    view = current_view()
    return tagged(view, lambda: _with_prefix(services().similar_body(asked, view)))


@similar.post(
    "/similar",
    responses={200: SimilarAnswer, **problems(400, 413, 415)},
    openapi_extensions=file_or_json(SimilarForm, SimilarBody),
)
def post_similar() -> Response:
    """Movies like several and unlike others (JSON), or like a picture (a form with a file ``poster``)."""
    if not is_form():
        body = read_json(SimilarBody)
        asked = similar_request(body, tuple(body.like), tuple(body.unlike))
        return _sent(find_similar(asked))
    form = read_form(SimilarForm)
    poster = find_upload()
    asked = similar_request(form, tuple(form.like), tuple(form.unlike), poster)
    return _sent(find_similar(asked))


@similar.post(
    "/recommendations",
    responses={200: SimilarAnswer, **problems(400, 413, 415)},
    openapi_extensions=json_body(RecommendationsBody),
)
def post_recommendations() -> Response:
    """Movies for a person, from what the person rated; none of those is among them."""
    body = read_json(RecommendationsBody)
    ratings = tuple(RatedMovie(rating.movie_id, rating.value) for rating in body.ratings)
    recommended = services().recommender.recommend(ratings, similar_request(body))
    return _sent(recommended)


def similar_request(
    options: BlendContract,
    like: tuple[str, ...] = (),
    unlike: tuple[str, ...] = (),
    poster: bytes | None = None,
) -> SimilarRequest:
    """Turn checked options into the recommender's question."""
    return SimilarRequest(
        like=like,
        unlike=unlike,
        poster=poster,
        k=options.k,
        weights=options.weights(),
        filters=options.filters(),
        diversity=options.diversity,
        collapse_duplicates=options.collapse_duplicates,
        series=options.series,
    )


def find_similar(asked: SimilarRequest) -> SimilarMovies:
    """Ask the recommender of this process."""
    held = services()
    return held.similar(asked, current_view())


def _sent(found: SimilarMovies) -> Response:
    return Response(_with_prefix(to_json(found.document())), content_type="application/json")


def _with_prefix(body: bytes) -> bytes:
    """Begin the paths of posters with the URL prefix that the server stands under."""
    if not request.script_root:
        return body
    # Within a text of the document each quote is escaped: this is the member and nothing else.
    return body.replace(_POSTER_PATH, _POSTER_PATH[:-1] + orjson.dumps(request.script_root)[1:-1] + b"/")
