"""What adding movies to a large catalog costs beside adding them to an empty one, and who sees them when.

Movies come in as ``PUT`` takes them, one transaction each, with embeddings made
beforehand; after each, a view is asked for that must hold it. Another process
watches the large catalog and says when it saw the last one.

Example: python -m benchmarks.fresh_at_scale --home onesheet-home --movies 1000000
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.blend_rows import generate_rows, read_real_rows
from benchmarks.store_kill import scratch_home
from embeddings.encoded import EncodedPosters, Poster
from embeddings.genres import GenreVocabulary
from indexer.catalog import Catalog, MovieFacts, open_catalog
from indexer.ingest import put_movie
from indexer.publish import read_catalog
from indexer.reader import IndexReader, open_reader
from indexer.settings import Settings, load_settings
from indexer.snapshots import open_store

_BATCH = 20_000
_WATCHER = """
import sys, time
from pathlib import Path
from indexer.catalog import open_catalog
from indexer.reader import open_reader
from indexer.settings import load_settings
settings = load_settings(Path(sys.argv[1]), environ={"ONESHEET_DATABASE_URL": sys.argv[3]})
reader = open_reader(open_catalog(settings, create=False), settings)
reader.view()
print("ready", flush=True)
while reader.view().row_numbers([sys.argv[2]])[0] < 0:
    time.sleep(0.005)
