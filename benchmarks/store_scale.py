"""A published snapshot of any size: bytes, opening, memory of a second worker, blends, filters.

Example: python -m benchmarks.store_scale --home onesheet-home --rows 1000000
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.blend_rows import generate_rows, read_real_rows
from benchmarks.blend_search import blends
from indexer.columns import genre_bits_dtype
from indexer.snapshots import SnapshotStore
from indexer.types import Facts, Rows, SnapshotManifest
from indexer.vectors.base import VectorIndex
from indexer.vectors.blends import measure_spreads, queries_for
from indexer.vectors.blocks import Widths, split
from indexer.vectors.tuning import kth_scores, recall

SHARES = (0.5, 0.05, 0.001)


@dataclass(frozen=True)
class Options:
    """What is published and asked; see the options of the command."""

    home: Path
    n_rows: int
    n_queries: int
    n_random: int
    kind: str


_WORKER = """
import json, sys, time
from pathlib import Path
from indexer.snapshots import SnapshotStore
import numpy as np
started = time.perf_counter()
snapshot = SnapshotStore(Path(sys.argv[1])).open()
opened = time.perf_counter() - started
rng = np.random.default_rng(0)
rows = snapshot.index.read_rows(rng.integers(0, len(snapshot.facts), 200))
for row in rows:
    snapshot.index.search(row[None], 10)
def own():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines[1:]}
    return values["Private_Clean"] + values["Private_Dirty"]
