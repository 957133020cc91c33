"""Look at the poster files on disk: which are new, changed or gone since the catalog last looked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embeddings.encoded import UnreadablePoster
from indexer.catalog import Catalog, PosterFile
from indexer.durable import clear_scraps
from indexer.importers import import_new_files
from indexer.roots import PosterRoots

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_SAVED_AT_ONCE = 500


@dataclass(frozen=True)
class Scan:
    """What a look at the disk found.

    Args:
        n_read: Files whose bytes were read.
        removed: Movies that lost an embedding because their file is gone.
        unreachable: Posters whose disk is away or that may not be read; they keep their embedding.
    """

    n_read: int
    removed: int
    unreachable: tuple[UnreadablePoster, ...]


def scan_posters(catalog: Catalog, unread_only: bool = False) -> Scan:
    """Bring the catalog's knowledge of files up to date, by size and time first, then by hash.

    A poster that was deleted loses its embedding; one whose disk is away keeps
    it (``PosterRoots`` tells them apart).

    Args:
        catalog: Whose files.
        unread_only: Read the files that were named to the catalog and never read, and look at no other.
    """
    if unread_only:
        unreadable: list[UnreadablePoster] = []
        n_read = _save_read(catalog, catalog.unread_posters(), unreadable)
        return Scan(n_read, 0, tuple(unreadable))
    clear_scraps(catalog.home / "posters")
    import_new_files(catalog)
    look = _look(catalog)
    gone, unreachable = _told_apart(catalog, look.missing)
    unreachable += [_unreachable(known, why) for known, why in look.unreachable]
    removed = catalog.drop_posters(gone)
    changed = look.changed + _new_files(catalog, look.movie_ids)
    n_read = _save_read(catalog, changed, unreachable)
    return Scan(n_read, removed, tuple(unreachable))


@dataclass(frozen=True)
class _Look:
    """Movies that have a poster file, and which files are not as they were when they were read."""

    movie_ids: set[str]
    changed: list[PosterFile]
    missing: list[PosterFile]
    unreachable: list[tuple[PosterFile, str]]


def _look(catalog: Catalog) -> _Look:
    """Ask the disk for size and time of every file; nothing is made of those that are as they were."""
    look = _Look(set(), [], [], [])
    for movie_id, path, n_bytes, mtime_ns in catalog.file_stats():
        look.movie_ids.add(movie_id)
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path costs more than the call
        except FileNotFoundError:
            look.missing.append(PosterFile(movie_id, path))
        except OSError as error:
            look.unreachable.append((PosterFile(movie_id, path), f"it cannot be looked at: {error.strerror}"))
        else:
            if status.st_mtime_ns != mtime_ns or status.st_size != n_bytes:
                look.changed.append(PosterFile(movie_id, path))
    return look


def _told_apart(catalog: Catalog, missing: list[PosterFile]) -> tuple[list[str], list[UnreadablePoster]]:
    """Movies whose posters were deleted, and posters on a disk that is away."""
    gone: list[str] = []
    away: list[UnreadablePoster] = []
    if missing:
        known = [Path(path) for _, path, _, _ in catalog.file_stats()]
        roots = PosterRoots(list(catalog.poster_dirs()), known)
        for one in missing:
            why = roots.why_away(Path(one.path))
            if why is None:
                gone.append(one.movie_id)
            else:
                away.append(_unreachable(one, why))
    return gone, away


def hash_file(movie_id: str, path: Path) -> PosterFile:
    """Read a poster file's hash, size and time.

    Raises:
        OSError: It cannot be read.
    """
    status = path.stat()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return PosterFile(movie_id, str(path), sha256, status.st_size, status.st_mtime_ns)


def _new_files(catalog: Catalog, have: set[str]) -> list[PosterFile]:
    """Give movies that have no poster the file that now bears their id."""
    found: dict[str, Path] = {}
    for directory, layout in catalog.poster_dirs().items():
        if layout != "by_id" or not directory.is_dir():
            continue
        names = os.listdir(directory)  # noqa: PTH208 - a million Paths take seconds
        for path in sorted(directory / one for one in names if one.rpartition(".")[0] not in have):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                found.setdefault(path.stem, path)
    known = catalog.find_movies(list(found))
    new = {movie_id: found[movie_id] for movie_id in known}
    if new:
        catalog.set_posters(new)
    return [PosterFile(movie_id, str(path)) for movie_id, path in new.items()]


def _save_read(catalog: Catalog, files: list[PosterFile], unreachable: list[UnreadablePoster]) -> int:
    """Read files and record what they are; how many could be read."""
    n_read = 0
    for batch in _hashed(files, unreachable):
        catalog.save_poster_files(batch)
        n_read += len(batch)
    return n_read


def _hashed(files: list[PosterFile], unreachable: list[UnreadablePoster]) -> Iterator[list[PosterFile]]:
    batch: list[PosterFile] = []
    for known in files:
        try:
            batch.append(hash_file(known.movie_id, Path(known.path)))
        except OSError as error:
            unreachable.append(_unreachable(known, f"it cannot be read: {error.strerror}"))
        if len(batch) == _SAVED_AT_ONCE:
            yield batch
            batch = []
    yield batch


def _unreachable(known: PosterFile, why: str) -> UnreadablePoster:
    return UnreadablePoster(known.movie_id, known.path, f"{known.path}: {why}.")
