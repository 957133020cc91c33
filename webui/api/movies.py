"""The catalog: search and browse, one movie, put one in, take one out."""

from __future__ import annotations

from flask import Response, jsonify, url_for
from flask_openapi3 import APIBlueprint, Tag

from indexer.catalog import MovieFacts, Search
from indexer.types import Movie
from webui.access import require_api_key
from webui.answers import MovieAnswer, MoviePage, PutMovieAnswer, RemovedAnswer
from webui.api.documents import API_KEY_SECURITY, NOT_MODIFIED, file_or_json, problems
from webui.bodies import find_upload, is_form, read_form, read_json
from webui.queries import queried
from webui.schemas import MoviePath, MovieQuery, PutMovieBody, PutMovieForm, split_list
from webui.services import services
from webui.validators import revalidated

movies = APIBlueprint(
    "movies",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="movies")],
    abp_responses=problems(422, 429, 503),
)


@movies.get("/movies", responses={200: MoviePage, 304: NOT_MODIFIED})
@queried
def get_movies(query: MovieQuery) -> Response:
    """Search and browse, one page at a time; the same cursor gives the same page."""
    return revalidated(lambda: movie_page(query))


@movies.get("/movies/<movie_id>", responses={200: MovieAnswer, 304: NOT_MODIFIED, **problems(404)})
def get_movie(path: MoviePath) -> Response:
    """One movie, with its known and its predicted genres."""
    return revalidated(lambda: movie_document(services().recommender.catalog.get_movie(path.movie_id)))


@movies.put(
    "/movies/<movie_id>",
    responses={200: PutMovieAnswer, 201: PutMovieAnswer, **problems(400, 401, 403, 413, 415)},
    security=API_KEY_SECURITY,
    openapi_extensions=file_or_json(PutMovieForm, PutMovieBody),
)
def put_movie(path: MoviePath) -> tuple[Response, int]:
    """Put a movie in, or change one; every worker finds it when the call returns."""
    require_api_key()
    fields: PutMovieForm | PutMovieBody
    if is_form():
        fields, poster = read_form(PutMovieForm), find_upload()
    else:
        fields = body = read_json(PutMovieBody)
        poster = services().fetch_poster(body.poster_url) if body.poster_url else None
    genres: tuple[str, ...] = tuple(split_list(fields.genres or []))
    facts = MovieFacts(path.movie_id, fields.title, fields.year, genres, collection=fields.collection)
    stored = services().put_movie(facts, poster)
    document = {
        "movie": movie_document(stored.movie),
        "created": stored.created,
        "revision": stored.movie.revision,
    }
    return jsonify(document), 201 if stored.created else 200


@movies.delete(
    "/movies/<movie_id>",
    responses={200: RemovedAnswer, **problems(401, 403, 404)},
    security=API_KEY_SECURITY,
)
def delete_movie(path: MoviePath) -> Response:
    """Take a movie out; no worker answers with it when the call returns."""
    require_api_key()
    return jsonify(movie_id=path.movie_id, revision=services().remove_movie(path.movie_id))


def movie_page(query: MovieQuery) -> dict[str, object]:
    """One page of movies as it is sent."""
    search = Search(
        q=query.q or "",
        genres=tuple(query.genre),
        year_min=query.year_min,
        year_max=query.year_max,
        known=query.known,
        sort=query.sort,
        limit=query.limit,
        cursor=query.cursor,
    )
    page = services().recommender.catalog.search_movies(search)
    return {
        "movies": [movie_card(movie) for movie in page.movies],
        "next": page.next_cursor,
        "total": page.total,
    }


def movie_card(movie: Movie) -> dict[str, object]:
    """A movie as a list shows it."""
    return {
        "movie_id": movie.movie_id,
        "title": movie.title,
        "year": movie.year,
        "genres": list(movie.genres or movie.chosen_genres),
        "genres_known": bool(movie.genres),
        "n_ratings": movie.n_ratings,
        "poster_url": poster_url(movie),
        "collection": movie.collection,
    }


def movie_document(movie: Movie) -> dict[str, object]:
    """A movie with all that is known and predicted of it."""
    return {
        "movie_id": movie.movie_id,
        "title": movie.title,
        "year": movie.year,
        "genres": list(movie.genres),
        "predicted_genres": movie.predicted_genres,
        "chosen_genres": list(movie.chosen_genres),
        "n_ratings": movie.n_ratings,
        "poster_url": poster_url(movie),
        "artwork_group": movie.artwork_group,
        "collection": movie.collection,
    }


def poster_url(movie: Movie) -> str | None:
    """Where this server has the poster; None without one."""
    return url_for("posters.get_poster", movie_id=movie.movie_id) if movie.poster else None
