"""A door for media servers such as Jellyfin: an id they know in, ordered ids they know out."""

from __future__ import annotations

import re

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from embeddings.errors import NotFoundError
from webui.answers import SimilarIdsAnswer
from webui.api.documents import NOT_MODIFIED, problems
from webui.api.similar import find_similar, similar_request
from webui.queries import queried
from webui.schemas import ExternalPath, SimilarQuery
from webui.services import services
from webui.validators import revalidated

media_server = APIBlueprint(
    "media_server",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="more like this")],
    abp_responses=problems(404, 422, 429, 503),
)


@media_server.get("/similar-ids/<source>/<external_id>", responses={200: SimilarIdsAnswer, 304: NOT_MODIFIED})
@queried
def get_similar_ids(path: ExternalPath, query: SimilarQuery) -> Response:
    """Ids of similar movies in the caller's own numbering, nearest first."""
    return revalidated(lambda: similar_ids(path, query))


def similar_ids(path: ExternalPath, query: SimilarQuery) -> dict[str, object]:
    """Find similar movies by an external id, and say them by theirs; those that have none are left out."""
    catalog = services().recommender.catalog
    movie_id = catalog.find_by_external_id(path.source, path.external_id)
    if movie_id is None and is_imdb_id(path.source, path.external_id):
        movie_id = path.external_id
    if movie_id is None or not catalog.find_movies([movie_id]):
        raise NotFoundError(f"No movie has the {path.source} id {path.external_id!r} in the catalog.")
    found = find_similar(similar_request(query, like=(movie_id,)))
    movie_ids = [result.movie_id for result in found.results]
    ids = {one: one for one in movie_ids if is_imdb_id(path.source, one)}
    ids |= catalog.external_ids(path.source, movie_ids)
    return {
        "source": path.source,
        "query": path.external_id,
        "ids": [ids[one] for one in movie_ids if one in ids],
        "snapshot": found.snapshot,
    }


def is_imdb_id(source: str, movie_id: str) -> bool:
    """Whether our own id of a movie is what IMDb calls it: most catalogs are keyed so.

    Example:
        >>> is_imdb_id("imdb", "tt0133093"), is_imdb_id("tmdb", "tt0133093")
        (True, False)
    """
    return source == "imdb" and re.fullmatch(r"tt\d{7,10}", movie_id) is not None
