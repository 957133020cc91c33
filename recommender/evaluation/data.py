"""What a catalog knows, arranged for judging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import CatalogError
from embeddings.genres import GenreVocabulary
from indexer.catalog import Catalog
from indexer.taste_map import unit_rows
from indexer.types import Movie, Ratings, Rows, TasteFactors


@dataclass(frozen=True)
class CatalogData:
    """Every movie of a catalog that has a row, without its taste.

    Args:
        rows: Visual block, genre block as the index has it (known genres, else predicted), years.
        known_genres: bool, (n, n_genres), genres that the catalog was told.
        predicted_genres: float32, (n, n_genres), unit rows of what the poster says; zero without one.
        films: int64, (n,): editions of one film, and movies of one artwork, share a number.
        posters: Path of each poster; None without one.
        ratings: Everybody's.
        genres: Columns of the genre arrays.
    """

    rows: Rows
    known_genres: NDArray[np.bool_]
    predicted_genres: NDArray[np.float32]
    films: NDArray[np.int64]
    posters: tuple[str | None, ...]
    ratings: Ratings
    genres: GenreVocabulary

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def told(self) -> NDArray[np.bool_]:
        """Movies of which the catalog was told genres, bool, (n,)."""
        return np.asarray(self.known_genres.any(axis=1), dtype=np.bool_)


def read_catalog(catalog: Catalog) -> CatalogData:
    """Read what is judged.

    Raises:
        CatalogError: No poster was embedded yet.
    """
    fingerprint = catalog.active().fingerprint
    encoder = None if fingerprint is None else catalog.encoder_of(fingerprint)
    if fingerprint is None or encoder is None:
        raise CatalogError("the catalog has no embedded posters to judge; run `onesheet reindex` first.")
    vocabulary, _ = encoder
    rows = catalog.read_rows(fingerprint).rows
    found = catalog.find_movies(rows.movie_ids)
    movies = [found.get(movie_id, Movie(movie_id, movie_id)) for movie_id in rows.movie_ids]
    probs = np.array(
        [[movie.predicted_genres.get(genre, 0.0) for genre in vocabulary] for movie in movies],
        dtype=np.float32,
    ).reshape(len(movies), len(vocabulary))
    return CatalogData(
        rows,
        vocabulary.multi_hot([movie.genres for movie in movies]) > 0,
        unit_rows(probs),
        films_of(movies),
        tuple(movie.poster for movie in movies),
        catalog.ratings(),
        vocabulary,
    )


def films_of(movies: Sequence[Movie]) -> NDArray[np.int64]:
    """Number the films: movies of one title and year, or of one artwork, are one film.

    Example:
        >>> films_of([Movie("a", "Lost", 1999), Movie("b", "LOST", 1999), Movie("c", "Lost", 2005)]).tolist()
        [0, 0, 2]
    """
    first: dict[object, int] = {}
    films = list(range(len(movies)))
    for i, movie in enumerate(movies):
        keys: list[object] = [] if movie.artwork_group is None else [movie.artwork_group]
        if movie.title != movie.movie_id:
            keys.append((movie.title.casefold(), movie.year))
        film = min((first[key] for key in keys if key in first), default=i)
        films[i] = film
        for key in keys:
            first.setdefault(key, film)
    return np.array(films, dtype=np.int64)


def with_taste(rows: Rows, taste: TasteFactors | None) -> Rows:
    """The rows as the index would hold them with these taste factors."""
    if taste is None:
        return replace(rows, taste=np.zeros((len(rows), 0), np.float32))
    known = rows.known.copy()
    known[:, 2] = np.any(taste.factors != 0, axis=1)
    return replace(rows, taste=taste.factors, known=known, n_ratings=taste.n_ratings)


def with_genres(rows: Rows, genre: NDArray[np.float32]) -> Rows:
    """The rows with another genre block."""
    known = rows.known.copy()
    known[:, 1] = np.any(genre != 0, axis=1)
    return replace(rows, genre=genre, known=known)
