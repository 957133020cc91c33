"""Mixed load for a while, with movies changing and the index renewed underneath: errors and memory.

python -m benchmarks.api_soak --home HOME --poster FILE [--minutes 30]

HOME is changed: work on a copy. A movie is put in and taken out and `onesheet
reindex` run, over and over, while a generator asks without a pause. Memory has
settled after ``--warm-up`` minutes, when the encoder is loaded and every kind
of question was asked; its growth is counted from there.
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
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.load_client import Load, get_request, run_load, upload_request
from benchmarks.served import Served, onesheet_server
from embeddings.errors import OnesheetError
from webui.client import OnesheetClient

_KEY = "a-key-of-the-soak"
_TURN_SECONDS = 20.0
_UPLOAD_EVERY = 100


@click.command()
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--poster", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--warm-up", default=5.0, show_default=True, help="Minutes after which memory must stand.")
@click.option("--rate", default=40.0, show_default=True, help="Requests due each second.")
def main(home: Path, poster: Path, minutes: float, warm_up: float, rate: float) -> None:
    """Run, then print one JSON document; exit 1 where an answer was not 200 or a reindex failed."""
    home = home.resolve()
    statuses: Counter[int] = Counter()
    memory: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "server.log"
        with onesheet_server(home, log, ONESHEET_API_KEYS=_KEY) as served:
            requests = _mixed(served, poster)
            changes = Changes(served, home, poster)
            end = time.monotonic() + minutes * 60
            while time.monotonic() < end:
                changes.go_on()
                load: Load = run_load(served.address, requests, _TURN_SECONDS, 4, rate)
                statuses.update(load.statuses)
                memory.append((served.resident_mb(), served.resident_mb("RssAnon")))
                click.echo(f"{dict(statuses)} {memory[-1][0]:.0f} MiB", err=True)
            changes.wait()
        refusals = _refusals(log)
    from_turn = min(int(warm_up * 60 / _TURN_SECONDS), len(memory) - 1)
    figures = {
        "minutes": minutes,
        "rate_per_second": rate,
        "statuses": dict(statuses),
        "refusals": refusals,
        "changes": changes.n_done,
        "changes_failed": changes.failures,
        "warm_up_minutes": warm_up,
        "memory_mb": _growth([whole for whole, _ in memory], from_turn),
        "memory_of_its_own_mb": _growth([own for _, own in memory], from_turn),
    }
    click.echo(json.dumps(figures, indent=2))
    if set(statuses) - {200} or changes.failures:
        sys.exit(1)


class Changes:
    """Puts a movie in, takes it out and runs `onesheet reindex`, in a thread beside the load.

    Args:
        served: The server.
        home: Its home.
        poster: Of the movie.
    """

    def __init__(self, served: Served, home: Path, poster: Path) -> None:
        self._served = served
        self._home = home
        self._poster = poster
        self._thread = threading.Thread(target=self._change)
        self.n_done = 0
        self.failures: list[str] = []
        """What each change that failed said."""

    def go_on(self) -> None:
        """Begin the next change, where the one before has ended."""
        if not self._thread.is_alive():
            self._thread = threading.Thread(target=self._change)
            self._thread.start()

    def wait(self) -> None:
        """Wait for the change under way."""
        self._thread.join()

    def _change(self) -> None:
        host, port = self._served.address
        try:
            with OnesheetClient(f"http://{host}:{port}", _KEY, timeout_seconds=120) as client:
                client.put_movie("soak-movie", "A movie that comes and goes", 2000, ["Drama"], self._poster)
                client.remove_movie("soak-movie")
        except OnesheetError as error:
            self.failures.append(str(error))
        command = ["-c", "from webui.cli import main; main()", "--home", str(self._home), "reindex"]
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=os.environ)
        if done.returncode:
            self.failures.append(f"reindex exit {done.returncode}: {done.stderr[-2000:]}")
        self.n_done += 1


def _growth(memory: Sequence[float], from_turn: int) -> dict[str, object]:
    settled, last = memory[from_turn], memory[-1]
    return {
        "settled": round(settled),
        "last": round(last),
        "growth_percent": round(100 * (last / settled - 1), 1),
        "by_turn": [round(one) for one in memory],
    }


def _refusals(log: Path) -> dict[str, int]:
    """How often the server said each sentence with a 503, or met a fault."""
    told: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8").splitlines():
        if '"event":"unavailable"' in line or '"event":"fault"' in line:
            record = json.loads(line)
            told[record.get("detail") or record.get("traceback", "")[-500:]] += 1
    return dict(told)


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


if __name__ == "__main__":
    main()
