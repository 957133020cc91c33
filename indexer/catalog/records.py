"""What goes into the catalog and what it answers, beside the types that every package shares."""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.types import Facts, Movie, Rows

SOURCES = ("edit", "imdb", "csv", "tmdb", "nfo", "demo", "movielens", "movietweetings", "folder")
"""Kinds of sources, most trusted first; where two disagree about a movie, the earlier one is right."""

COMPLETING = ("imdb", "movielens", "movietweetings")
"""Sources that are about every film there is: they complete the catalog's movies rather than add theirs."""

SORTS = ("relevance", "ratings", "title", "year", "oldest")
"""Orders of a search: best match, most rated, A to Z, newest first, oldest first."""


@dataclass(frozen=True)
class MovieFacts:
    """What a source says of one movie; None or empty where it says nothing.

    Args:
        movie_id: Public id.
        title: Its title.
        year: Year of release.
        genres: Its genres.
        external_ids: Ids elsewhere, e.g. ``{"imdb": "tt0133093", "tmdb": "603"}``.
        collection: Name of the collection that it belongs to.
    """

    movie_id: str
    title: str | None = None
    year: int | None = None
    genres: tuple[str, ...] = ()
    external_ids: dict[str, str] = field(default_factory=dict)
    collection: str | None = None


@dataclass(frozen=True)
class Counts:
    """How many records an import added, changed and found as they were."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.added + other.added, self.updated + other.updated, self.unchanged + other.unchanged
        )

    @property
    def changed(self) -> int:
        return self.added + self.updated


@dataclass(frozen=True)
class MoviePage:
    """One page of a search; ``next_cursor`` asks for the one after it, None at the end."""

    movies: tuple[Movie, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True)
class PosterFile:
    """The poster of a movie as it lay on disk when it was last looked at.

    Args:
        movie_id: Whose poster it is.
        path: Absolute path.
        sha256: Hash of its bytes, hexadecimal; None before it was read.
        n_bytes: Its size.
        mtime_ns: Its modification time, nanoseconds since 1970.
        error: Why these bytes could not be read as an image; None where they could, or were not tried.
    """

    movie_id: str
    path: str
    sha256: str | None = None
    n_bytes: int | None = None
    mtime_ns: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Changes:
    """What changed after a revision.

    Args:
        revision: Revision of the catalog that this answer is complete for.
        changed: Movies whose row changed or is new, sorted.
        removed: Movies that left and did not come back, sorted.
    """

    revision: int
    changed: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class Active:
    """Which encoder and taste model the published snapshot stands on; None before the first one."""

    fingerprint: str | None
    taste_model: str | None


@dataclass(frozen=True)
class RowBatch:
    """Rows for the index, sorted by movie id, and their columns for filters, in the same order."""

    rows: Rows
    facts: Facts

    def __len__(self) -> int:
        return len(self.rows)
