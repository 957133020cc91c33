"""What ``store_kill`` kills and what it watches: writers that change a home, readers that ask it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from tqdm import tqdm

from benchmarks.colour_encoder import ColourEncoder, draw_poster
from indexer import growth
from indexer.catalog import Catalog, MovieFacts, open_catalog
from indexer.compact import compact
from indexer.ingest import put_movie, remove_movie
from indexer.learning import Fitters
from indexer.reader import open_reader
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import Settings
from indexer.snapshots import SnapshotStore, open_store
from indexer.types import Ratings
from indexer.vectors.blocks import join
from recommender.affinity_model import AffinityModel
from recommender.poster_map import MapDrawer
from recommender.taste import TasteModel

N_MOVIES = 40
OPERATIONS = ("reindex", "put", "remove", "compact")
IDLE = len(OPERATIONS)
"""What ``doing`` holds between two operations."""
_FAVOURED = 0.8
_OPTIONS = ReindexOptions(batch_size=8, progress=False, wait_seconds=20)
_NEW_IDS = tuple(f"new{i}" for i in range(8))
_FITTERS = Fitters(taste=TasteModel(), poster_map=MapDrawer(), affinities=AffinityModel())
_N_PEOPLE = 60
_OVERLAID = 0.5
"""How often a reindex treats this home as a large one, and leaves what is new to the overlay."""
_COPIED = 0.3
"""How often a new poster shows what another one shows."""


def prepare(settings: Settings) -> None:
    """A home of forty rated movies with posters of the user's own, indexed, mapped and learned from."""
    catalog = open_catalog(settings)
    posters = _posters_dir(settings)
    posters.mkdir()
    paths = {f"tt{i:07d}": posters / f"tt{i:07d}.png" for i in range(N_MOVIES)}
    for movie_id, path in paths.items():
        path.write_bytes(draw_poster(movie_id))
    catalog.upsert_movies([MovieFacts(one, year=2000) for one in paths], "csv")
    catalog.set_posters(paths)
    catalog.add_ratings(_ratings(list(paths)))
    reindex(catalog, ColourEncoder(), open_store(settings), _FITTERS, _OPTIONS)
    catalog.close()


def _ratings(movie_ids: list[str]) -> Ratings:
    """People of two tastes, each of whom rated half of the movies."""
    rng = np.random.default_rng(3)
    chosen = np.argwhere(rng.random((_N_PEOPLE, len(movie_ids))) < 0.5)
    people, movies = chosen.T
    liked = (people + movies) % 2 == 0
    values = np.clip(np.where(liked, 4.5, 2.0) + rng.choice((-0.5, 0, 0.5), len(liked)), 0.5, 5)
    return Ratings(
        np.array([f"person{i}" for i in people], dtype=object),
        np.array([movie_ids[i] for i in movies], dtype=object),
        values.astype(np.float32),
        np.arange(len(liked), dtype=np.int64),
    )


def write_forever(
    settings: Settings, favourite: int, seed: int, doing: Any, seconds: Any, door: Connection
) -> None:
    """Change the home in every way there is, until killed.

    Args:
        settings: The home.
        favourite: Number of the operation to begin with and to do most often.
        seed: Of everything random.
        doing: Shared; the number of the operation that is under way.
        seconds: Shared; what each operation took when it was last done.
        door: Told when the first operation is about to begin.
    """
    tqdm.set_lock(threading.RLock())  # its own is shared between processes and outlives a killed one
    writer = _Writer(settings, seed)
    writer.make_room(favourite)
    operation = favourite
    door.send("ready")
    while True:
        started = time.perf_counter()
        doing.value = operation
        writer.does[operation]()
        doing.value = IDLE
        seconds[operation] = time.perf_counter() - started
        operation = favourite if writer.rng.random() < _FAVOURED else writer.rng.randrange(len(OPERATIONS))
        writer.make_room(operation)


class _Writer:
    """One process's catalog, store and encoder, and the operations by their number."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.rng = random.Random(seed)
        self._catalog: Catalog = open_catalog(settings)
        self._store: SnapshotStore = open_store(settings)
        self._encoder = ColourEncoder()
        self._posters = sorted(_posters_dir(settings).iterdir())
        self.does: tuple[Callable[[], object], ...] = (self._reindex, self._put, self._remove, self._compact)

    def make_room(self, operation: int) -> None:
        """See to it that an operation has something to do."""
        if OPERATIONS[operation] == "remove" and not self._catalog.find_movies(_NEW_IDS):
            self._put()

    def _reindex(self) -> None:
        for path in self.rng.sample(self._posters, 3):
            path.write_bytes(self._picture())
        large = 0 if self.rng.random() < _OVERLAID else growth.LARGE
        with mock.patch.object(growth, "LARGE", large):
            reindex(self._catalog, self._encoder, self._store, _FITTERS, _OPTIONS)

    def _picture(self) -> bytes:
        if self.rng.random() < _COPIED:
            return self.rng.choice(self._posters).read_bytes()
        return draw_poster(str(self.rng.random()))

    def _put(self) -> None:
        movie = MovieFacts(self.rng.choice(_NEW_IDS))
        put_movie(self._catalog, self._store, lambda: self._encoder, movie, self._picture())

    def _remove(self) -> None:
        remove_movie(self._catalog, self.rng.choice(sorted(self._catalog.find_movies(_NEW_IDS))))

    def _compact(self) -> None:
        compact(self._catalog, self._store)


def read_forever(settings: Settings, n_threads: int, door: Connection) -> None:
    """Ask all the time; when told to stop, say how many answers there were and what went wrong.

    A process of its own: a page that vanished under a mapped file would kill it
    with SIGBUS, and its exit status says so.
    """
    reader = open_reader(open_catalog(settings), settings)
    stop = threading.Event()
    n_answers = [0] * n_threads
    errors: list[str] = []

    def ask(number: int) -> None:
        while not stop.is_set():
            try:
                view = reader.view()
                row = join(view.find_rows(["tt0000001"]))[0]
                if len(view.search(row, 5)) != 5:
                    errors.append("a page was short")
                n_answers[number] += 1
            except Exception as error:
                errors.append(repr(error))
                raise
            time.sleep(0.005)

    threads = [threading.Thread(target=ask, args=(i,), daemon=True) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    door.recv()
    stop.set()
    for thread in threads:
        thread.join()
    door.send((sum(n_answers), errors))


def _posters_dir(settings: Settings) -> Path:
    return settings.home / "own-posters"
