"""Kill the writers of the store at random instants, under concurrent readers, and look at what is left.

Each writer mostly does one operation (reindex, put, remove, compact, in turns)
and is killed at a random instant of it. After every kill the snapshot must
verify, a fresh reader and one that has been open all along must answer exactly
as the catalog says, and no reader may have met an error or a signal.

Example: python -m benchmarks.store_kill --kills 250 --database postgres
"""

from __future__ import annotations

import json
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path

import click
import numpy as np

from benchmarks.import_speed import postgres
from benchmarks.store_writers import IDLE, OPERATIONS, prepare, read_forever, write_forever
from indexer.artwork_table import ARTWORK_FILE
from indexer.catalog import Catalog, open_catalog
from indexer.duplicates import group_artwork
from indexer.publish import snapshot_in_memory
from indexer.reader import IndexReader
from indexer.settings import Settings, load_settings
from indexer.snapshots import open_store
from indexer.vectors.blocks import join
from indexer.verify import verify

_BEYOND = 1.2
"""Instants are drawn up to this many times what the operation took: some fall just behind its end."""


@dataclass
class Findings:
    """What the kills hit and what was wrong after them."""

    hit: Counter[str] = field(default_factory=Counter)
    revisions: int = 0
    snapshots: int = 0
    reader_answers: int = 0
    reader_errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Killer:
    """Starts writers of one home and kills them.

    Args:
        context: Starts processes quickly.
        settings: The home.
        seed: Of everything random.
    """

    def __init__(self, context: ForkServerContext, settings: Settings, seed: int) -> None:
        self._context, self._settings, self._seed = context, settings, seed
        self._rng = random.Random(seed)
        self._doing = context.Value("i", IDLE, lock=False)
        self._seconds = context.Array("d", [0.3] * len(OPERATIONS), lock=False)

    def kill_one(self, number: int) -> str:
        """Start a writer, kill it, and say what it was doing."""
        door, far_end = self._context.Pipe()
        favourite = number % len(OPERATIONS)
        self._doing.value = IDLE
        arguments = (self._settings, favourite, self._seed + number, self._doing, self._seconds, far_end)
        writer = self._context.Process(target=write_forever, args=arguments)
        writer.start()
        if not door.poll(60):
            raise RuntimeError(f"writer {number} was not ready within 60 s (exit status {writer.exitcode})")
        time.sleep(self._rng.uniform(0, _BEYOND * self._seconds[favourite]))
        hit = self._doing.value
        writer.kill()
        writer.join()
        door.close()
        far_end.close()
        return OPERATIONS[hit] if hit != IDLE else "between"


def same_answers(reader: IndexReader, catalog: Catalog) -> bool:
    """Whether a view answers as an exact search over the catalog's own rows does."""
    with catalog.consistent_read():
        truth = snapshot_in_memory(catalog)
        view = reader.view()
        if view.revision != catalog.revision():
            return False
    every = np.arange(len(truth.facts), dtype=np.int64)
    ids = [one.decode() for one in truth.facts.movie_ids.tolist()]
    if sorted(ids) != ids or int(view.facts.live.sum()) != len(ids):
        return False
    queries = truth.index.read_rows(every[:: max(1, len(every) // 5)])
    for query, found in zip(queries, truth.index.search(queries, 8), strict=True):
        answer = view.search(query, 8)
        if list(answer.movie_ids) != [ids[row] for row in found.rows]:
            return False
        rows = join(view.find_rows(answer.movie_ids))
        if np.abs(rows - truth.index.read_rows(found.rows)).max() > 1e-3:
            return False
    return True


def groups_are_whole(settings: Settings, catalog: Catalog) -> bool:
    """Whether the groups of copies, kept through all the kills, are those of a look at all posters anew."""
    store = open_store(settings)
    group_artwork(catalog, store.root / ARTWORK_FILE)
    return group_artwork(catalog, settings.home / "anew.npz").moved == 0


def kill_writers(settings: Settings, kills: int, seed: int) -> Findings:
    """Kill one writer after the other and look at the home after each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.store_writers"])
    found = Findings()
    prepare(settings)
    door, far_end = context.Pipe()
    readers = context.Process(target=read_forever, args=(settings, 2, far_end))
    readers.start()
    catalog, store = open_catalog(settings), open_store(settings)
    open_all_along, killer, names = IndexReader(catalog, store), Killer(context, settings, seed), set()
    for number in range(kills):
        hit = killer.kill_one(number)
        found.hit[hit] += 1
        with catalog.transaction():
            pass  # a server may still be at work for the dead: its turn ends before this one begins
        checked = verify(catalog, store)
        names.add(checked.snapshot)
        if not checked.ok:
            found.wrong.append(f"kill {number} in {hit}: {'; '.join(checked.problems)}")
        for name, reader in (("open", open_all_along), ("fresh", IndexReader(catalog, store))):
            if not same_answers(reader, catalog):
                found.wrong.append(f"kill {number} in {hit}: the {name} reader answers otherwise")
    if readers.is_alive():
        door.send("stop")
        found.reader_answers, found.reader_errors = door.recv()
    readers.join()
    if readers.exitcode:
        found.reader_errors.append(f"the readers ended with status {readers.exitcode}")
    if not groups_are_whole(settings, catalog):
        found.wrong.append("copies that were found bit by bit are not those that one look at all finds")
    found.revisions, found.snapshots = catalog.revision(), len(names)
    catalog.close()
    return found


@contextmanager
def scratch_home(database: str, folder: Path | None) -> Iterator[Settings]:
    """Settings of an empty home in either database, deleted at the end."""
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        home = Path(directory) / "home"
        home.mkdir()
        if database == "sqlite":
            yield load_settings(home, environ={})
            return
        with postgres() as url:
            yield load_settings(home, environ={"ONESHEET_DATABASE_URL": url})


@click.command()
@click.option("--kills", default=250, show_default=True)
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the scratch home lies.")
@click.option("--json", "as_json", is_flag=True)
def main(kills: int, database: str, seed: int, folder: Path | None, as_json: bool) -> None:
    """Kill writers of a scratch home and print what was found."""
    started = time.perf_counter()
    with scratch_home(database, folder) as settings:
        found = kill_writers(settings, kills, seed)
    seconds = round(time.perf_counter() - started, 1)
    if as_json:
        document = {"database": database, "kills": kills, "seconds": seconds} | vars(found)
        click.echo(json.dumps(document))
    else:
        hit = ", ".join(f"{name} {n}" for name, n in sorted(found.hit.items()))
        click.echo(f"{database}: {kills} kills ({hit}) in {seconds} s, {found.revisions} revisions")
        click.echo(f"{len(found.wrong)} wrong states; {found.reader_answers} answers meanwhile, ", nl=False)
        click.echo(f"{len(found.reader_errors)} errors")
        for line in (*found.wrong[:20], *found.reader_errors[:20]):
            click.echo(f"  {line}")
    raise SystemExit(bool(found.wrong or found.reader_errors))


if __name__ == "__main__":
    main()
