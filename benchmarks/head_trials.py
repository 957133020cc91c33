"""What query heads, and agreement between changed copies, give on frozen nets beside a plain neck and head.

All rows learn from the same posters and labels in the same order, with the same mixup, weight decay, schedule
and epochs; every head begins at each genre's share:

* pooled: neck and head on pooled features.
* queries: a query for each genre attends to the places of the last maps, then scores itself (ML-Decoder:
  T. Ridnik et al., WACV 2023; no self-attention among queries); at two learning rates.
* views: as pooled, each poster seen as itself or as one of its changed copies.
* consistency: as views; besides, two views of a poster, labelled or not, are to be believed alike, with a
  weight that rises over the first third (the Pi-model: S. Laine and T. Aila, "Temporal Ensembling for
  Semi-Supervised Learning", ICLR 2017); at two weights.

The epoch is chosen on the validation side, the figure is of the test side; mean and standard deviation
over seeds. What the frozen nets see is kept under ``--work``.

Example: python -m benchmarks.head_trials ../shared/data/labels.csv ../shared/data/posters --work runs/heads \
    --init A.safetensors+B.safetensors
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.devices import autocast_dtype
from embeddings.evaluation.metrics import average_precisions, macro_columns
from embeddings.inference import for_inference
from embeddings.models.cut import Cut
from embeddings.training.cache import open_cache
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData, deal_sides, load_data
from embeddings.training.labels import find_posters, read_labels
from embeddings.training.start import build_net
from embeddings.training.views import FrozenPart, stored_view
from embeddings.transforms import Preprocessing

ARCH = "mobilenet_v2+efficientnet_lite0"
WIDTH, DROPOUT, WEIGHT_DECAY, MIXUP, RISE = 256, 0.4, 0.05, 0.4, 1 / 3
CPU = torch.device("cpu")
Rows = NDArray[np.int64]
Seen16 = NDArray[np.float16]


@dataclass(frozen=True)
class Seen:
    """What the frozen nets see.

    Args:
        data: Movies, sides and targets.
        maps: Last maps of the posters themselves, float16, (n, h, w, c), mapped.
        views: Pooled features of the posters, then of changed copies (training rows alone), (n, c) each.
        unlabelled: The same of posters without genres.
    """

    data: TrainingData
    maps: Seen16
    views: list[Seen16]
    unlabelled: list[Seen16]


class Pooled(nn.Module):
    """Neck and head on pooled features, which the first layer standardises."""

    def __init__(self, n_features: int, prior: Tensor) -> None:
        super().__init__()
        self.neck = nn.Sequential(
            nn.BatchNorm1d(n_features, affine=False),
            nn.Dropout(DROPOUT),
            nn.Linear(n_features, WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.SiLU(),
        )
        self.head = nn.Linear(WIDTH, len(prior))
        nn.init.zeros_(self.head.weight)
        self.head.bias = nn.Parameter(prior.clone())

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.neck(x))
        return logits


class Queries(nn.Module):
    """A query for each genre looks where it likes, and is scored by weights of its own."""

    def __init__(self, n_features: int, prior: Tensor) -> None:
        super().__init__()
        self.places = nn.Sequential(nn.Linear(n_features, WIDTH), nn.ReLU())
        self.queries = nn.Parameter(torch.randn(len(prior), WIDTH) * 0.02)
        self.attention = nn.MultiheadAttention(WIDTH, 8, dropout=0.1, batch_first=True)
        self.mix = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(2 * WIDTH, WIDTH)
        )
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])
        self.weight = nn.Parameter(torch.zeros(len(prior), WIDTH))
        self.bias = nn.Parameter(prior.clone())

    def forward(self, x: Tensor) -> Tensor:
        places = self.places(x.flatten(1, 2))
        queries = self.queries.expand(len(x), -1, -1)
        seen = self.norms[0](queries + self.attention(queries, places, places, need_weights=False)[0])
        seen = self.norms[1](seen + self.mix(seen))
        return (F.dropout(seen, DROPOUT, self.training) * self.weight).sum(dim=2) + self.bias


def of_maps(seen: Seen, rows: Rows, _rng: np.random.Generator) -> Tensor:
    # Narrow from the start: forty times as many numbers as pooled features have.
    return torch.from_numpy(seen.maps[rows]).to(autocast_dtype(CPU) or torch.float32)


def of_the_poster(seen: Seen, rows: Rows, _rng: np.random.Generator) -> Tensor:
    return wide(seen.views[0][rows])


def of_any_view(seen: Seen, rows: Rows, rng: np.random.Generator) -> Tensor:
    drawn = rng.integers(len(seen.views), size=len(rows))
    return wide(np.stack([seen.views[view][row] for view, row in zip(drawn, rows, strict=True)]))


def wide(features: Seen16) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(features)).float()


@dataclass(frozen=True)
class Trial:
    """One row: a net, what it reads, its learning rate, and how much two views must agree."""

    net: Callable[[int, Tensor], nn.Module]
    read: Callable[[Seen, Rows, np.random.Generator], Tensor]
    lr: float = 1e-3
    agree: float = 0.0


TRIALS = {
    "pooled": Trial(Pooled, of_the_poster),
    "queries, lr 1e-3": Trial(Queries, of_maps),
    "queries, lr 3e-4": Trial(Queries, of_maps, 3e-4),
    "views": Trial(Pooled, of_any_view),
    "consistency 5": Trial(Pooled, of_any_view, agree=5.0),
    "consistency 30": Trial(Pooled, of_any_view, agree=30.0),
}


def look(labels_file: Path, posters: Path, config: TrainConfig, work: Path, n_views: int) -> Seen:
    """Run the frozen nets once; what they see is kept under ``work``."""
    labels, model = read_labels(labels_file), config.model
    data = load_data(labels, posters, config, deal_sides(labels, posters, config.data), work / "cache")
    known = set(labels.labelled().movie_ids)
    without = find_posters(posters, sorted({path.stem for path in posters.iterdir()} - known))
    prepared = Preprocessing(model.width, model.height, model.fit, model.interpolation)
    others = replace(data, cache=open_cache(without, prepared, work / "cache"))
    net = build_net(config, len(data.genres))
    weights = tuple(net.backbone.state_dict().values())
    fast = for_inference(net, CPU)
    cut = Cut(fast.backbone, len(fast.backbone.stages()))
    last = FrozenPart("last", lambda x: cut.trunk(x).permute(0, 2, 3, 1), weights)
    pooled = FrozenPart("pooled", fast.forward_features, weights)

    def everything(of: TrainingData) -> Rows:
        return np.arange(len(of.cache), dtype=np.int64)

    def views(plain: Seen16, of: TrainingData, learnt: Rows) -> list[Seen16]:
        copies = [np.zeros_like(plain) for _ in range(1, n_views)]
        for view, copy in enumerate(copies, start=1):
            copy[learnt] = stored_view(pooled, fast, of, config, CPU, view, learnt)
        return [plain, *copies]

    maps = stored_view(last, fast, data, config, CPU, 0, everything(data))
    # Both nets pool by the mean over places.
    plain = np.stack([places.mean(axis=(0, 1), dtype=np.float32) for places in maps]).astype(np.float16)
    beside = np.array(stored_view(pooled, fast, others, config, CPU, 0, everything(others)))
    return Seen(data, maps, views(plain, data, data.train), views(beside, others, everything(others)))


def disagreement(net: nn.Module, seen: Seen, rows: Rows, rng: np.random.Generator) -> Tensor:
    """Mean squared difference of what is believed of two views, of labelled rows and of others beside."""
    beside = rng.integers(len(seen.unlabelled[0]), size=len(rows) // 2)
    one, two = (
        torch.sigmoid(net(wide(np.concatenate([seen.views[view][rows], seen.unlabelled[view][beside]]))))
        for view in rng.permutation(len(seen.views))[:2]
    )
    return (one.float() - two.float()).square().mean()


def narrow() -> torch.autocast:
    """The number format of the product's own training, as a context."""
    dtype = autocast_dtype(CPU)
    return torch.autocast("cpu", dtype, dtype is not None)


