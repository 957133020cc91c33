"""How long answers take before, while and after a grown overlay is folded into a new snapshot.

One process asks all the time, as a web worker does, and starts the compaction
itself when the overlay has grown past the rule; movies come in as a reindex
saves them, in batches, until then.

Example: python -m benchmarks.compaction_pause --home onesheet-home --movies 100000
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.fresh_at_scale import MadeBefore, facts_of
from benchmarks.reindex_at_scale import distinct_looks, prepare
from benchmarks.store_kill import scratch_home
from embeddings.encoded import Poster
from embeddings.genres import GenreVocabulary
from indexer.catalog import Catalog, open_catalog
from indexer.compact import Compactor, needs_compaction
from indexer.reader import IndexReader, open_reader
from indexer.settings import Settings, load_settings
from indexer.vectors.blocks import join

_BATCH = 64
_PAUSE_SECONDS = 0.01
_SETTLED_SECONDS = 600.0


class Asker:
    """Asks for neighbours of random movies and keeps how long each answer took.

    Args:
        reader: Of the home.
        n_movies: Movies to choose from, by number.
    """

    def __init__(self, reader: IndexReader, n_movies: int) -> None:
        self._reader, self._n_movies = reader, n_movies
        self._rng = np.random.default_rng(0)

    def ask(self, wanted: Callable[[], bool]) -> NDArray[np.float64]:
        """Ask for as long as it is wanted, at least once; seconds of each answer."""
        seconds: list[float] = []
        while not seconds or wanted():
            movie_id = f"tt{self._rng.integers(self._n_movies):07d}"
            started = time.perf_counter()
            view = self._reader.view()
            found = view.search(join(view.find_rows([movie_id]))[0], 10)
            seconds.append(time.perf_counter() - started)
            if len(found) != 10:
                raise RuntimeError(f"{movie_id} has {len(found)} neighbours")
            time.sleep(_PAUSE_SECONDS)
        return np.array(seconds)

    def ask_for(self, seconds: float) -> NDArray[np.float64]:
        """Ask for some seconds."""
        end = time.perf_counter() + seconds
        return self.ask(lambda: time.perf_counter() < end)


def grow(catalog: Catalog, encoder: MadeBefore, number: int) -> None:
    """Save one batch of new movies, as a reindex does."""
    ids = [f"tt{one:07d}" for one in range(number, number + _BATCH)]
    with catalog.transaction():
        catalog.upsert_movies([facts_of(one) for one in ids], "csv")
        encoded = encoder.encode([Poster(one, b"") for one in ids])
        chosen = encoder.choose(encoded.genre_probs)
        catalog.save_embeddings(encoded, encoder.fingerprint, chosen, ["0" * 64] * len(ids))


def measure(settings: Settings, encoder: MadeBefore, seconds: float) -> dict[str, dict[str, float]]:
    """Milliseconds of answers in each phase."""
    with closing(open_catalog(settings)) as catalog:
        reader, compactor = open_reader(catalog, settings), Compactor(settings)
        number = catalog.n_movies()
        asker = Asker(reader, number)
        asker.ask_for(1.0)  # files are mapped, statements prepared
        phases = {"before": asker.ask_for(seconds)}
        click.echo(f"before: {described(phases['before'])}", err=True)
        growing = []
        while not needs_compaction(reader.view()):
            grow(catalog, encoder, number)
            number += _BATCH
            growing.append(asker.ask_for(0.1))
        phases["growing"] = np.concatenate(growing)
        phases["grown"] = asker.ask_for(seconds)
        click.echo(f"grown: {described(phases['grown'])}", err=True)
        name, started = reader.view().manifest.name, time.perf_counter()
        reader.watchers.append(compactor.watch)
        grow(catalog, encoder, number)
        phases["compacting"] = asker.ask(
            lambda: reader.view().manifest.name == name and time.perf_counter() < started + _SETTLED_SECONDS
        )
        took = time.perf_counter() - started
        phases["after"] = asker.ask_for(seconds)
        if compactor.wait() or reader.view().manifest.name == name:
            raise RuntimeError("the overlay was not folded into a new snapshot")
        document = {phase: described(found) for phase, found in phases.items()}
        document["compacting"]["took_seconds"] = round(took, 1)
    return document


def described(seconds: NDArray[np.float64]) -> dict[str, float]:
    """How many answers, and milliseconds of the median, the slowest hundredth and the slowest."""
    p50, p99, worst = np.percentile(seconds * 1e3, (50, 99, 100)).round(2).tolist()
    return {"answers": len(seconds), "p50_ms": p50, "p99_ms": p99, "max_ms": worst}


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=Path("onesheet-home"), show_default=True)
@click.option("--movies", "n_movies", default=100_000, show_default=True)
@click.option("--seconds", default=10.0, show_default=True, help="Of each phase but the compaction.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the scratch home lies.")
@click.option("--keep", type=click.Path(path_type=Path), help="Home of the catalog, to be kept.")
def main(home: Path, n_movies: int, seconds: float, folder: Path | None, keep: Path | None) -> None:
    """Ask a growing catalog all the time and print how long answers took, phase by phase."""
    encoder = MadeBefore(
        distinct_looks(home, n_movies + 10_000),
        GenreVocabulary(("Action", "Comedy", "Drama", "Horror", "Thriller")),
    )
    with ExitStack() as homes:
        settings = (
            load_settings(keep, environ={}) if keep else homes.enter_context(scratch_home("sqlite", folder))
        )
        prepare(settings, encoder, n_movies)
        document = measure(settings, encoder, seconds)
    for phase, found in document.items():
        click.echo(f"{phase:>10}  {found}", err=True)
    click.echo(json.dumps({"movies": n_movies, **document}))


if __name__ == "__main__":
    main()
