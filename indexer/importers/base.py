"""What every importer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from indexer.importers.report import Batch

POSTER_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
"""In the order they are preferred where a movie has several."""


class Importer(ABC):
    """Reads one format; knows nothing of the database."""

    format: str
    """Its name for ``--format``, and the source that its facts are ranked by."""
    layout: str | None = None
    """How posters lie in the source, where they do: see ``Catalog.add_poster_dir``."""

    @abstractmethod
    def recognises(self, source: Path) -> bool:
        """Whether this is most likely such a source; it exists."""

    @abstractmethod
    def read(self, source: Path) -> Iterator[Batch]:
        """The content, batch by batch.

        Raises:
            LabelsError: The source as a whole cannot be read.
        """


def find_posters(directory: Path) -> dict[str, Path]:
    """Poster files of a directory by their stem, the preferred suffix where there are several."""
    found: dict[str, Path] = {}
    for path in sorted(directory.iterdir()):
        rank = suffix_rank(path)
        if rank is not None and not path.name.startswith("."):
            held = found.get(path.stem)
            if held is None or rank < (suffix_rank(held) or 0):
                found[path.stem] = path
    return found


def suffix_rank(path: Path) -> int | None:
    """Preference of a poster's suffix, 0 first; None where it is not a poster's."""
    suffix = path.suffix.lower()
    return POSTER_SUFFIXES.index(suffix) if suffix in POSTER_SUFFIXES else None