def learn(trial: Trial, seen: Seen, seed: int, epochs: int, batch: int) -> tuple[float, float]:
    """Train one row; mAP on the validation side, and on the test side of the epoch that is best there."""
    data = seen.data
    # What all rows share is drawn apart from what only some draw.
    order, own = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    torch.manual_seed(seed)
    prior = torch.logit(torch.from_numpy(data.hard[data.train].mean(axis=0)), eps=1e-3)
    net = trial.net(seen.maps.shape[3], prior)
    optimizer = torch.optim.AdamW(net.parameters(), trial.lr, weight_decay=WEIGHT_DECAY)
    n_steps = len(data.train) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, trial.lr, total_steps=epochs * n_steps)
    best = (0.0, 0.0)
    for epoch in range(epochs):
        net.train()
        for step, rows in enumerate(order.permutation(data.train)[: n_steps * batch].reshape(n_steps, batch)):
            x, y = trial.read(seen, rows, own), torch.from_numpy(data.hard[rows])
            share, other = float(order.beta(MIXUP, MIXUP)), order.permutation(batch)
            x, y = x * share + x[other] * (1 - share), y * share + y[other] * (1 - share)
            with narrow():
                loss = F.binary_cross_entropy_with_logits(net(x).float(), y)
                if trial.agree:
                    risen = min(1.0, (epoch + step / n_steps) / (epochs * RISE))
                    weight = trial.agree * math.exp(-5 * (1 - risen) ** 2)
                    loss = loss + weight * disagreement(net, seen, rows, own)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        figure = judge(net, trial, seen, data.validation)
        if figure > best[0]:
            best = (figure, judge(net, trial, seen, data.test))
    return best


