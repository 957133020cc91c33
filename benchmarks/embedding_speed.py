"""How fast posters become vectors: the whole pipeline, its bound, and the loop one would write first.

* one_pass: the encoder's fast net on pixels that lie ready in memory, all cores on each layer.
* bound: the same in streams, one per core, as the encoder does it; nothing is read.
* pipeline: ``Encoder.encode_batches`` from files to unit vectors and probabilities.
* plain: PIL + DataLoader with two worker processes + the same net as it was trained, float32, eager.

They take turns, so that what else happens on the machine meets all of them.
Beside posters per second of the wall clock stand milliseconds of processor
time per poster, which other programs disturb less. The first turn warms up.

Example: python benchmarks/embedding_speed.py --posters ../shared/data/posters -n 512
"""

from __future__ import annotations

import json
import platform
import resource
import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from embeddings.encoded import Poster
from embeddings.encoder import Encoder
from embeddings.inference import for_inference
from embeddings.streams import Answer, Streams

Task = Callable[[], None]


class PlainPosters(Dataset[torch.Tensor]):
    """Float RGB in [0, 1], opened and resized by PIL alone."""

    def __init__(self, paths: list[Path], size: tuple[int, int]) -> None:
        self.paths = paths
        self.size = size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> torch.Tensor:
        with Image.open(self.paths[i]) as image:
            pixels = np.array(image.convert("RGB").resize(self.size, Image.Resampling.BICUBIC))
        return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255.0


def random_pixels(encoder: Encoder, batch_size: int) -> NDArray[np.uint8]:
    width, height = encoder.manifest.preprocessing.size
    return np.random.default_rng(0).integers(0, 255, (batch_size, height, width, 3), dtype=np.uint8)


def one_pass(encoder: Encoder, n: int, batch_size: int) -> Task:
    net = for_inference(encoder.net, encoder.device)
    batch = torch.from_numpy(random_pixels(encoder, batch_size)).permute(0, 3, 1, 2)

    def run() -> None:
        with torch.inference_mode():
            for start in range(0, n, batch_size):
                net(batch[: n - start].to(encoder.device)).embedding.cpu()

    return run


def bound(encoder: Encoder, n: int, batch_size: int) -> Task:
    streams = Streams(for_inference(encoder.net, encoder.device), encoder.device)
    pixels = random_pixels(encoder, batch_size)

    def run() -> None:
        running: deque[Callable[[], Answer]] = deque()
        for start in range(0, n, batch_size):
            running.append(streams.start(pixels[: n - start]))
            if len(running) == 2:
                running.popleft()()
        for answer in running:
            answer()

    return run


def pipeline(encoder: Encoder, paths: list[Path], batch_size: int, workers: int | None) -> Task:
    def run() -> None:
        encoded = encoder.encode_batches((Poster(p.stem, p) for p in paths), batch_size, workers)
        if sum(len(part) for part in encoded) != len(paths):
            raise SystemExit("some posters could not be read: choose a folder of sound ones")

    return run


def plain(encoder: Encoder, paths: list[Path], batch_size: int) -> Task:
    # channels_last, bfloat16 and folding are what the encoder adds; this is the net as it was loaded.
    net = encoder.net.to(encoder.device)
    dataset = PlainPosters(paths, encoder.manifest.preprocessing.size)

    def run() -> None:
        rows = []
        with torch.no_grad():
            for batch in DataLoader(dataset, batch_size, num_workers=2):
                rows.append(net(batch.to(encoder.device)).embedding.cpu().numpy())
        np.concatenate(rows)

    return run


def cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(tasks: dict[str, Task], n: int, rounds: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds after the first, of posters per second and processor time per poster."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in tasks}
    for _ in range(rounds + 1):
        for name, task in tasks.items():
            wall, cpu = time.perf_counter(), cpu_seconds()
            task()
            seen[name].append((n / (time.perf_counter() - wall), (cpu_seconds() - cpu) / n * 1e3))
    return {
        name: {
            "posters_per_second": round(statistics.median(rate for rate, _ in runs[1:]), 1),
            "cpu_ms_per_poster": round(statistics.median(ms for _, ms in runs[1:]), 2),
        }
        for name, runs in seen.items()
    }


@click.command()
@click.option("--posters", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("-n", "n", type=click.IntRange(1), default=512, show_default=True, help="Posters per turn.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1), default=None, help="Decoding threads; default one per core."
)
@click.option("--model", type=click.Path(file_okay=False, path_type=Path), default=None)
@click.option("--device", default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(
    posters: Path,
    n: int,
    rounds: int,
    batch_size: int,
    workers: int | None,
    model: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Time the pipeline beside its bound and beside the plain loop."""
    encoder = Encoder.load(model, device)
    paths = sorted(posters.glob("*.jpg"))[:n]
    for path in paths:
        path.read_bytes()
    tasks = {
        "one_pass": one_pass(encoder, len(paths), batch_size),
        "bound": bound(encoder, len(paths), batch_size),
        "pipeline": pipeline(encoder, paths, batch_size, workers),
        "plain": plain(encoder, paths, batch_size),
    }
    rows = measure(tasks, len(paths), rounds)
    rates = {name: row["posters_per_second"] for name, row in rows.items()}
    report = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "device": torch.cuda.get_device_name() if encoder.device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "arch": encoder.manifest.arch,
        "posters": len(paths),
        "batch_size": batch_size,
        "rows": rows,
        "pipeline_of_bound": round(rates["pipeline"] / max(rates["one_pass"], rates["bound"]), 3),
        "pipeline_over_plain": round(rates["pipeline"] / rates["plain"], 2),
    }
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo(f"{report['arch']} on {report['device']} ({report['machine']}), torch {report['torch']}")
    for name, row in rows.items():
        rate, spent = row["posters_per_second"], row["cpu_ms_per_poster"]
        click.echo(f"{name:>9} {rate:8.1f} posters/s {spent:8.2f} ms of processor each")
    click.echo(
        f"pipeline / bound {report['pipeline_of_bound']}, pipeline / plain {report['pipeline_over_plain']}"
    )


if __name__ == "__main__":
    main()