print(time.time(), flush=True)
"""


@dataclass(frozen=True)
class MadeBefore:
    """Stands for the encoder: what it would say was made beforehand, movie by movie.

    Args:
        embeddings: float32, (n, dim), unit rows; movie i takes row i modulo n.
        genres: The genres of its vocabulary.
    """

    embeddings: NDArray[np.float32]
    genres: GenreVocabulary
    fingerprint: str = "c" * 64

    @property
    def embedding_dim(self) -> int:
        return self.embeddings.shape[1]

    def encode(self, posters: Sequence[Poster]) -> EncodedPosters:
        at = [int(poster.movie_id[2:]) % len(self.embeddings) for poster in posters]
        probs = np.full((len(at), len(self.genres)), 0.1, dtype=np.float32)
        return EncodedPosters(tuple(one.movie_id for one in posters), self.embeddings[at], probs)

    def encode_batches(
        self, posters: Iterable[Poster], batch_size: int, workers: int | None
    ) -> Iterator[EncodedPosters]:
        rest = iter(posters)
        while batch := list(islice(rest, batch_size)):
            yield self.encode(batch)

    def choose(self, genre_probs: NDArray[np.float32]) -> NDArray[np.bool_]:
        return genre_probs > 0.5


def fill(catalog: Catalog, encoder: MadeBefore, n_movies: int) -> None:
    """Put movies with embeddings in, as an import and a reindex would."""
    catalog.add_encoder(encoder.fingerprint, encoder.genres, encoder.embedding_dim)
    catalog.activate(encoder.fingerprint, None)
    for start in range(0, n_movies, _BATCH):
        ids = [f"tt{i:07d}" for i in range(start, min(start + _BATCH, n_movies))]
        catalog.upsert_movies([facts_of(one) for one in ids], "csv")
        encoded = encoder.encode([Poster(one, b"") for one in ids])
        chosen = encoder.choose(encoded.genre_probs)
        catalog.save_embeddings(encoded, encoder.fingerprint, chosen, ["0" * 64] * len(ids))
    catalog.gather_statistics()


def facts_of(movie_id: str) -> MovieFacts:
    """A title, a year and a genre that go with an id."""
    number = int(movie_id[2:])
    names = ("Action", "Comedy", "Drama", "Horror", "Thriller")
    return MovieFacts(movie_id, f"Movie {number}", 1920 + number % 100, (names[number % 5],))


def add(
    catalog: Catalog, settings: Settings, reader: IndexReader, encoder: MadeBefore, numbers: range
) -> tuple[float, float]:
    """Processor seconds of this process and seconds to put movies in one by one, each in the next view."""
    out = io.BytesIO()
    Image.new("RGB", (20, 30), (200, 30, 40)).save(out, "PNG")
    store = open_store(settings)
    started, begun = time.process_time(), time.perf_counter()
    for number in numbers:
        movie_id = f"tt{number:07d}"
        put_movie(catalog, store, lambda: encoder, facts_of(movie_id), out.getvalue())
        if reader.view().row_numbers([movie_id])[0] < 0:
            raise RuntimeError(f"{movie_id} was put in and is not in the next view")
    return time.process_time() - started, time.perf_counter() - begun


def measure(settings: Settings, encoder: MadeBefore, n_movies: int, n_added: int) -> dict[str, float]:
    """Fill a catalog, publish it, add to it; seconds of each, and of the other process's sight."""
    catalog = open_catalog(settings)
    started = time.perf_counter()
    kept = catalog.n_movies()
    if not kept:
        fill(catalog, encoder, n_movies)
    if kept < n_movies:
        batch, about = read_catalog(catalog, encoder.fingerprint, None)
        # How rows are searched has no part in this, and the exact kind is the quickest to publish.
        open_store(settings).publish(batch.rows, batch.facts, replace(about, kind="exact"))
        del batch
    found = {"fill_seconds": time.perf_counter() - started}
    reader = open_reader(catalog, settings)
    reader.view()
    first = max(kept, n_movies)
    last = first + n_added
    spent = add(catalog, settings, reader, encoder, range(first, last))
    found |= {"add_cpu_seconds": spent[0], "add_seconds": spent[1]}
    command = [sys.executable, "-c", _WATCHER, str(settings.home), f"tt{last:07d}", settings.database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        if watcher.stdout is None:
            raise RuntimeError("the other process has no output")
        watcher.stdout.readline()
        add(catalog, settings, reader, encoder, range(last, last + 1))
        put = time.time()
        found["seen_elsewhere_seconds"] = max(0.0, float(watcher.stdout.readline()) - put)
    catalog.close()
    return {name: round(value, 3) for name, value in found.items()}


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=Path("onesheet-home"), show_default=True)
@click.option("--movies", "n_movies", default=1_000_000, show_default=True)
@click.option("--added", "n_added", default=1000, show_default=True)
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True)
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Home that ``reindex_at_scale`` filled and kept."
)
@click.option("--out", type=click.Path(path_type=Path), help="Also write the JSON here.")
def main(home: Path, n_movies: int, n_added: int, database: str, keep: Path | None, out: Path | None) -> None:
    """Add movies to an empty catalog and to a full one, and compare."""
    real = read_real_rows(home)
    made = np.ascontiguousarray(generate_rows(real, 50_000)[:, : real.widths[0]])
    encoder = MadeBefore(made, GenreVocabulary(("Action", "Comedy", "Drama", "Horror", "Thriller")))
    with scratch_home(database, None) as settings:
        empty = measure(settings, encoder, 0, n_added)
    with scratch_home(database, None) as scratch:
        settings = load_settings(keep, environ={}) if keep else scratch
        full = measure(settings, encoder, n_movies, n_added)
    document = {
        "database": database,
        "movies": n_movies,
        "added": n_added,
        "empty": empty,
        "full": full,
        "times": round(full["add_seconds"] / empty["add_seconds"], 3),
        "times_cpu": round(full["add_cpu_seconds"] / empty["add_cpu_seconds"], 3),
    }
    for name, measured in (("empty", empty), (f"{n_movies:,}", full)):
        click.echo(
            f"{name:>10}  {measured['add_seconds'] / n_added * 1e3:8.2f} ms a movie, "
            f"{measured['add_cpu_seconds'] / n_added * 1e3:.2f} of this process's processor, "
            f"seen elsewhere after {measured['seen_elsewhere_seconds'] * 1e3:.0f} ms",
            err=True,
        )
    click.echo(json.dumps(document))
    if out is not None:
        out.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
