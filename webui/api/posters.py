"""Posters at the size a page needs."""

from __future__ import annotations

from pathlib import Path

from flask import Response, request, send_file
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.wrappers import Response as AnyResponse

from embeddings.errors import NotFoundError, PosterError
from webui.api.documents import NOT_MODIFIED, binary, problems
from webui.schemas import MoviePath, PosterQuery
from webui.services import services
from webui.thumbnails import Thumbnails, nearest_width

posters = APIBlueprint("posters", __name__, abp_tags=[Tag(name="movies")])
_CACHE_CONTROL = "public, max-age=3600, stale-while-revalidate=86400"


@posters.get(
    "/posters/<movie_id>",
    responses={200: binary("image/jpeg"), 304: NOT_MODIFIED, **problems(404, 422, 429, 503)},
)
def get_poster(path: MoviePath, query: PosterQuery) -> AnyResponse:
    """The poster of a movie as JPEG, at most ``w`` pixels wide, or as wide as it is."""
    held = services()
    movie = held.recommender.catalog.get_movie(path.movie_id)
    if movie.poster is None or movie.poster_hash is None:
        raise NotFoundError(f"The movie {path.movie_id!r} has no poster.")
    width = nearest_width(query.w)
    tag = f"{movie.poster_hash[:24]}-{width}"
    if request.if_none_match.contains(tag):
        answer: AnyResponse = Response(status=304)
    else:
        try:
            file = Thumbnails(held.settings.cache_dir / "thumbnails").get(
                Path(movie.poster), movie.poster_hash, width
            )
        except PosterError as error:
            raise NotFoundError(f"The poster of {path.movie_id!r} cannot be read: {error}") from error
        answer = send_file(file, mimetype="image/jpeg", conditional=False, etag=False)
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = _CACHE_CONTROL
    return answer
