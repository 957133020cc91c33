"""How near training comes to what the net itself allows.

* bound: forward and backward of the net on random tensors that lie ready, batch after batch.
* loop: one real epoch: decoded posters read from the cache, augmented, forward, backward, clipping,
  AdamW, moving average.

Both use the same net, batch, number format and memory layout. They take turns, so that what else
happens on the machine meets both; beside posters per second of the wall clock stand milliseconds of
processor time per poster, which other programs disturb less. The first turn warms up.

Example: python benchmarks/training_speed.py ../shared/data/labels.csv ../shared/data/posters -n 512
"""

from __future__ import annotations

import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch
import torch.nn.functional as F

from embeddings.devices import choose_device
from embeddings.training.config import TrainConfig
from embeddings.training.data import load_data
from embeddings.training.labels import find_posters, read_labels
from embeddings.training.splits import Split
from embeddings.training.start import build_net
from embeddings.training.trainer import Trainer


def bound(trainer: Trainer, n: int) -> None:
    """Forward and backward of about n random posters."""
    model, size = trainer.config.model, trainer.config.batch_size
    images = torch.rand(size, 3, model.height, model.width, device=trainer.device)
    images = images.contiguous(memory_format=torch.channels_last)
    targets = torch.rand(size, len(trainer.data.genres), device=trainer.device)
    trainer.net.train()
    for _ in range(n // size):
        with trainer.autocast():
            logits = trainer.net(images).logits
        F.binary_cross_entropy_with_logits(logits.float(), targets).backward()
        trainer.net.zero_grad(set_to_none=True)


def measure(run: Callable[[], None], n: int, device: torch.device) -> tuple[float, float]:
    """Posters per second, and milliseconds of processor time per poster."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return n / (time.perf_counter() - wall), (time.process_time() - cpu) / n * 1000


def make_trainer(labels_file: Path, posters_dir: Path, n: int, config: TrainConfig, cache: Path) -> Trainer:
    """A trainer on the first n labelled posters."""
    labels = read_labels(labels_file).labelled()
    ids = tuple(find_posters(posters_dir, labels.movie_ids))[: n + 16]
    split = Split(ids[:n], ids[n:], ())
    data = load_data(labels, posters_dir, config, split, cache)
    return Trainer(build_net(config, len(data.genres)), data, config, choose_device(config.device))


@click.command()
@click.argument("labels_file", type=click.Path(path_type=Path))
@click.argument("posters_dir", type=click.Path(path_type=Path))
@click.option("-n", default=256, show_default=True, help="Posters per turn.")
@click.option("--turns", default=4, show_default=True)
@click.option("--arch", default="mobilenet_v2", show_default=True)
@click.option("--batch-size", default=32, show_default=True)
@click.option("--width", default=160, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("--compile", "compiled", is_flag=True, help="Run the net of the loop through torch.compile.")
def main(
    labels_file: Path,
    posters_dir: Path,
    n: int,
    turns: int,
    arch: str,
    batch_size: int,
    width: int,
    device: str,
    compiled: bool,
) -> None:
    """Measure the training loop beside its bound; JSON on stdout."""
    config = TrainConfig().with_values(
        {
            "model.arch": arch,
            "model.init": "none",
            "model.width": width,
            "model.height": width * 3 // 2,
            "batch_size": batch_size,
            "data.min_support": 5,
            "device": device,
            "compile": compiled,
        }
    )
    n -= n % batch_size
    loops, bounds = [], []
    with tempfile.TemporaryDirectory() as cache:
        trainer = make_trainer(labels_file, posters_dir, n, config, Path(cache))
        for turn in range(turns + 1):
            of_bound = measure(lambda: bound(trainer, n), n, trainer.device)
            of_loop = measure(lambda turn=turn: trainer.run_epoch(turn), n, trainer.device)  # type: ignore[misc]
            click.echo(f"turn {turn}: bound {of_bound[0]:.1f}/s, loop {of_loop[0]:.1f}/s", err=True)
            if turn:
                bounds.append(of_bound)
                loops.append(of_loop)
    middle = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in (("bound", bounds), ("loop", loops))
    }
    document = {
        "device": str(trainer.device),
        "machine": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "settings": {"arch": arch, "batch_size": batch_size, "width": width, "n": n},
        "posters_per_second": {name: round(values[0], 1) for name, values in middle.items()},
        "cpu_ms_per_poster": {name: round(values[1], 2) for name, values in middle.items()},
        "loop_share_of_bound": round(middle["loop"][0] / middle["bound"][0], 3),
        "loop_share_of_bound_by_cpu_time": round(middle["bound"][1] / middle["loop"][1], 3),
    }
    click.echo(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
