"""The columns of facts beside the vectors: small, mapped, and readable from an earlier format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.errors import SnapshotError
from indexer.catalog import Catalog
from indexer.catalog.rows import RowSource
from indexer.columns import genre_bits_dtype, known_bits, map_columns, save_columns
from indexer.manifests import CURRENT_FILE, MANIFEST_FILE
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.types import Facts
from indexer.vectors.blocks import join
from indexer.verify import verify

N_ROWS = 1_003
IDS = [f"tt{i:07d}" for i in range(12)]


def some_facts(n_genres: int) -> tuple[Facts, Any]:
    """Facts of a thousand rows, and which of their blocks are known, at random."""
    rng = np.random.default_rng(0)
    known = rng.random((N_ROWS, 3)) < 0.7
    width = genre_bits_dtype(n_genres)
    facts = Facts(
        movie_ids=np.array([f"tt{i:07d}".encode() for i in range(N_ROWS)]),
        years=rng.integers(1920, 2026, N_ROWS).astype(np.int16),
        genre_bits=rng.integers(0, 2**n_genres, N_ROWS, dtype=np.uint64).astype(width),
        artwork_groups=np.full(N_ROWS, -1, dtype=np.int32),
        n_ratings=rng.integers(0, 100, N_ROWS).astype(np.int32),
        live=np.ones(N_ROWS, dtype=np.bool_),
        known=known_bits(known),
    )
    return facts, known


@pytest.mark.parametrize("n_genres", [23, 32, 33, 63])
def test_columns_come_back_as_they_were_saved(tmp_path: Path, n_genres: int) -> None:
    facts, known = some_facts(n_genres)
    pairs = np.zeros((5, 3), dtype=np.float32)
    save_columns(tmp_path, facts, known, pairs)
    read, read_pairs = map_columns(tmp_path, N_ROWS)
    for name, column in vars(facts).items():
        stored = getattr(read, name)
        assert (stored.dtype, stored.tolist()) == (column.dtype, column.tolist()), name
    assert read_pairs.tolist() == pairs.tolist()


def test_columns_of_up_to_32_genres_take_24_bytes_a_movie(tmp_path: Path) -> None:
    facts, known = some_facts(23)
    names = save_columns(tmp_path, facts, known, np.zeros((0, 3), dtype=np.float32))
    n_bytes = sum((tmp_path / name).stat().st_size - 128 for name in names)
    # Ids of 9 letters, 2 for the year, 4 each for genres, group and ratings, 3 bits for what is known.
    assert n_bytes == N_ROWS * (9 + 2 + 4 + 4 + 4) + 3 * 126


def test_a_column_of_another_length_is_refused(tmp_path: Path) -> None:
    facts, known = some_facts(23)
    save_columns(tmp_path, facts, known, np.zeros((0, 3), dtype=np.float32))
    with pytest.raises(SnapshotError, match=r"years\.npy has \(1003,\).*verify --repair"):
        map_columns(tmp_path, N_ROWS + 1)
    np.save(tmp_path / "known.npy", np.zeros((3, 7), dtype=np.uint8))
    with pytest.raises(SnapshotError, match=r"known\.npy has \(3, 7\).*verify --repair"):
        map_columns(tmp_path, N_ROWS)


def as_format(directory: Path, root: Path, number: int) -> None:
    """Turn the current snapshot into one of another format: 2 had eight bytes of genres, one of known."""
    facts, _ = map_columns(directory, len(IDS))
    wide = {"genre_bits.npy": facts.genre_bits.astype(np.uint64), "known.npy": facts.known_or_all()}
    document = json.loads((directory / MANIFEST_FILE).read_bytes()) | {"format": number}
    for name, column in wide.items():
        (directory / name).unlink()  # not written over: a reader has it mapped
        np.save(directory / name, column)
        data = (directory / name).read_bytes()
        document["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    data = json.dumps(document).encode()
    (directory / MANIFEST_FILE).write_bytes(data)
    (root / CURRENT_FILE).write_text(f"{directory.name} {hashlib.sha256(data).hexdigest()}\n")


@pytest.fixture
def published(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> Path:
    """The directory of a snapshot of twelve movies."""
    add_movies(IDS)
    return (
        store.directory
        / reindex(catalog, small_encoder, store, options=ReindexOptions(progress=False)).snapshot
    )


def test_a_snapshot_of_the_format_before_is_opened(
    published: Path, store: SnapshotStore, catalog: Catalog
) -> None:
    now = IndexReader(catalog, store).view()
    as_format(published, store.root, 2)
    reader = IndexReader(catalog, store)
    before = reader.view()
    assert reader.problem is None
    assert before.facts.genre_bits.tolist() == now.facts.genre_bits.tolist()
    for row in join(now.find_rows(IDS)):
        assert before.search(row, 5).movie_ids == now.search(row, 5).movie_ids
    assert verify(catalog, store).ok


def test_a_snapshot_of_an_unknown_format_is_refused_with_the_cure(
    published: Path, store: SnapshotStore
) -> None:
    as_format(published, store.root, 99)
    with pytest.raises(SnapshotError, match=r"none of the formats \(2, 3\); run `onesheet verify --repair`"):
        store.open()


def test_rows_of_the_catalog_and_of_the_overlay_have_genre_bits_of_one_width(
    published: Path, store: SnapshotStore, catalog: Catalog
) -> None:
    assert isinstance(catalog, RowSource)
    view = IndexReader(catalog, store).view()
    batch = catalog.read_rows(view.manifest.fingerprint)
    assert batch.facts.genre_bits.dtype == view.facts.genre_bits.dtype == np.uint32
    assert replace(batch.facts, known=None).known_or_all().tolist() == [7] * len(IDS)
