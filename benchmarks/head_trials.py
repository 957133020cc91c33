"""What other heads, and consistency between changed copies, give on frozen nets: tried, and what each scored.

All rows learn from the same posters, with the same epochs, learning rates and mixup:

* pooled: neck and head on pooled features, as the bundled checkpoint has them.
* queries: a query for each genre attends to the places of the last maps, then scores itself (ML-Decoder:
  T. Ridnik et al., WACV 2023; no self-attention among queries).
* views: as pooled, each poster seen as itself or as one of its changed copies.
* consistency: as views; besides, two views of a poster, labelled or not, are to be believed alike
  (S. Laine and T. Aila, "Temporal Ensembling for Semi-Supervised Learning", ICLR 2017, the Pi-model).

The epoch is chosen on the validation side, the figure is of the test side.

Example: python -m benchmarks.head_trials ../shared/data/labels.csv ../shared/data/posters --work runs/heads \
    --init A.safetensors+B.safetensors
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from torch import Tensor, nn

from embeddings.evaluation.metrics import macro_columns
from embeddings.models.cut import Cut
from embeddings.training.cache import open_cache
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData, deal_sides, load_data
from embeddings.training.labels import find_posters, read_labels
from embeddings.training.start import first_net
from embeddings.training.views import FrozenPart, stored_view
from embeddings.transforms import Preprocessing

ARCH = "mobilenet_v2+efficientnet_lite0"
WIDTH, DROPOUT, BATCH, LR, WEIGHT_DECAY, MIXUP = 256, 0.4, 128, 1e-3, 0.05, 0.4
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Seen:
    """What the frozen nets see.

    Args:
        data: Movies, sides and targets.
        maps: Last maps of the posters themselves, float16, (n, h, w, c), mapped.
        views: Pooled features of the posters and of changed copies, float16, (n, c) each.
        unlabelled: The same of posters without genres.
    """

    data: TrainingData
    maps: NDArray[np.float16]
    views: list[NDArray[np.float16]]
    unlabelled: list[NDArray[np.float16]]


class Pooled(nn.Module):
    """Neck and head on pooled features."""

    def __init__(self, n_features: int, n_genres: int) -> None:
        super().__init__()
        self.neck = nn.Sequential(
            nn.BatchNorm1d(n_features, affine=False),
            nn.Dropout(DROPOUT),
            nn.Linear(n_features, WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.SiLU(),
        )
        self.head = nn.Linear(WIDTH, n_genres)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.neck(x.mean(dim=(1, 2)) if x.ndim == 4 else x))
        return logits


class Queries(nn.Module):
    """A query for each genre looks where it likes, and is scored by weights of its own."""

    def __init__(self, n_features: int, n_genres: int, heads: int = 8) -> None:
        super().__init__()
        self.places = nn.Sequential(nn.LayerNorm(n_features), nn.Linear(n_features, WIDTH), nn.ReLU())
        self.queries = nn.Parameter(torch.randn(n_genres, WIDTH) * 0.02)
        self.attention = nn.MultiheadAttention(WIDTH, heads, dropout=0.1, batch_first=True)
        self.mix = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Dropout(DROPOUT))
        self.narrow = nn.Linear(2 * WIDTH, WIDTH)
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])
        self.weight = nn.Parameter(torch.zeros(n_genres, WIDTH))
        self.bias = nn.Parameter(torch.zeros(n_genres))

    def forward(self, x: Tensor) -> Tensor:
        places = self.places(x.flatten(1, 2))
        queries = self.queries.expand(len(x), -1, -1)
        seen = self.norms[0](queries + self.attention(queries, places, places, need_weights=False)[0])
        seen = self.norms[1](seen + self.narrow(self.mix(seen)))
        return (F.dropout(seen, DROPOUT, self.training) * self.weight).sum(dim=2) + self.bias


def look(labels_file: Path, posters: Path, init: str, work: Path, n_views: int) -> Seen:
    """Run the frozen nets once; what they see is kept under ``work``."""
    config = TrainConfig().with_values(
        {"model.arch": ARCH, "model.init": init, "data.fractions": (0.75, 0.10, 0.15), "data.min_support": 20}
    )
    labels, model, device = read_labels(labels_file), config.model, torch.device("cpu")
    data = load_data(labels, posters, config, deal_sides(labels, posters, config.data), work / "cache")
    known = set(labels.labelled().movie_ids)
    without = find_posters(posters, sorted({path.stem for path in posters.iterdir()} - known))
    prepared = Preprocessing(model.width, model.height, model.fit, model.interpolation)
    others = replace(data, cache=open_cache(without, prepared, work / "cache"))
    net = first_net(config, data)
    cut = Cut(net.backbone, len(net.backbone.stages()))
    weights = tuple(net.backbone.state_dict().values())
    last = FrozenPart("last", lambda x: cut.trunk(x).permute(0, 2, 3, 1), weights)
    pooled = FrozenPart("features", net.forward_features, weights)

    def views(part: FrozenPart, of: TrainingData, n: int) -> list[NDArray[np.float16]]:
        rows = np.arange(len(of.cache), dtype=np.int64)
        return [stored_view(part, net, of, config, device, view, rows) for view in range(n)]

    return Seen(data, views(last, data, 1)[0], views(pooled, data, n_views), views(pooled, others, n_views))


def tensor(features: NDArray[np.float16]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(features)).float()


def of_maps(seen: Seen, rows: Rows, _rng: np.random.Generator) -> Tensor:
    return tensor(seen.maps[rows])


def of_the_poster(seen: Seen, rows: Rows, _rng: np.random.Generator) -> Tensor:
    return tensor(seen.views[0][rows])


def of_any_view(seen: Seen, rows: Rows, rng: np.random.Generator) -> Tensor:
    drawn = rng.integers(len(seen.views), size=len(rows))
    return tensor(np.stack([seen.views[view][row] for view, row in zip(drawn, rows, strict=True)]))


def disagreement(net: nn.Module, seen: Seen, rows: Rows, rng: np.random.Generator) -> Tensor:
    """Mean squared difference of what is believed of two views, of labelled rows and of others beside."""
    beside = rng.integers(len(seen.unlabelled[0]), size=len(rows) // 2)
    one, two = rng.permutation(len(seen.views))[:2]
    pair = [
        tensor(np.concatenate([seen.views[view][rows], seen.unlabelled[view][beside]])) for view in (one, two)
    ]
    with torch.no_grad():
        believed = torch.sigmoid(net(pair[0]))
    return (torch.sigmoid(net(pair[1])) - believed).square().mean()


@dataclass(frozen=True)
class Trial:
    """One row: a net, what it reads, and how much two views must agree."""

    net: Callable[[int, int], nn.Module]
    read: Callable[[Seen, Rows, np.random.Generator], Tensor]
    agree: float = 0.0


TRIALS = {
    "pooled": Trial(Pooled, of_the_poster),
    "queries": Trial(Queries, of_maps),
    "views": Trial(Pooled, of_any_view),
    "consistency 5": Trial(Pooled, of_any_view, 5.0),
    "consistency 30": Trial(Pooled, of_any_view, 30.0),
}


def learn(trial: Trial, seen: Seen, seed: int, epochs: int) -> tuple[float, float]:
    """Train one row; mAP on the validation side, and on the test side of the epoch that is best there."""
    data, rng = seen.data, np.random.default_rng(seed)
    torch.manual_seed(seed)
    net = trial.net(seen.maps.shape[3], len(data.genres))
    optimizer = torch.optim.AdamW(net.parameters(), LR, weight_decay=WEIGHT_DECAY)
    n_steps = len(data.train) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=epochs * n_steps, pct_start=0.1)
    best = (0.0, 0.0)
    for _ in range(epochs):
        net.train()
        for rows in np.array_split(rng.permutation(data.train)[: n_steps * BATCH], n_steps):
            x, y = trial.read(seen, rows, rng), torch.from_numpy(data.hard[rows])
            share, other = float(rng.beta(MIXUP, MIXUP)), torch.randperm(len(rows))
            x, y = x * share + x[other] * (1 - share), y * share + y[other] * (1 - share)
            loss = F.binary_cross_entropy_with_logits(net(x), y)
            if trial.agree:
                loss = loss + trial.agree * disagreement(net, seen, rows, rng)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        best = max(best, (judge(net, trial, seen, data.validation), judge(net, trial, seen, data.test)))
    return best


def judge(net: nn.Module, trial: Trial, seen: Seen, rows: Rows) -> float:
    """Mean average precision over the genres with enough posters on that side."""
    net.eval()
    source = seen.maps if trial.read is of_maps else seen.views[0]
    with torch.inference_mode():
        logits = torch.cat([net(tensor(source[part])) for part in np.array_split(rows, len(rows) // 256 + 1)])
    truth = seen.data.hard[rows]
    columns = macro_columns(truth)
    return float(average_precision_score(truth[:, columns], logits.numpy()[:, columns], average="macro"))


@click.command()
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("posters", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--init", required=True, help="Weights of both nets, A.safetensors+B.safetensors.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--views", default=4, show_default=True, help="The poster and its changed copies.")
@click.option("--seeds", default=3, show_default=True)
@click.option("--epochs", default=12, show_default=True)
def main(labels: Path, posters: Path, init: str, work: Path, views: int, seeds: int, epochs: int) -> None:
    """Train and judge every row for each seed, and print the figures as JSON."""
    seen, table = look(labels, posters, init, work, views), {}
    for name, trial in TRIALS.items():
        figures = np.array([learn(trial, seen, seed, epochs) for seed in range(seeds)])
        mean, spread = figures.mean(axis=0), figures.std(axis=0, ddof=1 if seeds > 1 else 0)
        table[name] = {
            "validation_map": round(float(mean[0]), 4),
            "test_map": round(float(mean[1]), 4),
            "test_map_spread": round(float(spread[1]), 4),
        }
        click.echo(f"{name}: {table[name]}", err=True)
    click.echo(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
