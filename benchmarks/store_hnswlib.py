"""The published kind beside hnswlib with a graph built for one very blend, on the same rows and questions.

Building a million rows takes one thread a good while; the graph is kept in a
file as it grows, and a run that was stopped goes on where the file ends.

Example: python -m benchmarks.store_hnswlib --home onesheet-home --graph blend.hnsw --index snapshot
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import faiss
import hnswlib
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.blend_rows import generate_rows, read_real_rows
from benchmarks.blend_search import ENOUGH
from benchmarks.blend_ways import BEAMS, K
from benchmarks.store_scale import publish
from indexer.snapshots import SnapshotStore
from indexer.vectors.blends import Blend, measure_spreads, queries_for, scales
from indexer.vectors.blocks import Widths
from indexer.vectors.tuning import kth_scores, recall

_CHUNK = 10_000
_KEPT_EVERY = 250_000

Ask = Callable[[NDArray[np.float32]], NDArray[np.int64]]


def grown(rows: NDArray[np.float32], scale: NDArray[np.float32], path: Path) -> tuple[Any, float]:
    """The graph of all rows, from the file as far as that goes; and the processor seconds spent on it."""
    used = scale > 0
    graph = hnswlib.Index(space="ip", dim=int(used.sum()))
    if path.exists():
        graph.load_index(str(path), max_elements=len(rows))
    else:
        graph.init_index(len(rows), M=16, ef_construction=100, random_seed=0)
    graph.set_num_threads(1)
    started, before = time.process_time(), graph.get_current_count()
    with tqdm(total=len(rows), initial=before, unit="row") as bar:
        for start in range(before, len(rows), _CHUNK):
            part = slice(start, min(start + _CHUNK, len(rows)))
            graph.add_items((rows[part] * scale)[:, used], np.arange(part.start, part.stop))
            bar.update(part.stop - part.start)
            if part.stop % _KEPT_EVERY == 0 or part.stop == len(rows):
                graph.save_index(str(path))
    return graph, time.process_time() - started


def timed(
    ask: Ask, rows: NDArray[np.float32], queries: NDArray[np.float32], tenth: NDArray[np.float32]
) -> dict[str, float]:
    """Milliseconds of one thread, and recall@10."""
    started = time.thread_time()
    found = [ask(query) for query in queries]
    seconds = time.thread_time() - started
    return {
        "ms": round(seconds / len(queries) * 1e3, 3),
        "recall": round(recall(rows, queries, tenth, found), 4),
    }


def measure_graph(
    graph: Any, scale: NDArray[np.float32], measure: Callable[[Ask], dict[str, float]]
) -> dict[str, dict[str, float]]:
    """What each beam takes and finds, up to the first that finds enough."""
    used = scale > 0

    def ask(query: NDArray[np.float32]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = graph.knn_query((query[used] / scale[used])[None], K)[0][0]
        return found.astype(np.int64)

    measured: dict[str, dict[str, float]] = {}
    for beam in BEAMS:
        graph.set_ef(beam)
        measured[str(beam)] = measure(ask)
        click.echo(f"  hnswlib, beam {beam}: {measured[str(beam)]}", err=True)
        if measured[str(beam)]["recall"] >= ENOUGH:
            break
    return measured


def measure_both(
    rows: NDArray[np.float32],
    sample: NDArray[np.float32],
    widths: Widths,
    blend: Blend,
    places: tuple[Path, Path],
) -> dict[str, object]:
    """Both on the same questions; ``places`` are the graph's file and the folder of the snapshot."""
    spreads = measure_spreads(rows, widths)
    scale = scales(blend, widths, spreads)
    graph, seconds = grown(rows, scale, places[0])
    publish(SnapshotStore(places[1]), rows, widths, "")
    snapshot = SnapshotStore(places[1]).open()
    if snapshot is None:
        raise RuntimeError("nothing was published")
    faiss.omp_set_num_threads(1)
    queries = queries_for(sample, blend, widths, spreads)
    tenth = kth_scores(rows, queries, K)
    of_graph = measure_graph(graph, scale, lambda ask: timed(ask, rows, queries, tenth))
    of_kind = timed(lambda query: snapshot.index.search(query[None], K)[0].rows, rows, queries, tenth)
    click.echo(f"  {snapshot.manifest.kind}: {of_kind}", err=True)
    return {"build_seconds": round(seconds, 1), "hnswlib": of_graph, snapshot.manifest.kind: of_kind}


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=Path("onesheet-home"), show_default=True)
@click.option("--rows", "n_rows", default=1_000_000, show_default=True)
@click.option("--queries", "n_queries", default=100, show_default=True)
@click.option("--blend", type=(float, float, float), default=(0.6, 0.3, 0.1), show_default=True)
@click.option("--graph", type=click.Path(path_type=Path), required=True, help="File that keeps the graph.")
@click.option("--index", type=click.Path(path_type=Path), required=True, help="Folder that keeps a snapshot.")
@click.option("--grow", is_flag=True, help="Only build the graph.")
def main(home: Path, n_rows: int, n_queries: int, blend: Blend, graph: Path, index: Path, grow: bool) -> None:
    """Build a graph with hnswlib for one blend, and ask it and the published kind the same."""
    real = read_real_rows(home)
    rows = generate_rows(real, n_rows)
    if grow:
        grown(rows, scales(blend, real.widths, measure_spreads(rows, real.widths)), graph)
        return
    sample = generate_rows(real, n_queries, seed=99)
    document = measure_both(rows, sample, real.widths, blend, (graph, index))
    click.echo(json.dumps({"rows": n_rows, "blend": blend, **document}))


if __name__ == "__main__":
    main()
