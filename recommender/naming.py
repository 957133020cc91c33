"""From what a person types to a movie: an id, an external id, or a title."""

from __future__ import annotations

from embeddings.errors import NotFoundError
from indexer.catalog import Catalog
from indexer.titles import split_year
from indexer.types import Movie


def resolve_movie(catalog: Catalog, text: str) -> str:
    """The id of the movie that ``text`` names.

    Args:
        catalog: Where it is looked up.
        text: A movie id, ``tmdb:603`` or ``imdb:tt0133093``, or a title, with its year where two share it.

    Raises:
        NotFoundError: No movie is called so, or several are; the message names close ones.
    """
    if text in catalog.find_movies([text]):
        return text
    source, _, external_id = text.partition(":")
    if external_id and (found := catalog.find_by_external_id(source.lower(), external_id.strip())):
        return found
    title, year = split_year(text)
    named = catalog.find_by_title(title, year) or catalog.find_by_title(text)
    if len(named) == 1:
        return named[0]
    if named:
        raise NotFoundError(
            f"{len(named)} movies are called {title!r}: {_listed(catalog, named)}; give the id of one."
        )
    close = catalog.suggest_movies(text)
    hint = (
        f"did you mean {_listed(catalog, close)}?" if close else "look it up on the web page, or import it."
    )
    raise NotFoundError(f"there is no movie {text!r} in the catalog; {hint}")


def _listed(catalog: Catalog, movie_ids: list[str]) -> str:
    return ", ".join(_named(movie) for movie in catalog.find_movies(movie_ids[:5]).values())


def _named(movie: Movie) -> str:
    if movie.title == movie.movie_id:
        return movie.movie_id
    return f"{movie.movie_id} {movie.title}" + (f" ({movie.year})" if movie.year else "")
