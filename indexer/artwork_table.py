"""Which posters were compared with each other: a cache beside the snapshots, so that only new ones need be.

It may be lost at any time: then every poster is compared again. The groups
themselves are the catalog's.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.durable import write_durably

ARTWORK_FILE = "artwork.npz"
_NO_MOVIES: NDArray[np.bytes_] = np.empty(0, dtype="S1")


@dataclass(frozen=True)
class Posters:
    """What was compared of some posters; sorted by movie, arrays of one length.

    Args:
        movie_ids: UTF-8 bytes, numpy kind ``S``.
        contents: uint64, the first 64 bits of the SHA-256 of the file.
        hashes: uint64, perceptual hashes.
        looks: uint64, signs of random projections of the embedding; 0 where ``embedded`` is False.
        embedded: bool, whether there was an embedding.
        groups: int32, movies with the same number show one picture; -1 for its own.
    """

    movie_ids: NDArray[np.bytes_]
    contents: NDArray[np.uint64]
    hashes: NDArray[np.uint64]
    looks: NDArray[np.uint64]
    embedded: NDArray[np.bool_]
    groups: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.movie_ids)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Posters:
        """Some of the posters, in their order."""
        return Posters(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @staticmethod
    def concatenate(parts: Sequence[Posters]) -> Posters:
        """The posters of at least one part, part by part."""
        return Posters(*(np.concatenate([getattr(p, one.name) for p in parts]) for one in fields(Posters)))

    def merged(self, newer: Posters) -> tuple[Posters, NDArray[np.int64]]:
        """These posters and others, of other movies, each sorted; and the rows of the others."""
        at = np.searchsorted(self.movie_ids, newer.movie_ids)
        columns = []
        for column in fields(self):
            own, other = getattr(self, column.name), getattr(newer, column.name)
            # Ids may be longer than any before: ``insert`` would cut them.
            columns.append(np.insert(own.astype(np.promote_types(own.dtype, other.dtype)), at, other))
        return Posters(*columns), at + np.arange(len(newer))


NO_POSTERS = Posters(
    _NO_MOVIES,
    np.empty(0, dtype=np.uint64),
    np.empty(0, dtype=np.uint64),
    np.empty(0, dtype=np.uint64),
    np.empty(0, dtype=np.bool_),
    np.empty(0, dtype=np.int32),
)


@dataclass(frozen=True)
class ArtworkTable:
    """Every poster that was compared with every other.

    Args:
        posters: They.
        revision: Catalog revision up to which posters are among them.
        fingerprint: Encoder of the embeddings; empty without one.
    """

    posters: Posters = NO_POSTERS
    revision: int = 0
    fingerprint: str = ""


def load_table(path: Path) -> ArtworkTable:
    """Read the table; an empty one where there is none, or none that is sound."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            posters = Posters(*(file[one.name] for one in fields(Posters)))
            table = ArtworkTable(posters, int(file["revision"]), str(file["fingerprint"]))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return ArtworkTable()
    lengths = {len(getattr(posters, one.name)) for one in fields(posters)}
    return table if len(lengths) == 1 else ArtworkTable()


def save_table(path: Path, table: ArtworkTable) -> None:
    """Put the table in place.

    Raises:
        OSError: The disk is full or failing; the table before still stands.
    """
    out = io.BytesIO()
    columns = {one.name: getattr(table.posters, one.name) for one in fields(table.posters)}
    np.savez(out, **columns, revision=table.revision, fingerprint=table.fingerprint)
    write_durably(path, out.getvalue())
