"""Look at the poster files on disk: which are new, changed or gone since the catalog last looked."""

from __future__ import annotations

import hashlib
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
        removed: Movies that lost an embedding because their file is gone.
        unreachable: Posters whose disk is away or that may not be read; they keep their embedding.
    """

    removed: int
    unreachable: tuple[UnreadablePoster, ...]


def scan_posters(catalog: Catalog) -> Scan:
    """Bring the catalog's knowledge of files up to date, by size and time first, then by hash.

    A poster that was deleted loses its embedding; one whose disk is away keeps
    it (``PosterRoots`` tells them apart).
    """
    clear_scraps(catalog.home / "posters")
    import_new_files(catalog)
    gone: list[str] = []
    unreachable: list[UnreadablePoster] = []
    changed: list[PosterFile] = []
    files = catalog.poster_files()
    roots = PosterRoots(list(catalog.poster_dirs()), [Path(known.path) for known in files])
    for known in files:
        path = Path(known.path)
        try:
            status = path.stat()
        except FileNotFoundError:
            away = roots.why_away(path)
            if away is None:
                gone.append(known.movie_id)
            else:
                unreachable.append(_unreachable(known, away))
            continue
        except OSError as error:
            unreachable.append(_unreachable(known, f"it cannot be looked at: {error.strerror}"))
            continue
        if known.sha256 is None or (status.st_size, status.st_mtime_ns) != (known.n_bytes, known.mtime_ns):
            changed.append(known)
    removed = catalog.drop_posters(gone)
    _find_new_files(catalog, changed)
    for batch in _hashed(changed, unreachable):
        catalog.save_poster_files(batch)
    return Scan(removed, tuple(unreachable))


def hash_file(movie_id: str, path: Path) -> PosterFile:
    """Read a poster file's hash, size and time.

    Raises:
        OSError: It cannot be read.
    """
    status = path.stat()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return PosterFile(movie_id, str(path), sha256, status.st_size, status.st_mtime_ns)


def _find_new_files(catalog: Catalog, changed: list[PosterFile]) -> None:
    """Give movies without a poster the file that now bears their id; add those files to ``changed``."""
    have = {known.movie_id for known in catalog.poster_files()}
    found: dict[str, Path] = {}
    for directory, layout in catalog.poster_dirs().items():
        if layout != "by_id" or not directory.is_dir():
            continue
        for path in sorted(directory.iterdir()):
            if path.suffix.lower() in SUFFIXES and path.stem not in have and path.is_file():
                found.setdefault(path.stem, path)
    known = catalog.find_movies(list(found))
    new = {movie_id: found[movie_id] for movie_id in known}
    if new:
        catalog.set_posters(new)
        changed.extend(PosterFile(movie_id, str(path)) for movie_id, path in new.items())


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
