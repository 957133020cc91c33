"""Poster files that are gone: deleted by somebody, or on a disk that is not there today."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog import Catalog
from indexer.importers import import_source
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.types import ReindexReport

TITLES = ("Alien (1979)", "Brazil (1985)", "Cube (1997)", "Dune (1984)")
IDS = ("alien-1979", "brazil-1985", "cube-1997", "dune-1984")


@pytest.fixture
def library(tmp_path: Path, catalog: Catalog, draw_poster: Callable[[str], bytes]) -> Path:
    """An imported media library: a folder per movie, each with a poster."""
    root = tmp_path / "library"
    for title in TITLES:
        (root / title).mkdir(parents=True)
        (root / title / "poster.png").write_bytes(draw_poster(title))
    import_source(catalog, root, "folder")
    return root


@pytest.fixture
def run(
    library: Path, catalog: Catalog, store: SnapshotStore, small_encoder: Any
) -> Callable[[], ReindexReport]:
    """Reindexes; the library was indexed once."""

    def reindexed() -> ReindexReport:
        return reindex(catalog, small_encoder, store, options=ReindexOptions(progress=False))

    assert reindexed().embedded == 4
    return reindexed


def in_index(catalog: Catalog, store: SnapshotStore) -> list[bool]:
    return (IndexReader(catalog, store).view().row_numbers(IDS) >= 0).tolist()


def test_a_movie_folder_deleted_from_a_living_library_takes_its_embedding_along(
    library: Path, run: Callable[[], ReindexReport], catalog: Catalog, store: SnapshotStore
) -> None:
    shutil.rmtree(library / TITLES[1])
    (library / TITLES[2] / "poster.png").unlink()
    report = run()
    assert (report.removed, report.unchanged, report.failed) == (2, 2, ())
    assert in_index(catalog, store) == [True, False, False, True]


@pytest.mark.parametrize("left", ["nothing", "an empty directory", "a hidden file"])
def test_a_library_whose_disk_is_away_keeps_every_embedding_until_it_is_back(
    library: Path, run: Callable[[], ReindexReport], catalog: Catalog, store: SnapshotStore, left: str
) -> None:
    away = library.rename(library.with_name("unplugged"))
    if left != "nothing":
        library.mkdir()
    if left == "a hidden file":
        (library / ".not-mounted").touch()
    report = run()
    assert (report.removed, report.unchanged, len(report.failed)) == (0, 4, 4)
    assert str(library) in report.failed[0].error
    assert in_index(catalog, store) == [True] * 4
    shutil.rmtree(library, ignore_errors=True)
    away.rename(library)
    back = run()
    assert (back.embedded, back.unchanged, back.failed) == (0, 4, ())


def test_a_disk_mounted_below_the_library_is_told_by_the_empty_directory_it_leaves(
    tmp_path: Path,
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    draw_poster: Callable[[str], bytes],
) -> None:
    options = ReindexOptions(progress=False)
    disks = [tmp_path / "library" / name for name in ("one", "two")]
    for disk, titles in zip(disks, (TITLES[:2], TITLES[2:]), strict=True):
        for title in titles:
            (disk / title).mkdir(parents=True)
            (disk / title / "movie.nfo").write_text(f"<movie><title>{title}</title></movie>")
            (disk / title / "poster.png").write_bytes(draw_poster(title))
    import_source(catalog, tmp_path / "library", "nfo")
    assert reindex(catalog, small_encoder, store, options=options).embedded == 4
    shutil.rmtree(disks[1])
    disks[1].mkdir()
    report = reindex(catalog, small_encoder, store, options=options)
    assert (report.removed, [one.movie_id for one in report.failed]) == (0, list(IDS[2:]))
    assert "is empty and held 2 posters" in report.failed[0].error
    disks[1].rmdir()
    assert reindex(catalog, small_encoder, store, options=options).removed == 2


def test_what_killed_writers_left_beside_their_files_goes_after_an_hour(
    library: Path, run: Callable[[], ReindexReport], catalog: Catalog, store: SnapshotStore
) -> None:
    own = catalog.home / "posters"
    own.mkdir()
    old = [own / ".tt1.0123456789abcdef.png.4711.0a1b2c3d", store.root / ".CURRENT.4711.0a1b2c3d"]
    fresh = [own / ".tt2.0123456789abcdef.png.4712.0a1b2c3d", own / ".hidden", own / "tt3.png"]
    for path in [*old, *fresh]:
        path.touch()
    for path in [*old, *fresh[1:]]:
        os.utime(path, (0, 0))
    (library / TITLES[0] / "poster.png").unlink()
    run()
    assert [path.exists() for path in old] == [False, False]
    assert [path.exists() for path in fresh] == [True, True, True]
