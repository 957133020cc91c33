"""What an importer reads and what an import did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from indexer.catalog import Counts, MovieFacts
from indexer.types import Ratings

MAX_FAILED = 1000
"""Bad rows that a report names; beyond them it only counts."""


@dataclass(frozen=True)
class FailedRow:
    """Something that could not be imported.

    Args:
        where: File and line, or the file itself.
        error: One sentence: what was got and what was expected.
    """

    where: str
    error: str


@dataclass(frozen=True)
class Batch:
    """Some of what a source holds.

    Args:
        movies: What it says of movies.
        posters: Poster file of a movie, by id.
        poster_urls: Where a poster can be downloaded, by id.
        external_ids: (source, external id, movie id), of movies that may not be in the catalog.
        ratings: Who rated what.
        failed: Rows that could not be read.
    """

    movies: Sequence[MovieFacts] = ()
    posters: Mapping[str, Path] = field(default_factory=dict)
    poster_urls: Mapping[str, str] = field(default_factory=dict)
    external_ids: Sequence[tuple[str, str, str]] = ()
    ratings: Ratings | None = None
    failed: Sequence[FailedRow] = ()


@dataclass
class ImportReport:
    """What one import did.

    Args:
        source: What was imported.
        format: As what it was read.
        movies: How many were added, updated, unchanged.
        posters: Likewise.
        ratings: Likewise.
        waiting: Movies that the catalog does not have; what was read of them is kept for when it does.
        downloaded: Posters fetched from their URLs.
        failed: At most ``MAX_FAILED`` rows, files and URLs that could not be imported.
        n_failed: How many there were.
    """

    source: str
    format: str
    movies: Counts = field(default_factory=Counts)
    posters: Counts = field(default_factory=Counts)
    ratings: Counts = field(default_factory=Counts)
    waiting: int = 0
    downloaded: int = 0
    failed: list[FailedRow] = field(default_factory=list)
    n_failed: int = 0

    def add_failed(self, failed: Sequence[FailedRow]) -> None:
        """Count bad rows and keep the first ones."""
        self.n_failed += len(failed)
        self.failed.extend(failed[: max(0, MAX_FAILED - len(self.failed))])

    @property
    def found_anything(self) -> bool:
        """Whether the source held at least one movie, poster or rating that could be read."""
        return self.waiting > 0 or self.movies + self.posters + self.ratings != Counts()

    def as_json(self) -> dict[str, object]:
        """The document that ``onesheet import --json`` prints."""
        return asdict(self)
