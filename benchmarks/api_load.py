"""How fast the API answers, beside a bare Flask endpoint on the same server in the same run.

python -m benchmarks.api_load --home HOME --poster FILE [--seconds 8] [--json FILE]

HOME is a home with an index. Both servers run one worker and answer documents
of the same size; the generator shares the machine with them. ``asked_before``
are questions whose answers the server still keeps, ``asked_first`` are movies
that nobody asked for before.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from benchmarks.load_client import Load, get_request, run_load, upload_request
from benchmarks.served import Served, bare_server, onesheet_server

_OVERLOAD_CONNECTIONS = 400
_N_ASKED_BEFORE = 400


@click.command()
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--poster", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seconds", default=8.0, show_default=True, help="Length of each run.")
@click.option("--connections", default=8, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    home: Path, poster: Path, seconds: float, connections: int, seed: int, json_path: Path | None
) -> None:
    """Measure and print one JSON document."""
    with tempfile.TemporaryDirectory() as logs:
        directory = Path(logs)
        with onesheet_server(home.resolve(), directory / "onesheet.log") as ours:
            ids = _shuffled_ids(ours, seed)
            document = ours.get(f"/api/v1/movies/{ids[0]}/similar")
            with bare_server(document, directory / "bare.log") as bare:
                figures = _beside(ours, bare, ids, seconds, connections)
            figures["upload"] = _uploads(ours, poster)
            figures["overload"] = _overload(ours, ids, seconds)
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


def _beside(ours: Served, bare: Served, ids: list[str], seconds: float, connections: int) -> dict[str, Any]:
    """Throughput with all connections busy, then latencies at one rate that both can bear."""
    asked_before, new = ids[:_N_ASKED_BEFORE], ids[_N_ASKED_BEFORE:]
    for movie_id in asked_before:
        ours.get(_path(movie_id))
    return {
        "asked_before": _rounds(ours, bare, _similar(asked_before), seconds, connections),
        "asked_first": _rounds(ours, bare, _similar(new), seconds, connections),
    }


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


def _similar(ids: list[str]) -> Iterator[bytes]:
    return (get_request(_path(movie_id)) for movie_id in itertools.cycle(ids))


def _path(movie_id: str) -> str:
    return f"/api/v1/movies/{movie_id}/similar?k=10"


def _pair(bare: Load, ours: Load) -> dict[str, Any]:
    return {
        "bare": bare.summary(),
        "similar": ours.summary(),
        "throughput_ratio": round(ours.per_second / bare.per_second, 3),
        "p50_ratio": round(ours.percentile_ms(50) / bare.percentile_ms(50), 2),
        "p99_ratio": round(ours.percentile_ms(99) / bare.percentile_ms(99), 2),
    }


def _uploads(ours: Served, poster: Path, n: int = 25) -> dict[str, Any]:
    """An upload answered with similar movies, beside the encoder alone on the same poster."""
    request = upload_request("/api/v1/similar", poster)
    # The first upload loads the encoder, however long that takes.
    while not run_load(ours.address, itertools.repeat(request), 5.0, 1).statuses:
        pass
    load = run_load(ours.address, itertools.repeat(request), 10.0, 1)
    code = (
        "import sys, statistics, time; from pathlib import Path; import numpy as np\n"
        "from embeddings.encoder import Encoder; from embeddings.transforms import read_pixels\n"
        "encoder = Encoder.load(); path = Path(sys.argv[1]); times = []\n"
        "pixels = np.stack([read_pixels(path, encoder.manifest.preprocessing)])\n"
        "for _ in range(int(sys.argv[2])):\n"
        "    start = time.perf_counter(); encoder.encode_pixels(pixels)\n"
        "    times.append(time.perf_counter() - start)\n"
        "print(statistics.median(times[5:]) * 1000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(poster), str(n)], capture_output=True, text=True, check=True
    )
    forward_ms = float(done.stdout)
    return {
        "similar_by_upload": load.summary(),
        "bare_forward_p50_ms": round(forward_ms, 2),
        "p50_ratio": round(load.percentile_ms(50) / forward_ms, 2),
    }


def _overload(ours: Served, ids: list[str], seconds: float) -> dict[str, Any]:
    """Far more connections than places, then the usual load again; all of questions asked before."""
    similar = _similar(ids[:_N_ASKED_BEFORE])
    calm = run_load(ours.address, similar, seconds / 2, 4)
    storm = run_load(ours.address, similar, seconds, _OVERLOAD_CONNECTIONS)
    time.sleep(1.0)
    after = run_load(ours.address, similar, seconds / 2, 4)
    return {
        "connections": _OVERLOAD_CONNECTIONS,
        "before": calm.summary(),
        "during": storm.summary(),
        "after": after.summary(),
        "recovered_to": round(after.per_second / calm.per_second, 2),
    }


def _shuffled_ids(ours: Served, seed: int) -> list[str]:
    ids = list(_all_ids(ours))
    random.Random(seed).shuffle(ids)
    return ids


def _all_ids(ours: Served) -> Iterator[str]:
    cursor: str | None = ""
    while cursor is not None:
        page = ours.get(f"/api/v1/movies?sort=title&limit=200&cursor={cursor}")
        yield from (movie["movie_id"] for movie in page["movies"] if movie["poster_url"])
        cursor = page["next"]


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


if __name__ == "__main__":
    main()