print(json.dumps({"seconds": opened, "private": own()}), flush=True)
sys.stdin.read()
"""


def as_rows(joined: NDArray[np.float32], widths: Widths) -> tuple[Rows, Facts]:
    """Rows and facts with made-up ids and years, every signal known."""
    n = len(joined)
    visual, genre, taste = split(joined, widths)
    ids = np.char.add("tt", np.char.zfill(np.arange(n).astype(str), 7)).astype(np.bytes_)
    n_ratings = np.ones(n, dtype=np.int32)
    years = np.random.default_rng(1).integers(1920, 2026, n).astype(np.int16)
    width = genre_bits_dtype(genre.shape[1])
    bits = ((genre > 0).astype(width) << np.arange(genre.shape[1], dtype=width)).sum(1, dtype=width)
    alone = np.full(n, -1, dtype=np.int32)
    known = np.ones((n, 3), dtype=np.bool_)
    names = tuple(one.decode() for one in ids.tolist())
    return (
        Rows(names, visual, genre, taste, known, n_ratings, years),
        Facts(ids, years, bits, alone, n_ratings, np.ones(n, dtype=np.bool_)),
    )


def rate(
    index: VectorIndex,
    joined: NDArray[np.float32],
    queries: NDArray[np.float32],
    allowed: NDArray[np.bool_] | None,
) -> dict[str, float]:
    """Milliseconds of one thread, recall@10 and fullness of pages under a filter."""
    rows = np.arange(len(joined)) if allowed is None else np.flatnonzero(allowed)
    tenth = kth_scores(joined if allowed is None else joined[rows], queries, min(10, len(rows)))
    started = time.thread_time()
    found = [index.search(query[None], 10, allowed)[0].rows for query in queries]
    seconds = time.thread_time() - started
    full = all(len(one) == min(10, len(rows)) for one in found)
    share = recall(joined, queries, tenth, found) * min(10, len(joined)) / min(10, len(rows))
    return {"ms": round(seconds / len(queries) * 1e3, 3), "recall": round(share, 4), "full": full}


def opened_by_two(root: Path) -> dict[str, float]:
    """Seconds to open in a second worker, and the memory that is its own."""
    command = [sys.executable, "-c", _WORKER, str(root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    first = subprocess.Popen(command, **pipes)  # type: ignore[call-overload]
    first.stdout.readline()
    second = subprocess.Popen(command, **pipes)  # type: ignore[call-overload]
    measured = json.loads(second.stdout.readline())
    empty = subprocess.run(
        [sys.executable, "-c", _IDLE],
        capture_output=True,
        text=True,
        check=True,
    )
    for worker in (first, second):
        worker.communicate("")
    measured["private"] -= int(empty.stdout)
    return dict(measured)


_IDLE = """
from pathlib import Path
import numpy as np
from indexer.snapshots import SnapshotStore
lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
values = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines[1:]}
print(values["Private_Clean"] + values["Private_Dirty"])
"""


def publish(
    store: SnapshotStore, joined: NDArray[np.float32], widths: Widths, kind: str
) -> tuple[SnapshotManifest, float]:
    """Publish the rows, unless they are; the manifest and the seconds it took (0 where nothing was done)."""
    found = store.manifest()
    if found is not None and found.count == len(joined):
        return found, 0.0
    about = SnapshotManifest("", kind, "b" * 64, tuple(f"g{i}" for i in range(widths[1])), widths)
    started = time.perf_counter()
    manifest = store.publish(*as_rows(joined, widths), about)
    return manifest, time.perf_counter() - started


def measure_blends(
    index: VectorIndex,
    joined: NDArray[np.float32],
    sample: NDArray[np.float32],
    widths: Widths,
    n_random: int,
) -> dict[str, dict[str, float]]:
    """What each blend takes of one thread."""
    spreads = measure_spreads(joined, widths)
    measured = {}
    for blend in blends(n_random):
        found = rate(index, joined, queries_for(sample, blend, widths, spreads), None)
        label = "/".join(f"{share:.2f}" for share in blend)
        click.echo(f"  {label}  {found}")
        measured[label] = found
    return measured


def measure_filters(
    index: VectorIndex, joined: NDArray[np.float32], sample: NDArray[np.float32], widths: Widths
) -> dict[str, dict[str, float]]:
    """What filters of some widths take, at one blend."""
    queries = queries_for(sample, (0.6, 0.3, 0.1), widths, measure_spreads(joined, widths))
    draws = np.random.default_rng(3).random(len(joined))
    masks = {str(share): draws < share for share in SHARES}
    masks["3 rows"] = np.isin(np.arange(len(joined)), (5, 500, len(joined) - 1))
    measured = {}
    for label, mask in masks.items():
        measured[label] = rate(index, joined, queries, mask)
        click.echo(f"  allowed {label}  {measured[label]}")
    return measured


def main_document(folder: Path, options: Options) -> dict[str, object]:
    """Publish, open twice, and measure."""
    real = read_real_rows(options.home)
    joined = generate_rows(real, options.n_rows)
    sample = generate_rows(real, options.n_queries, seed=99)
    store = SnapshotStore(folder)
    manifest, seconds = publish(store, joined, real.widths, options.kind)
    size = sum(int(file["bytes"]) for file in manifest.files.values())
    document: dict[str, object] = {
        "rows": options.n_rows,
        "kind": manifest.kind,
        "publish_seconds": round(seconds, 1),
        "bytes_per_movie": {
            name: round(int(file["bytes"]) / options.n_rows, 1) for name, file in manifest.files.items()
        },
        "total_bytes_per_movie": round(size / options.n_rows, 1),
    }
    click.echo(json.dumps(document, indent=1))
    opened = opened_by_two(folder)
    document |= {
        "open_seconds": round(opened["seconds"], 3),
        "second_worker_share": round(opened["private"] / size, 4),
    }
    click.echo(f"open {document['open_seconds']} s, second worker {document['second_worker_share']:.1%}")
    snapshot = store.open()
    if snapshot is None:
        raise RuntimeError("nothing was published")
    faiss.omp_set_num_threads(1)
    blends_found = measure_blends(snapshot.index, joined, sample, real.widths, options.n_random)
    filters_found = measure_filters(snapshot.index, joined, sample, real.widths)
    return document | {"blends": blends_found, "filters": filters_found}


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=Path("onesheet-home"),
    show_default=True,
    help="A home with real posters, indexed.",
)
@click.option("--rows", "n_rows", default=1_000_000, show_default=True)
@click.option("--queries", "n_queries", default=100, show_default=True)
@click.option("--random", "n_random", default=10, show_default=True)
@click.option("--kind", default="", help="Kind of index; default by size.")
@click.option("--index", "folder", type=click.Path(path_type=Path), help="Publish here and keep it.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the JSON here.")
def main(folder: Path | None, out: Path | None, **options: Any) -> None:
    """Publish a snapshot of generated rows, or take the one that was kept, and measure it."""
    faiss.omp_set_num_threads(2)
    with tempfile.TemporaryDirectory() as scratch:
        document = main_document(folder or Path(scratch), Options(**options))
    click.echo(json.dumps(document))
    if out is not None:
        out.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
