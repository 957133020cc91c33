"""How fast the API answers, beside a bare Flask endpoint on the same server in the same run.

python -m benchmarks.api_load --home HOME --poster FILE [--seconds 8] [--settle 40] [--json FILE]

HOME is a home with an index. Both servers run one worker and answer documents
of the same size; the generator shares the machine with them. After ``--settle``
seconds, in which the server answers everyday questions ahead, three kinds of
questions are asked: ``default_first``, movies that nobody asked about before, at
default weights; ``sliders_first``, the same at weights that never come twice;
``everyday``, movies by fame (Zipf), one question in six at slider weights.
"""

from __future__ import annotations

import itertools
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.load_client import Load, get_request, run_load, upload_request
from benchmarks.served import Served, bare_server, onesheet_server
from recommender.types import SIGNALS

_OVERLOAD_CONNECTIONS = 400
_OVERLOAD_TIMES = 10
_SLIDER_SHARE = 1 / 6
_SLIDER_STEPS = 20


@click.command()
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--poster", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seconds", default=8.0, show_default=True, help="Length of each run.")
@click.option("--settle", default=40.0, show_default=True, help="Seconds before the first question.")
@click.option("--connections", default=8, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    home: Path,
    poster: Path,
    seconds: float,
    settle: float,
    connections: int,
    seed: int,
    json_path: Path | None,
) -> None:
    """Measure and print one JSON document."""
    with tempfile.TemporaryDirectory() as logs:
        directory = Path(logs)
        with onesheet_server(home.resolve(), directory / "onesheet.log") as ours:
            ids = list(_all_ids(ours))
            kinds = _questions(ids, random.Random(seed))
            time.sleep(settle)
            document = ours.get(f"/api/v1/movies/{ids[-1]}/similar")
            with bare_server(document, directory / "bare.log") as bare:
                figures: dict[str, Any] = {
                    name: _rounds(ours, bare, asked, seconds, connections) for name, asked in kinds.items()
                }
            figures["overload"] = _overload(ours, kinds["sliders_first"], seconds)
            figures["upload"] = _uploads(ours, poster)
        figures["start_seconds"] = {
            "first_answer": round(ours.healthy_seconds, 2),
            "ready": round(ours.ready_seconds, 2),
        }
        figures["movies"] = len(ids)
        figures["machine"] = f"{platform.machine()}, {_cpu_name()}"
    text = json.dumps(figures, indent=2)
    click.echo(text)
    if json_path is not None:
        json_path.write_text(text + "\n", encoding="utf-8")


def _questions(by_fame: list[str], rng: random.Random) -> dict[str, Iterator[bytes]]:
    """Endless requests by kind, of movies given best known first."""
    shuffled = rng.sample(by_fame, len(by_fame))
    share = [1 / rank for rank in range(1, len(by_fame) + 1)]

    def everyday() -> Iterator[bytes]:
        while True:
            for movie_id in rng.choices(by_fame, share, k=1000):
                slides = rng.random() < _SLIDER_SHARE
                steps = [rng.randint(1, _SLIDER_STEPS) / _SLIDER_STEPS for _ in range(3)]
                yield _ask(movie_id, steps if slides else None)

    return {
        "default_first": (_ask(movie_id) for movie_id in itertools.cycle(shuffled)),
        "sliders_first": (
            _ask(movie_id, [rng.random() + 0.01 for _ in range(3)]) for movie_id in itertools.cycle(shuffled)
        ),
        "everyday": everyday(),
    }


def _ask(movie_id: str, weights: Sequence[float] | None = None) -> bytes:
    path = f"/api/v1/movies/{movie_id}/similar?k=10"
    if weights is not None:
        path += "".join(f"&{name}={w:.4f}" for name, w in zip(SIGNALS, weights, strict=True))
    return get_request(path)


def _rounds(
    ours: Served, bare: Served, similar: Iterator[bytes], seconds: float, connections: int
) -> dict[str, Any]:
    plain = itertools.repeat(get_request("/bare"))
    # Bare, ours, bare, ours: a machine that slows down on the way slows both.
    rounds = [
        (
            run_load(bare.address, plain, seconds, connections),
            run_load(ours.address, similar, seconds, connections),
        )
        for _ in range(2)
    ]
    bare_best = max((one for one, _ in rounds), key=lambda load: load.per_second)
    ours_best = max((one for _, one in rounds), key=lambda load: load.per_second)
    rate = 0.5 * ours_best.per_second
    bare_equal = run_load(bare.address, plain, seconds, connections, rate)
    ours_equal = run_load(ours.address, similar, seconds, connections, rate)
    return {
        "full_load": _pair(bare_best, ours_best),
        "equal_load": {"rate_per_second": round(rate, 1), **_pair(bare_equal, ours_equal)},
    }


def _pair(bare: Load, ours: Load) -> dict[str, Any]:
    return {
        "bare": bare.summary(),
        "similar": ours.summary(),
        "throughput_ratio": round(ours.per_second / bare.per_second, 3),
        "p50_ratio": round(ours.percentile_ms(50) / bare.percentile_ms(50), 2),
        "p99_ratio": round(ours.percentile_ms(99) / bare.percentile_ms(99), 2),
    }


def _uploads(ours: Served, poster: Path) -> dict[str, Any]:
    """An upload answered with similar movies, beside the encoder alone on the same poster."""
    request = upload_request("/api/v1/similar", poster)
    # The first upload loads the encoder, however long that takes.
    while not run_load(ours.address, itertools.repeat(request), 5.0, 1).statuses:
        pass
    load = run_load(ours.address, itertools.repeat(request), 10.0, 1)
    if set(load.statuses) != {200}:
        raise RuntimeError(
            f"uploads were answered with {dict(load.statuses)}, expected 200 alone: is the home indexed by "
            "the encoder in use (onesheet reindex)?"
        )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare_forward", str(poster)],
        capture_output=True,
        text=True,
        check=True,
    )
    forward = json.loads(done.stdout)
    p50 = load.percentile_ms(50)
    return {
        "similar_by_upload": load.summary(),
        "bare_forward": forward,
        "p50_to_plain": round(p50 / forward["plain_ms"], 2),
        "p50_to_ready": round(p50 / forward["ready_ms"], 2),
    }


def _overload(ours: Served, similar: Iterator[bytes], seconds: float) -> dict[str, Any]:
    """Ten times what the server can answer is due each second; then the usual load again."""
    calm = run_load(ours.address, similar, seconds / 2, 4)
    due = _OVERLOAD_TIMES * calm.per_second
    storm = run_load(ours.address, similar, seconds, _OVERLOAD_CONNECTIONS, due)
    time.sleep(1.0)
    after = run_load(ours.address, similar, seconds / 2, 4)
    return {
        "connections": _OVERLOAD_CONNECTIONS,
        "due_per_second": round(due),
        "before": calm.summary(),
        "during": storm.summary(),
        "asked_per_second": round(sum(storm.statuses.values()) / storm.seconds),
        "after": after.summary(),
        "recovered_to": round(after.per_second / calm.per_second, 2),
    }


def _all_ids(ours: Served) -> Iterator[str]:
    cursor: str | None = ""
    while cursor is not None:
        page = ours.get(f"/api/v1/movies?sort=ratings&limit=200&cursor={cursor}")
        yield from (movie["movie_id"] for movie in page["movies"] if movie["poster_url"])
        cursor = page["next"]


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


if __name__ == "__main__":
    main()
