"""Posters decoded once: a file of pixels that every epoch maps into memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embeddings.encoded import UnreadablePoster
from embeddings.errors import PosterError, TrainingError
from embeddings.transforms import Preprocessing, read_pixels


@dataclass(frozen=True)
class PosterCache:
    """Decoded posters of movies.

    Args:
        movie_ids: n ids, in the order of the rows.
        pixels: uint8, shape (n, height, width, 3), RGB, mapped read-only.
        failed: Posters that could not be read; they have no row.
        folder: Where they lie; what is worked out from these pixels may be kept beside them.
    """

    movie_ids: tuple[str, ...]
    pixels: NDArray[np.uint8]
    failed: tuple[UnreadablePoster, ...]
    folder: Path

    def __len__(self) -> int:
        return len(self.movie_ids)

    def rows(self, movie_ids: tuple[str, ...]) -> NDArray[np.int64]:
        """Rows of these movies; those without a readable poster are left out."""
        row_of = {movie_id: row for row, movie_id in enumerate(self.movie_ids)}
        return np.array([row_of[i] for i in movie_ids if i in row_of], dtype=np.int64)


def open_cache(
    posters: Mapping[str, Path], preprocessing: Preprocessing, cache_dir: Path, workers: int | None = None
) -> PosterCache:
    """Open the decoded posters, decoding them first where that was not done before.

    A cache belongs to the list of files, their sizes and times, and the
    preprocessing; another list or a changed file makes another cache.

    Args:
        posters: File of each movie.
        preprocessing: Size and fit of the pixels.
        cache_dir: Folder for caches; made if absent.
        workers: Threads that decode; None takes one per core.

    Raises:
        TrainingError: No poster can be read, or the folder cannot be written.
    """
    folder = cache_dir / _key(posters, preprocessing)
    if not (folder / "movies.json").is_file():
        try:
            _remove_leftovers(cache_dir)
            _decode_all(posters, preprocessing, folder, workers or os.cpu_count() or 1)
        except OSError as error:
            raise TrainingError(f"decoded posters cannot be kept in {cache_dir} ({error}).") from error
    known = json.loads((folder / "movies.json").read_text(encoding="utf-8"))
    failed = tuple(UnreadablePoster(**entry) for entry in known["failed"])
    if not known["movie_ids"]:
        raise TrainingError(f"none of {len(posters)} posters can be read; the first: {failed[0].error}")
    height, width = preprocessing.height, preprocessing.width
    pixels = np.memmap(
        folder / "pixels.u8", dtype=np.uint8, mode="r", shape=(len(known["movie_ids"]), height, width, 3)
    )
    return PosterCache(tuple(known["movie_ids"]), pixels, failed, folder)


def _decode_all(
    posters: Mapping[str, Path], preprocessing: Preprocessing, folder: Path, workers: int
) -> None:
    """Decode into ``pixels.u8``; ``movies.json``, written last, says that it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    movie_ids: list[str] = []
    failed: list[UnreadablePoster] = []
    aside = folder / f"pixels.{os.getpid()}"

    def decode(item: tuple[str, Path]) -> NDArray[np.uint8] | UnreadablePoster:
        try:
            return read_pixels(item[1], preprocessing)
        except PosterError as error:
            return UnreadablePoster(item[0], str(item[1]), str(error))

    with aside.open("wb") as file, ThreadPoolExecutor(workers) as pool:
        decoded = pool.map(decode, posters.items())
        shown = tqdm(posters, desc="decoding", unit="poster", disable=None)
        for movie_id, result in zip(shown, decoded, strict=True):
            if isinstance(result, UnreadablePoster):
                failed.append(result)
            else:
                file.write(np.ascontiguousarray(result).data)
                movie_ids.append(movie_id)
    aside.replace(folder / "pixels.u8")
    content = {"movie_ids": movie_ids, "failed": [asdict(entry) for entry in failed]}
    written = folder / f"movies.{os.getpid()}"
    written.write_text(json.dumps(content), encoding="utf-8")
    written.replace(folder / "movies.json")


def _remove_leftovers(cache_dir: Path) -> None:
    """Remove what killed processes had decoded so far: gigabytes that nobody reads again."""
    for path in [*cache_dir.glob("*/pixels.*"), *cache_dir.glob("*/movies.*")]:
        number = path.suffix[1:]
        if number.isdecimal() and not _lives(int(number)):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    if os.name == "nt":  # there, signal 0 is no question
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _key(posters: Mapping[str, Path], preprocessing: Preprocessing) -> str:
    digest = hashlib.sha256(json.dumps(asdict(preprocessing), sort_keys=True).encode())
    for movie_id, path in posters.items():
        stat = path.stat()
        digest.update(f"\n{movie_id}\t{stat.st_size}\t{stat.st_mtime_ns}".encode())
    return f"{preprocessing.width}x{preprocessing.height}-{digest.hexdigest()[:16]}"
