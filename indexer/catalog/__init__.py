"""The catalog: the truth about movies, and the only code that runs queries."""

from __future__ import annotations

from pathlib import Path

from indexer.catalog.artwork import Artwork
from indexer.catalog.base import MANY
from indexer.catalog.changes import ChangeLog
from indexer.catalog.genres import Genres
from indexer.catalog.learned import LearnedNotes
from indexer.catalog.posters import Posters
from indexer.catalog.ratings import LIKED, RatingsTable
from indexer.catalog.records import (
    SORTS,
    SOURCES,
    Active,
    Changes,
    Counts,
    MovieFacts,
    MoviePage,
    PosterFile,
    RowBatch,
)
from indexer.catalog.rows import RowSource, join_batches
from indexer.catalog.search import Search, SearchMovies
from indexer.catalog.taste import Taste
from indexer.database import ensure_schema, make_engine
from indexer.settings import Settings

__all__ = [
    "LIKED",
    "MANY",
    "SORTS",
    "SOURCES",
    "Active",
    "Catalog",
    "Changes",
    "Counts",
    "MovieFacts",
    "MoviePage",
    "PosterFile",
    "RowBatch",
    "Search",
    "join_batches",
    "open_catalog",
]


class Catalog(
    SearchMovies, Genres, Posters, RatingsTable, Taste, LearnedNotes, ChangeLog, Artwork, RowSource
):
    """Movies, posters, embeddings, ratings and taste factors in one database.

    Safe to share between threads. Open it after a fork, or call ``forget_connections`` in the child.
    """


def open_catalog(settings: Settings, create: bool = True) -> Catalog:
    """Open the catalog of a home; an empty database gets its tables.

    Args:
        settings: Where it is.
        create: False refuses where there is no catalog yet.

    Raises:
        CatalogError: The schema is out of date (``onesheet db upgrade`` is named), or the database is
            locked, unreachable or something else.
    """
    engine = make_engine(settings.database_url)
    try:
        ensure_schema(engine, create)
    except BaseException:
        engine.dispose()
        raise
    return Catalog(engine, Path(settings.home))
