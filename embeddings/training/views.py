"""What frozen stages see in posters and in changed copies: worked out once, kept beside the pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from embeddings.models.poster_net import PosterNet
from embeddings.streams import Looks
from embeddings.training.augment import augment
from embeddings.training.batches import batches_of
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData

_BATCH = 64


@dataclass(frozen=True)
class FrozenPart:
    """The part of a net that does not learn.

    Args:
        name: First part of its files' names.
        look: Gives what it sees, (n, ...), of RGB in [0, 1], (n, 3, h, w).
        weights: What decides that: runs whose frozen part is the same share what it sees.
    """

    name: str
    look: Callable[[Tensor], Tensor]
    weights: tuple[Tensor, ...]


def stored_view(
    part: FrozenPart,
    net: PosterNet,
    data: TrainingData,
    config: TrainConfig,
    device: torch.device,
    view: int,
    rows: NDArray[np.int64],
) -> NDArray[np.float16]:
    """What the frozen part sees in one view of posters, float16, (len(rows), ...), mapped read-only.

    Args:
        part: The frozen part of ``net``.
        net: The net, as the run begins with it.
        data: The run's posters.
        config: The run's settings.
        device: Where the net runs.
        view: 0 is the poster itself, the others are changed copies.
        rows: Rows of the cache.
    """
    path = data.cache.folder / f"{part.name}-{_key(part, config, view, rows)}.npy"
    if not path.is_file():
        changes = torch.Generator().manual_seed(config.seed * 1000 + view)
        aside, done, stored = path.with_suffix(".new"), 0, None
        net.eval()
        with (
            torch.inference_mode(),
            closing(Looks(part.look, device)) as look,
            tqdm(total=len(rows), desc=f"{part.name}, view {view}", unit="poster", disable=None) as bar,
        ):
            for pixels, _ in batches_of(data.cache.pixels, rows, _BATCH, device):
                images = augment(pixels, config.augment, changes) if view else pixels.float() / 255
                seen = look(images).to(torch.float16).cpu().numpy()
                if stored is None:
                    shape = (len(rows), *seen.shape[1:])
                    stored = np.lib.format.open_memmap(aside, "w+", np.float16, shape)
                stored[done : done + len(seen)] = seen
                done += len(seen)
                bar.update(len(seen))
        if stored is not None:
            stored.flush()
        aside.replace(path)
    kept: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
    return kept


def _key(part: FrozenPart, config: TrainConfig, view: int, rows: NDArray[np.int64]) -> str:
    """Names what decides the content: the weights and, for changed views, the changes."""
    digest = hashlib.sha256(f"{view} {len(part.weights)}".encode() + rows.tobytes())
    for value in part.weights:
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    if view:
        changes = config.augment.model_dump_json(exclude={"mixup", "cutmix", "mix_chance"})
        digest.update(f"{config.seed} {changes}".encode())
    return digest.hexdigest()[:16]
