"""What ``reindex`` of new files costs in a large catalog beside what it costs in an empty one, step by step.

The large catalog's posters lie on the disk (links of a few files), and are known
with made-up hashes and with embeddings made beforehand, so that nothing but the
new files is to be read; the encoder's own time is left out in both. A catalog of
a million takes a while to fill: ``--keep`` keeps it, and each run adds to it.

Example: python -m benchmarks.reindex_at_scale --home onesheet-home --posters posters --movies 100000
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.blend_rows import generate_rows, read_real_rows
from benchmarks.colour_encoder import draw_poster
from benchmarks.fresh_at_scale import MadeBefore, facts_of
from benchmarks.store_kill import scratch_home
from embeddings.encoded import Poster
from embeddings.genres import GenreVocabulary
from indexer import reindex as steps
from indexer.artwork_table import ARTWORK_FILE, ArtworkTable, Posters, save_table
from indexer.catalog import Catalog, PosterFile, open_catalog
from indexer.catalog.artwork import HashedPoster
from indexer.duplicates import describe_posters
from indexer.publish import read_catalog
from indexer.settings import Settings, load_settings
from indexer.snapshots import SnapshotStore, open_store

_BATCH = 20_000
_MOST_LINKS = 50_000
_STRANGE = 0.6
"""Length of the noise beside a unit row: two copies then have a cosine of about 0.7, as neighbours have."""
_STEPS = (
    "scan_posters",
    "_embed",
    "group_artwork",
    "current_snapshot",
    "stays_in_overlay",
    "_place_new",
    "learn",
    "_publish",
)


def fill(catalog: Catalog, encoder: MadeBefore, posters: Path, n_movies: int) -> None:
    """A catalog that was imported and indexed before."""
    rng = np.random.default_rng(7)
    for start in range(0, n_movies, _BATCH):
        ids = [f"tt{i:07d}" for i in range(start, min(start + _BATCH, n_movies))]
        paths = {movie_id: _linked(posters, movie_id, start + i) for i, movie_id in enumerate(ids)}
        catalog.upsert_movies([facts_of(one) for one in ids], "csv")
        catalog.set_posters(paths)
        hashes = [rng.bytes(32).hex() for _ in ids]
        catalog.save_poster_files([_as_known(*one) for one in zip(paths.items(), hashes, strict=True)])
        catalog.save_hashes(
            [HashedPoster(one, sha[:16], 40, 60) for one, sha in zip(ids, hashes, strict=True)]
        )
        encoded = encoder.encode([Poster(one, b"") for one in ids])
        catalog.save_embeddings(encoded, encoder.fingerprint, encoder.choose(encoded.genre_probs), hashes)
    catalog.gather_statistics()


def _linked(posters: Path, movie_id: str, number: int) -> Path:
    source = posters.parent / f"source{number // _MOST_LINKS}.png"
    if not source.exists():
        source.write_bytes(draw_poster(source.name))
    path = posters / f"{movie_id}.png"
    path.hardlink_to(source)
    return path


def _as_known(named: tuple[str, Path], sha256: str) -> PosterFile:
    movie_id, path = named
    status = path.stat()
    return PosterFile(movie_id, str(path), sha256, status.st_size, status.st_mtime_ns)


def add(catalog: Catalog, posters: Path, numbers: range, pictures: Sequence[Path]) -> None:
    """Movies with new files, as an import leaves them."""
    paths = {f"tt{number:07d}": posters / f"tt{number:07d}.jpg" for number in numbers}
    for number, (movie_id, path) in enumerate(paths.items()):
        picture = pictures[number % len(pictures)].read_bytes() if pictures else draw_poster(movie_id)
        path.write_bytes(picture)
    catalog.upsert_movies([facts_of(one) for one in paths], "csv")
    catalog.set_posters(paths)
    catalog.add_poster_dir(posters, "by_id")


def timed_steps(work: Callable[[], object]) -> dict[str, float]:
    """Seconds of the clock, of this process's processor, and of each step of ``reindex``."""
    seconds = dict.fromkeys(_STEPS, 0.0)

    def timed(name: str) -> Callable[..., Any]:
        step = getattr(steps, name)

        def run(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return step(*args, **kwargs)
            finally:
                seconds[name] += time.perf_counter() - started

        return run

    with ExitStack() as patches:
        for name in _STEPS:
            patches.enter_context(mock.patch.object(steps, name, timed(name)))
        started, cpu = time.perf_counter(), time.process_time()
        work()
        whole = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu}
    return {name: round(value, 2) for name, value in (whole | seconds).items()}


