"""Search any blend of look, genre and taste, in several ways, beside hnswlib built for the very blend.

For each way and weight vector: the quickest setting whose recall@10 is 0.99 (a
row as good as the true tenth is right), its milliseconds of one thread, and
the recall it had. Times are of the thread, not of the wall: other work on the
machine does not count, though it still crowds the caches. Graphs of a million
rows take an hour to build: ``--keep`` keeps what was built for the next run.

Example: python -m benchmarks.blend_search --home onesheet-home --rows 100000
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.blend_rows import generate_rows, read_real_rows
from benchmarks.blend_ways import WAYS, K, Searched, Way
from indexer.vectors.blends import Blend, measure_spreads, queries_for
from indexer.vectors.tuning import kth_scores

NAMED: tuple[Blend, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1))
ENOUGH = 0.99


def blends(n_random: int) -> list[Blend]:
    """The named blends and some random ones."""
    drawn = np.random.default_rng(5).dirichlet((1, 1, 1), n_random)
    return [*NAMED, *(tuple(one) for one in drawn.round(3).tolist())]


def measure(
    way: Way, rows: NDArray[np.float32], queries: NDArray[np.float32], tenth: NDArray[np.float32]
) -> dict[str, float]:
    """Milliseconds and recall of the quickest effort that is right often enough, or of the greatest."""
    for effort in way.efforts:
        started = time.thread_time()
        found = [way.search(query, effort) for query in queries]
        seconds = time.thread_time() - started
        slack = 1e-6 * float(np.linalg.norm(queries, axis=1).max())
        right = sum(
            int((rows[one] @ query >= least - slack).sum())
            for one, query, least in zip(found, queries, tenth, strict=True)
        )
        recall = right / (K * len(queries))
        result = {"effort": effort, "ms": round(seconds / len(queries) * 1e3, 3), "recall": round(recall, 4)}
        if recall >= ENOUGH:
            break
    return result


@dataclass(frozen=True)
class Questions:
    """What is asked of every way.

    Args:
        queries: float32, (m, dim), by blend.
        tenth: float32, (m,), the exact score of the true tenth of each, by blend.
    """

    queries: dict[Blend, NDArray[np.float32]]
    tenth: dict[Blend, NDArray[np.float32]]


def ask(way: Way, questions: Questions) -> dict[str, object]:
    """What one way takes and finds, by blend."""
    measured: dict[str, object] = {}
    for blend, queries in questions.queries.items():
        way.prepare(blend)
        found = measure(way, way.rows, queries, questions.tenth[blend])
        label = "/".join(f"{share:.2f}" for share in blend)
        measured[label] = found
        click.echo(f"  {label}  {found['ms']:8.3f} ms  recall {found['recall']:.4f}", err=True)
    return measured


def try_ways(
    searched: Searched, questions: Questions | None, names: tuple[str, ...]
) -> dict[str, dict[str, object]]:
    """Build the ways whose names have one of the parts, and ask them, where there are questions."""
    table: dict[str, dict[str, object]] = {}
    for kind in WAYS:
        if names and not any(name in kind.name for name in names):
            continue
        started = time.process_time()
        faiss.omp_set_num_threads(2)
        way = kind(searched)
        built = time.process_time() - started
        size = way.bytes_per_row()
        click.echo(f"{kind.name}: {built:.0f} s of processor time, {size:.0f} bytes a row", err=True)
        faiss.omp_set_num_threads(1)
        table[kind.name] = {"build_seconds": round(built, 1), "bytes": round(size, 1)}
        if questions is not None:
            table[kind.name]["blends"] = ask(way, questions)
    return table


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=Path("onesheet-home"),
    show_default=True,
    help="A home with real posters, indexed.",
)
@click.option("--rows", "n_rows", default=1_000_000, show_default=True)
@click.option("--queries", "n_queries", default=200, show_default=True)
@click.option("--random", "n_random", default=10, show_default=True, help="Random blends beside the named.")
@click.option("--way", "names", multiple=True, help="Part of a way's name; default all.")
@click.option("--keep", "folder", type=click.Path(path_type=Path), help="Keep here what is built.")
@click.option("--build", is_flag=True, help="Only build what is to be kept.")
def main(
    home: Path,
    n_rows: int,
    n_queries: int,
    n_random: int,
    names: tuple[str, ...],
    folder: Path | None,
    build: bool,
) -> None:
    """Measure the ways; a line for each blend, and a JSON document."""
    real = read_real_rows(home)
    rows, sample = generate_rows(real, n_rows), generate_rows(real, n_queries, seed=99)
    spreads = measure_spreads(rows, real.widths)
    questions = None
    if not build:
        asked = {blend: queries_for(sample, blend, real.widths, spreads) for blend in blends(n_random)}
        tenth = {blend: kth_scores(rows, queries, K) for blend, queries in asked.items()}
        questions = Questions(asked, tenth)
    with tempfile.TemporaryDirectory() as scratch:
        table = try_ways(Searched(rows, real.widths, spreads, folder or Path(scratch)), questions, names)
    document = {"rows": n_rows, "real_rows": len(real.joined), "queries": n_queries, "ways": table}
    click.echo(json.dumps(document))


if __name__ == "__main__":
    main()
