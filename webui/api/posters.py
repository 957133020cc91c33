"""Posters at the size a page needs."""

from __future__ import annotations

from pathlib import Path

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from embeddings.errors import NotFoundError, PosterError
from webui.api.documents import NOT_MODIFIED, binary, problems
from webui.queries import queried
from webui.schemas import MoviePath, PosterQuery
from webui.services import services
from webui.thumbnails import make_thumbnail, nearest_width

posters = APIBlueprint("posters", __name__, abp_tags=[Tag(name="movies")])
_CACHE_CONTROL = "public, max-age=3600, stale-while-revalidate=86400"


@posters.get(
    "/posters/<movie_id>",
    responses={200: binary("image/jpeg"), 304: NOT_MODIFIED, **problems(404, 422, 429, 503)},
)
@queried
def get_poster(path: MoviePath, query: PosterQuery) -> Response:
    """The poster of a movie as JPEG, at most ``w`` pixels wide, or as wide as it is."""
    held = services()
    movie = held.recommender.catalog.get_movie(path.movie_id)
    if movie.poster is None or movie.poster_hash is None:
        raise NotFoundError(f"The movie {path.movie_id!r} has no poster.")
    width = nearest_width(query.w)
    file, tag = Path(movie.poster), f"{movie.poster_hash}-{width}"
    if request.if_none_match.contains(tag):
        answer = Response(status=304)
    else:
        try:
            jpeg = held.thumbnails.get(tag, lambda: make_thumbnail(file, width))
        except PosterError as error:
            raise NotFoundError(f"The poster of {path.movie_id!r} cannot be read: {error}") from error
        answer = Response(jpeg, content_type="image/jpeg")
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = _CACHE_CONTROL
    return answer
