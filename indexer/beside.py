"""What a snapshot has beside its rows, and the next one carries on: the map, and affinities."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from indexer.affinities import AFFINITIES_FILE, Affinities, affinities_bytes, parse_affinities
from indexer.poster_map import MAP_FILE, PosterMap, map_bytes, parse_map

BESIDE_FILES = (MAP_FILE, AFFINITIES_FILE)


@dataclass(frozen=True)
class Beside:
    """Everything of a snapshot that is not about single rows.

    Args:
        poster_map: Where its posters lie; None where none was drawn.
        affinities: Which movies people rate alike; None where nobody looked.
    """

    poster_map: PosterMap | None = None
    affinities: Affinities | None = None


NOTHING_BESIDE = Beside()


def save_beside(directory: Path, beside: Beside) -> tuple[str, ...]:
    """Write what there is, one file each, and return their names."""
    files: dict[str, bytes] = {}
    if beside.poster_map is not None:
        files[MAP_FILE] = map_bytes(beside.poster_map)
    if beside.affinities is not None:
        files[AFFINITIES_FILE] = affinities_bytes(beside.affinities)
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return tuple(files)


def load_beside(directory: Path, names: Container[str]) -> Beside:
    """Read what ``save_beside`` wrote.

    Args:
        directory: Of the snapshot.
        names: Files that it has; others are not looked for.

    Raises:
        FileNotFoundError: A file is missing.
        SnapshotError: A file is not what its name says.
    """
    return Beside(
        parse_map((directory / MAP_FILE).read_bytes()) if MAP_FILE in names else None,
        parse_affinities((directory / AFFINITIES_FILE).read_bytes()) if AFFINITIES_FILE in names else None,
    )
