"""A disk or a database that fails at any step of a write leaves the old state or the new one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from embeddings.errors import CatalogError
from indexer import durable
from indexer.catalog import Catalog, MovieFacts
from indexer.compact import compact
from indexer.ingest import put_movie
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.vectors.blocks import join
from indexer.verify import repair, verify

pytestmark = pytest.mark.parametrize(
    "settings", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
QUIET = ReindexOptions(progress=False)
IDS = tuple(f"tt{i:07d}" for i in range(8))
Answers = dict[str, tuple[str, ...]]
Operation = Callable[[], object]


class Home:
    """A published catalog, and what can be done to it.

    Each operation has something to do: a poster was put in since the snapshot,
    another one changed on disk.
    """

    def __init__(self, catalog: Catalog, store: SnapshotStore, encoder: Any, draw: Any) -> None:
        self.catalog, self.store = catalog, store
        self._encoder, self._draw = encoder, draw

    def reindex(self) -> None:
        reindex(self.catalog, self._encoder, self.store, options=QUIET)

    def compact(self) -> None:
        compact(self.catalog, self.store)

    def repair(self) -> None:
        repair(self.catalog, self.store)

    def put(self) -> None:
        facts, poster = MovieFacts("fresh"), self._draw("fresh")
        put_movie(self.catalog, self.store, lambda: self._encoder, facts, poster)

    def damage(self) -> None:
        """Give ``repair`` something to do: a file of the snapshot is gone."""
        pointer = self.store.pointer()
        assert pointer is not None
        (self.store.directory / pointer.name / "years.npy").unlink(missing_ok=True)

    def answers(self) -> Answers:
        """The nearest of every movie, by a reader that has seen nothing before."""
        return self._answers_of(self.store)

    def answers_of_catalog(self) -> Answers:
        """The same by a reader that has no snapshot and reads every row from the catalog."""
        return self._answers_of(SnapshotStore(self.store.root / "nowhere"))

    def _answers_of(self, store: SnapshotStore) -> Answers:
        view = IndexReader(self.catalog, store).view()
        known = [one for one in (*IDS, "new", "fresh") if view.row_numbers([one])[0] >= 0]
        rows = join(view.find_rows(known))
        return {one: view.search(row, 4).movie_ids for one, row in zip(known, rows, strict=True)}


@pytest.fixture
def home(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    draw_poster: Callable[[str], bytes],
) -> Home:
    """Eight published movies, and one that was put in since."""
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    put_movie(catalog, store, lambda: small_encoder, MovieFacts("new"), draw_poster("new"))
    return Home(catalog, store, small_encoder, draw_poster)


class FailingDisk:
    """Fails the n-th write, flush, rename or new directory of the store, as a full or broken disk does."""

    def __init__(self, at: int, error: int) -> None:
        self.left = at
        self.error = error
        self.failed = False

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(durable.os, "fsync", self._counted(os.fsync))
        for name in ("rename", "replace", "mkdir"):
            patch.setattr(Path, name, self._counted(getattr(Path, name)))
        real_open = Path.open

        def open_(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            file = real_open(path, mode, *args, **kwargs)
            return WriteCounter(file, self._counted(file.write)) if set(mode) & set("xwa") else file

        patch.setattr(Path, "open", open_)

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.failed = True
                raise OSError(self.error, os.strerror(self.error))
            return function(*args, **kwargs)

        return call


class WriteCounter:
    """A file whose writes are counted."""

    def __init__(self, file: Any, write: Callable[[bytes], int]) -> None:
        self._file = file
        self.write = write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> WriteCounter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.mark.parametrize(
    ("operation", "error", "least"),
    [
        ("reindex", errno.ENOSPC, 20),
        ("reindex", errno.EIO, 20),
        ("compact", errno.ENOSPC, 20),
        ("repair", errno.EIO, 20),
        ("put", errno.ENOSPC, 3),
        ("put", errno.EIO, 3),
    ],
)
def test_a_disk_that_fails_at_any_step_leaves_the_old_state_or_the_new_one(
    home: Home, monkeypatch: pytest.MonkeyPatch, operation: str, error: int, least: int
) -> None:
    before = home.answers()
    open_all_along = IndexReader(home.catalog, home.store)
    revision = open_all_along.view().revision
    steps = 0
    while True:
        steps += 1
        if operation == "repair":
            home.damage()
        with monkeypatch.context() as patch:
            disk = FailingDisk(steps, error)
            disk.install(patch)
            try:
                getattr(home, operation)()
            except OSError as failed:
                assert failed.errno == error
        if not disk.failed:
            break
        assert home.answers() == before
        assert len(open_all_along.view()) >= len(before)
        assert operation == "repair" or verify(home.catalog, home.store).ok
        assert _scraps(home) == []
    assert steps > least
    assert verify(home.catalog, home.store).ok
    assert home.answers() == before if operation != "put" else "fresh" in home.answers()
    assert (home.catalog.revision() > revision) == (operation == "put")


def _scraps(home: Home) -> list[Path]:
    """Files that a write left beside its target."""
    kept = {path.name for path in home.store.root.glob("snapshots/.writing-*")}
    assert len(kept) <= 1
    return [path for path in home.catalog.home.rglob(".*") if path.is_file()]


class FailingDatabase:
    """Fails the n-th statement or commit that is sent to a database, as a full or vanished one does."""

    def __init__(self, engine: Engine, at: int) -> None:
        self._engine = engine
        self._commit = engine.dialect.do_commit
        self.left = at
        self.sent = 0

    def __enter__(self) -> FailingDatabase:
        event.listen(self._engine, "do_execute", self._on_statement)
        event.listen(self._engine, "do_executemany", self._on_statement)
        self._engine.dialect.do_commit = self._on_commit  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "do_execute", self._on_statement)
        event.remove(self._engine, "do_executemany", self._on_statement)
        del self._engine.dialect.do_commit

    def _on_statement(self, *_: object) -> None:
        self._count()

    def _on_commit(self, connection: Any) -> None:
        self._count()
        self._commit(connection)

    def _count(self) -> None:
        self.sent += 1
        if self.sent == self.left:
            raise self._engine.dialect.loaded_dbapi.OperationalError("disk I/O error")


@pytest.mark.parametrize("operation", ["reindex", "compact", "put"])
def test_a_database_that_fails_at_any_statement_leaves_the_old_state_or_the_new_one(
    home: Home, operation: str, posters_dir: Path, draw_poster: Callable[[str], bytes]
) -> None:
    changed = posters_dir / f"{IDS[2]}.png"
    n_failed, at = 0, 1
    while True:
        if operation == "reindex":
            changed.write_bytes(draw_poster(f"{at}"))
        before = home.answers()
        with FailingDatabase(home.catalog.engine, at) as database:
            try:
                getattr(home, operation)()
            except CatalogError as error:
                assert "free some space" in str(error)
                n_failed += 1
        after = home.answers()
        assert verify(home.catalog, home.store).ok
        assert after == home.answers_of_catalog()
        assert operation != "compact" or after == before
        assert operation != "put" or set(after) - set(before) in (set(), {"fresh"})
        if database.sent < at:
            break
        at = max(at + 1, int(at * 1.4))
    assert n_failed >= 5
