"""Kill the writers of the store at random instants, under concurrent readers, and look at what is left.

After every kill the snapshot must verify, a fresh reader and one that has been
open all along must answer exactly as the catalog says, and no reader may have
met an error.

Example: python benchmarks/store_kill.py --kills 500
"""

from __future__ import annotations

import json
import multiprocessing
import random
import tempfile
import threading
import time
from pathlib import Path

import click
import numpy as np

from benchmarks.colour_encoder import ColourEncoder, draw_poster
from indexer.catalog import Catalog, MovieFacts, open_catalog
from indexer.compact import compact
from indexer.ingest import put_movie, remove_movie
from indexer.publish import snapshot_in_memory
from indexer.reader import IndexReader, open_reader
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import load_settings
from indexer.snapshots import open_store
from indexer.vectors.blocks import join
from indexer.verify import verify

N_MOVIES = 40
_OPTIONS = ReindexOptions(batch_size=8, progress=False, wait_seconds=20)


def prepare(home: Path) -> None:
    """A home of forty movies with posters of the user's own, indexed."""
    settings = load_settings(home, environ={})
    catalog = open_catalog(settings)
    posters = home / "own-posters"
    posters.mkdir()
    paths = {f"tt{i:07d}": posters / f"tt{i:07d}.png" for i in range(N_MOVIES)}
    for movie_id, path in paths.items():
        path.write_bytes(draw_poster(movie_id))
    catalog.upsert_movies([MovieFacts(one, year=2000) for one in paths], "csv")
    catalog.set_posters(paths)
    reindex(catalog, ColourEncoder(), open_store(settings), options=_OPTIONS)
    catalog.close()


def write_forever(home: Path, seed: int, ready: threading.Event) -> None:
    """Change the home in every way there is, until killed."""
    settings = load_settings(home, environ={})
    catalog, store, encoder = open_catalog(settings), open_store(settings), ColourEncoder()
    rng = random.Random(seed)
    posters = sorted((home / "own-posters").iterdir())
    ready.set()
    while True:
        step = rng.randrange(4)
        name = f"new{rng.randrange(8)}"
        if step == 0:
            for path in rng.sample(posters, 3):
                path.write_bytes(draw_poster(str(rng.random())))
            reindex(catalog, encoder, store, options=_OPTIONS)
        elif step == 1:
            put_movie(catalog, store, lambda: encoder, MovieFacts(name), draw_poster(str(rng.random())))
        elif step == 2 and catalog.find_movies([name]):
            remove_movie(catalog, name)
        else:
            compact(catalog, store)


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


class Readers:
    """Threads that ask all the time and keep what went wrong."""

    def __init__(self, home: Path, n: int) -> None:
        settings = load_settings(home, environ={})
        self.reader = open_reader(open_catalog(settings), settings)
        self.errors: list[str] = []
        self.n_answers = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(n)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                view = self.reader.view()
                row = join(view.find_rows(["tt0000001"]))[0]
                if len(view.search(row, 5)) != 5:
                    self.errors.append("a page was short")
                self.n_answers += 1
            except Exception as error:
                self.errors.append(repr(error))
                raise
            time.sleep(0.005)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@click.command()
@click.option("--kills", default=500, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--longest", default=0.6, show_default=True, help="Longest life of a writer, seconds.")
@click.option("--json", "as_json", is_flag=True)
def main(kills: int, seed: int, longest: float, as_json: bool) -> None:
    """Kill writers of a scratch home and print what was found."""
    rng, started = random.Random(seed), time.perf_counter()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.store_kill"])
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        prepare(home)
        settings = load_settings(home, environ={})
        readers = Readers(home, 2)
        catalog, store = open_catalog(settings), open_store(settings)
        for kill in range(kills):
            ready = context.Event()
            writer = context.Process(target=write_forever, args=(home, seed + kill, ready))
            writer.start()
            ready.wait(60)
            time.sleep(rng.uniform(0, longest))
            writer.kill()
            writer.join()
            found = verify(catalog, store)
            if not found.ok:
                wrong.append(f"kill {kill}: {'; '.join(found.problems)}")
            for name, reader in (("open", readers.reader), ("fresh", IndexReader(catalog, store))):
                if not same_answers(reader, catalog):
                    wrong.append(f"kill {kill}: the {name} reader answers otherwise than the catalog")
        readers.stop()
        snapshots = catalog.revision()
    result = {
        "kills": kills,
        "revisions": snapshots,
        "reader_answers": readers.n_answers,
        "reader_errors": readers.errors,
        "wrong": wrong,
        "seconds": round(time.perf_counter() - started, 1),
    }
    if as_json:
        print(json.dumps(result))
    else:
        print(
            f"{kills} kills over {snapshots} revisions in {result['seconds']} s: "
            f"{len(wrong)} states wrong; {readers.n_answers} answers meanwhile, {len(readers.errors)} errors"
        )
        for line in (*wrong[:20], *readers.errors[:20]):
            print(f"  {line}")
    raise SystemExit(bool(wrong or readers.errors))


if __name__ == "__main__":
    main()
