"""Whether a poster that is not where it was has been deleted, or lies on a disk that is away."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path


class PosterRoots:
    """Tells a deleted poster from one whose disk is not mounted, by what is left around it.

    A disk that is away leaves no directory, or an empty one to mount it on;
    somebody who deletes a movie leaves the others. So where the directory that
    was imported still holds something, whatever is missing below it was
    deleted, be it a file or a movie's whole folder.

    Args:
        roots: Directories that posters were imported from.
        posters: Every poster that the catalog knows.
    """

    def __init__(self, roots: Collection[Path], posters: Collection[Path]) -> None:
        self._roots = sorted(roots, key=lambda one: len(one.parts))
        self._posters = posters
        self._why = cache(self._why_away)

    def why_away(self, poster: Path) -> str | None:
        """Why the disk of a missing poster seems to be away, as half a sentence; None: it was deleted."""
        root = next((one for one in self._roots if poster.is_relative_to(one)), poster.parent)
        nearest = poster.parent
        while nearest != root and not nearest.is_dir():
            nearest = nearest.parent
        return self._why(root) or (None if nearest == root else self._why_below(nearest))

    def _why_away(self, root: Path) -> str | None:
        if not root.is_dir():
            return f"the directory {root} is missing"
        return f"the directory {root} is empty, as if its disk were not mounted" if _is_empty(root) else None

    def _why_below(self, directory: Path) -> str | None:
        """The same of a directory below a root: a movie's own folder may well be empty, a disk's is not."""
        if not _is_empty(directory):
            return None
        n_known = sum(one.is_relative_to(directory) for one in self._posters)
        return f"the directory {directory} is empty and held {n_known} posters" if n_known > 1 else None


def _is_empty(directory: Path) -> bool:
    try:
        return all(path.name.startswith(".") for path in directory.iterdir())
    except PermissionError:
        return False  # whatever it holds, somebody put it there
