"""The encoder alone, on one poster: what an upload is measured beside.

python -m benchmarks.bare_forward POSTER [--times 25]

``plain_ms`` is the checkpoint's net as a user of torch would run it: loaded,
in evaluation mode, without gradients, on the pixels of the poster, with as
many threads as torch takes by itself. ``ready_ms`` is the same made ready for
answering, as the server runs it (``embeddings/inference.py``). Medians.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch

from embeddings.encoder import Encoder
from embeddings.transforms import read_pixels
from indexer.settings import load_settings

_WARMING = 5


@click.command()
@click.argument("poster", type=click.Path(path_type=Path, exists=True))
@click.option("--times", default=25, show_default=True)
def main(poster: Path, times: int) -> None:
    """Measure and print one JSON document."""
    encoder = Encoder.load(load_settings(None, dict(os.environ)).model)
    pixels = np.stack([read_pixels(poster, encoder.manifest.preprocessing)])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    with torch.inference_mode():
        plain = _median_ms(lambda: encoder.net(batch), times)
    ready = _median_ms(lambda: encoder.encode_pixels(pixels), times)
    click.echo(json.dumps({"plain_ms": round(plain, 2), "ready_ms": round(ready, 2)}))


def _median_ms(work: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(_WARMING + times):
        started = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took[_WARMING:])


if __name__ == "__main__":
    main()
