"""What a question for similar movies costs: asked first, asked before, and a plain search beside it.

python -m benchmarks.similar_speed HOME [--questions 300] [--seed 0]

HOME is a home with an index; it is only read. Figures are milliseconds of CPU
time of this process per question, mean and median, on one core.
``warming`` are the first questions of a process, which also read the catalog
ahead; ``asked_first`` are questions that nobody asked before, ``asked_before``
the same once more. ``plain_search`` is what all of them stand beside: one
product of a float32 matrix with the query's row and the ten best of it, no
titles, no reasons, no filters.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from indexer.settings import load_settings
from recommender.recommender import open_recommender
from recommender.types import SimilarRequest

_K = 10
_WARMING = 100


@click.command()
@click.argument("home", type=click.Path(path_type=Path, exists=True))
@click.option("--questions", default=300, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(home: Path, questions: int, seed: int) -> None:
    """Measure and print one JSON document."""
    recommender = open_recommender(load_settings(home, {}))
    view = recommender.reader.view()
    ids = [one.decode() for one in view.facts.movie_ids[view.facts.live].tolist()]
    random.Random(seed).shuffle(ids)
    warming, asked = ids[:_WARMING], ids[_WARMING : _WARMING + questions]
    rows = view.find_rows(ids)
    matrix = np.concatenate([rows.visual, rows.genre, rows.taste], axis=1)
    row_of = {movie_id: i for i, movie_id in enumerate(ids)}

    def similar(movie_id: str) -> object:
        return recommender.similar(SimilarRequest(like=(movie_id,), k=_K)).as_json()

    def plain(movie_id: str) -> object:
        scores = matrix @ matrix[row_of[movie_id]]
        best = np.argpartition(-scores, _K + 1)[: _K + 1]
        return [ids[i] for i in best[np.argsort(-scores[best])].tolist() if ids[i] != movie_id][:_K]

    with threadpool_limits(1):
        figures = {
            "movies": len(ids),
            "warming": _cpu_ms(similar, warming),
            "asked_first": _cpu_ms(similar, asked),
            "asked_before": _cpu_ms(similar, asked),
            "plain_search": _cpu_ms(plain, asked),
        }
    click.echo(json.dumps(figures, indent=2))


def _cpu_ms(ask: Callable[[str], object], movie_ids: Sequence[str]) -> dict[str, float]:
    """Ask one question per movie."""
    took = []
    for movie_id in movie_ids:
        started = time.process_time()
        ask(movie_id)
        took.append(1000 * (time.process_time() - started))
    return {"mean_ms": round(statistics.fmean(took), 3), "median_ms": round(statistics.median(took), 3)}


if __name__ == "__main__":
    main()
