"""Mixed load for a while, with movies changing and the index renewed underneath: errors and memory.

python -m benchmarks.api_soak --home HOME --poster FILE [--minutes 30]

HOME is changed: work on a copy. A movie is put in and taken out and `onesheet
reindex` run, over and over, while a generator asks without a pause.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import click

from benchmarks.load_client import Load, get_request, run_load, upload_request
from benchmarks.served import Served, onesheet_server
from webui.client import OnesheetClient

_KEY = "a-key-of-the-soak"
_TURN_SECONDS = 20.0
_UPLOAD_EVERY = 100


@click.command()
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--poster", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--warm-up", default=3.0, show_default=True, help="Minutes after which memory must stand.")
@click.option("--rate", default=40.0, show_default=True, help="Requests due each second.")
def main(home: Path, poster: Path, minutes: float, warm_up: float, rate: float) -> None:
    """Run, then print one JSON document; exit 1 where an answer was neither good nor a 503."""
    home = home.resolve()
    statuses: Counter[int] = Counter()
    memory: list[float] = []
    n_changes = 0
    with (
        tempfile.TemporaryDirectory() as logs,
        onesheet_server(home, Path(logs) / "server.log", ONESHEET_API_KEYS=_KEY) as served,
    ):
        requests = _mixed(served, poster)
        end = time.monotonic() + minutes * 60
        changing = threading.Thread(target=_change, args=(served, home, poster))
        changing.start()
        while time.monotonic() < end:
            load: Load = run_load(served.address, requests, _TURN_SECONDS, 4, rate)
            if not changing.is_alive():
                n_changes += 1
                changing = threading.Thread(target=_change, args=(served, home, poster))
                changing.start()
            statuses.update(load.statuses)
            memory.append(served.resident_mb())
            click.echo(f"{dict(statuses)} {memory[-1]:.0f} MiB", err=True)
        changing.join()
    settled = memory[min(int(warm_up * 60 / _TURN_SECONDS), len(memory) - 1)]
    click.echo(
        json.dumps(
            {
                "minutes": minutes,
                "reindexed": n_changes,
                "statuses": dict(statuses),
                "warm_up_minutes": warm_up,
                "memory_mb": {
                    "settled": round(settled),
                    "last": round(memory[-1]),
                    "by_turn": [round(one) for one in memory],
                },
                "growth_percent": round(100 * (memory[-1] / settled - 1), 1),
            },
            indent=2,
        )
    )
    if set(statuses) - {200, 503}:
        sys.exit(1)


def _mixed(served: Served, poster: Path) -> itertools.cycle[bytes]:
    """Questions, pages, pictures and now and then an upload: a thousand requests over and over."""
    page = served.get("/api/v1/movies?sort=ratings&limit=200")["movies"]
    rng = random.Random(0)
    kinds = (
        "/api/v1/movies/{}/similar?k=10",
        "/api/v1/movies/{}/similar?visual=1&diversity=0.3",
        "/api/v1/movies/{}",
        "/posters/{}?w=160",
        "/movies/{}",
        "/api/v1/movies?sort=title&limit=40",
    )
    chosen = [rng.choice(kinds).format(rng.choice(page)["movie_id"]) for _ in range(1000)]
    requests = [get_request(path) for path in chosen]
    requests[::_UPLOAD_EVERY] = [upload_request("/api/v1/similar", poster)] * len(requests[::_UPLOAD_EVERY])
    return itertools.cycle(requests)


def _change(served: Served, home: Path, poster: Path) -> None:
    host, port = served.address
    with OnesheetClient(f"http://{host}:{port}", _KEY, timeout_seconds=120) as client:
        client.put_movie("soak-movie", "A movie that comes and goes", 2000, ["Drama"], poster)
        client.remove_movie("soak-movie")
    subprocess.run(
        [sys.executable, "-c", "from webui.cli import main; main()", "--home", str(home), "reindex"],
        check=True,
        capture_output=True,
        env=dict(os.environ),
    )


if __name__ == "__main__":
    main()