def judge(net: nn.Module, trial: Trial, seen: Seen, rows: Rows) -> float:
    """Mean average precision over the genres with enough posters on that side, posters unchanged."""
    net.eval()
    source = seen.maps if trial.read is of_maps else seen.views[0]
    with torch.inference_mode():
        logits = torch.cat([net(wide(source[part])) for part in np.array_split(rows, len(rows) // 256 + 1)])
    truth = seen.data.hard[rows]
    return float(average_precisions(truth, logits.numpy())[macro_columns(truth)].mean())


@click.command()
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("posters", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--init", required=True, help="Weights of both nets, A.safetensors+B.safetensors.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--limit", default=0, help="Use only so many movies; 0 uses all.")
@click.option("--width", default=160, show_default=True, help="Pixels of the input, 2:3.")
@click.option("--views", default=4, show_default=True, help="The poster and its changed copies.")
@click.option("--seeds", default=3, show_default=True)
@click.option("--epochs", default=12, show_default=True)
@click.option("--batch-size", default=128, show_default=True)
def main(labels: Path, posters: Path, init: str, work: Path, **sizes: int) -> None:
    """Train and judge every row for each seed, and print the figures as JSON."""
    settings: dict[str, Any] = {"model.arch": ARCH, "model.init": init, "data.limit": sizes["limit"]}
    settings |= {"model.width": sizes["width"], "model.height": sizes["width"] * 3 // 2}
    settings |= {"data.fractions": (0.75, 0.10, 0.15), "data.min_support": 20}
    seen, table = look(labels, posters, TrainConfig().with_values(settings), work, sizes["views"]), {}
    for name, trial in TRIALS.items():
        started = time.perf_counter()
        figures = np.array(
            [learn(trial, seen, seed, sizes["epochs"], sizes["batch_size"]) for seed in range(sizes["seeds"])]
        )
        mean, spread = figures.mean(axis=0), figures.std(axis=0, ddof=min(1, len(figures) - 1))
        table[name] = {
            "validation_map": round(float(mean[0]), 4),
            "test_map": round(float(mean[1]), 4),
            "test_map_spread": round(float(spread[1]), 4),
            "seconds": round(time.perf_counter() - started),
        }
        click.echo(f"{name}: {table[name]}", err=True)
    click.echo(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
