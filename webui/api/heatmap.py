"""Where on a poster the encoder sees a genre, as a picture over the poster."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from embeddings.errors import InvalidRequestError, NotFoundError
from webui.api.documents import NOT_MODIFIED, binary, file_body, problems
from webui.bodies import read_form, read_upload
from webui.queries import queried
from webui.schemas import HeatmapForm, HeatmapQuery, MoviePath
from webui.services import services

heatmap = APIBlueprint(
    "heatmap",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="genres")],
    abp_responses=problems(422, 429, 503),
)


@heatmap.get(
    "/movies/<movie_id>/heatmap",
    responses={200: binary("image/png"), 304: NOT_MODIFIED, **problems(404)},
)
@queried
def get_heatmap(path: MoviePath, query: HeatmapQuery) -> Response:
    """What in a movie's poster speaks for a genre, as PNG; made once, then kept."""
    held = services()
    movie = held.recommender.catalog.get_movie(path.movie_id)
    if movie.poster is None or movie.poster_hash is None:
        raise NotFoundError(f"The movie {path.movie_id!r} has no poster.")
    genre = query.genre or likeliest(movie.predicted_genres)
    key = f"{held.encoder_in_use}\n{movie.poster_hash}\n{genre}"
    tag = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    poster = Path(movie.poster)
    if request.if_none_match.contains(tag):
        answer = Response(status=304)
    else:
        png = held.heatmaps.get(tag, lambda: held.heatmap_png(poster, genre))
        answer = Response(png, content_type="image/png")
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@heatmap.post(
    "/heatmap",
    responses={200: binary("image/png"), **problems(400, 413, 415)},
    openapi_extensions=file_body(HeatmapForm),
)
def post_heatmap() -> Response:
    """What in an uploaded poster speaks for a genre, as PNG; nothing is stored."""
    poster = read_upload()
    form = read_form(HeatmapForm)
    held = services()
    genre = form.genre or likeliest(held.predict(poster).genre_probs)
    answer = Response(held.heatmap_png(poster, genre), content_type="image/png")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def likeliest(genre_probs: dict[str, float]) -> str:
    """The genre with the highest probability; of equal ones the first by name.

    Raises:
        InvalidRequestError: There are none: the poster was not encoded yet.

    Example:
        >>> likeliest({"War": 0.2, "Drama": 0.7})
        'Drama'
    """
    if not genre_probs:
        raise InvalidRequestError("This poster has no predicted genres yet; name a genre.", "genre")
    return min(genre_probs, key=lambda genre: (-genre_probs[genre], genre))