def prepare(settings: Settings, encoder: MadeBefore, n_movies: int) -> None:
    """A catalog of so many movies, indexed; as it is where it is that already."""
    (settings.home / "own-posters").mkdir(parents=True, exist_ok=True)
    with closing(open_catalog(settings)) as catalog:
        catalog.add_encoder(encoder.fingerprint, encoder.genres, encoder.embedding_dim)
        if n_movies and not catalog.n_movies():
            fill(catalog, encoder, settings.home / "own-posters", n_movies)
        if n_movies and not catalog.embedded_up_to(encoder.fingerprint):
            _index(catalog, open_store(settings), encoder)


def _index(catalog: Catalog, store: SnapshotStore, encoder: MadeBefore) -> None:
    """Leave what a reindex leaves, without its minutes.

    How rows are searched has no part in this, and the exact kind is the quickest to publish; no two of
    the made-up pictures are one, so that there is nothing to be found by comparing them.
    """
    batch, about = read_catalog(catalog, encoder.fingerprint, None)
    store.publish(batch.rows, batch.facts, replace(about, kind="exact"))
    catalog.activate(encoder.fingerprint, None)
    ids = batch.rows.movie_ids
    del batch
    parts = [
        describe_posters(catalog, encoder.fingerprint, catalog.read_posters(ids[start : start + _BATCH]))
        for start in range(0, len(ids), _BATCH)
    ]
    table = ArtworkTable(Posters.concatenate(parts), about.revision, encoder.fingerprint)
    save_table(store.root / ARTWORK_FILE, table)
    catalog.save_embedded_up_to(encoder.fingerprint, about.revision)


def measure(
    settings: Settings,
    encoder: MadeBefore,
    n_added: int,
    pictures: Sequence[Path],
    options: steps.ReindexOptions,
) -> dict[str, float]:
    """Add files to a catalog that was prepared, and index those."""
    store = open_store(settings)
    with closing(open_catalog(settings)) as catalog:
        n = catalog.n_movies()
        add(catalog, settings.home / "own-posters", range(n, n + n_added), pictures)
        return timed_steps(lambda: steps.reindex(catalog, encoder, store, options=options))


def distinct_looks(home: Path, n: int) -> NDArray[np.float32]:
    """Embeddings like real ones, no two of one picture: generated rows, their copies made strangers."""
    real = read_real_rows(home)
    made = generate_rows(real, n)[:, : real.widths[0]]
    made += np.random.default_rng(1).normal(0, _STRANGE / made.shape[1] ** 0.5, made.shape).astype(np.float32)
    looks: NDArray[np.float32] = made / np.linalg.norm(made, axis=1, keepdims=True)
    return looks


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=Path("onesheet-home"), show_default=True)
@click.option("--movies", "n_movies", default=100_000, show_default=True)
@click.option("--added", "n_added", default=1000, show_default=True)
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True)
@click.option("--posters", type=click.Path(path_type=Path), help="Real posters to add; drawn without them.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the scratch homes lie.")
@click.option("--keep", type=click.Path(path_type=Path), help="Home of the large catalog, to be kept.")
@click.option("--new", is_flag=True, help="As `onesheet reindex --new`: known files are not looked at.")
@click.option("--only-prepare", is_flag=True, help="Only fill and index the large catalog.")
def main(
    home: Path,
    n_movies: int,
    n_added: int,
    database: str,
    posters: Path | None,
    folder: Path | None,
    keep: Path | None,
    **flags: bool,
) -> None:
    """Reindex new files in an empty catalog and in a full one, and compare."""
    encoder = MadeBefore(
        distinct_looks(home, n_movies + n_added),
        GenreVocabulary(("Action", "Comedy", "Drama", "Horror", "Thriller")),
    )
    pictures = sorted(posters.glob("*.jpg"))[:n_added] if posters else []
    options = steps.ReindexOptions(progress=False, unread_only=flags["new"])
    document: dict[str, Any] = {
        "database": database,
        "movies": n_movies,
        "added": n_added,
        "new": flags["new"],
    }
    with ExitStack() as homes:
        empty = homes.enter_context(scratch_home(database, folder))
        full = (
            load_settings(keep, environ={}) if keep else homes.enter_context(scratch_home(database, folder))
        )
        prepare(full, encoder, n_movies)
        for name, settings in () if flags["only_prepare"] else (("empty", empty), ("full", full)):
            prepare(settings, encoder, 0)
            document[name] = measure(settings, encoder, n_added, pictures, options)
            click.echo(f"{name:>6}  {document[name]}", err=True)
    if not flags["only_prepare"]:
        document["times"] = round(document["full"]["seconds"] / document["empty"]["seconds"], 2)
        click.echo(json.dumps(document))


if __name__ == "__main__":
    main()
