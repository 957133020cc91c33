"""Learning neck and head alone, from features of the frozen backbone that are worked out once.

An epoch takes seconds instead of minutes, so that strong regularisation over
many epochs is affordable on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.errors import TrainingError
from embeddings.inference import for_inference
from embeddings.models.poster_net import PosterNet, PosterOutput
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData
from embeddings.training.distributed import ALONE, Processes
from embeddings.training.trainer import Trainer
from embeddings.training.views import FrozenPart, stored_view

_SMALLEST_SPREAD = 1e-2


class FrozenTrainer(Trainer):
    """Trains on standardised features; the standardisation is folded into the neck when weights are kept.

    View 0 of a poster is the poster itself, the others are changed copies;
    each time a poster is seen, one of them is drawn.
    """

    def __init__(
        self,
        net: PosterNet,
        data: TrainingData,
        config: TrainConfig,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        if not isinstance(net.neck[1], nn.Linear):
            raise TrainingError(
                "optim.frozen_views needs a neck that begins with dropout and a linear layer."
            )
        if processes.world > 1:
            raise TrainingError("optim.frozen_views trains in one process; start it without torchrun.")
        nn.init.zeros_(net.head.weight)  # the head begins at the genres' shares, whatever the neck says
        super().__init__(net, data, config, device, processes)
        weights = tuple(net.backbone.state_dict().values())
        # Runs share files by name and weights, and the same weights give more where levels are read.
        name = "levels" if net.spec.levels else "features"
        part = FrozenPart(name, for_inference(net, device).forward_features, weights)
        rows = np.arange(len(data.cache), dtype=np.int64)
        self.features = [
            stored_view(part, net, data, config, device, view, rows)
            for view in range(config.optim.frozen_views)
        ]
        plain = self.features[0][data.train].astype(np.float32)
        self._mean = torch.from_numpy(plain.mean(axis=0)).to(device)
        self._spread = torch.from_numpy(plain.std(axis=0) + _SMALLEST_SPREAD).to(device)

    def predict(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of the judged net from the features of view 0, float32, (len(rows), n_genres)."""
        net = self.judged.eval()
        with torch.inference_mode():
            parts = [
                net.head(net.neck(self._standardised(self.features[0][rows[start : start + 4096]])))
                for start in range(0, len(rows), 4096)
            ]
        return torch.cat(parts).float().cpu().numpy()

    def judged_state(self) -> dict[str, Tensor]:
        """Weights of the judged net that take features as the backbone gives them."""
        state = super().judged_state()
        mean, spread = self._mean.cpu(), self._spread.cpu()
        weight = state["neck.1.weight"] / spread
        return state | {"neck.1.weight": weight, "neck.1.bias": state["neck.1.bias"] - weight @ mean}

    def _batches(self, rows: NDArray[np.int64], size: int) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            views = torch.randint(len(self.features), (len(part),)).numpy()
            drawn = np.stack([self.features[view][row] for view, row in zip(views, part, strict=True)])
            yield self._standardised(drawn)[:, :, None, None], part

    def _changed(self, posters: Tensor, changes: torch.Generator) -> Tensor:
        return posters

    def _output(self, images: Tensor) -> PosterOutput:
        hidden = self.net.neck(images.flatten(1))
        logits = self.net.head(F.dropout(hidden, self.config.optim.head_dropout))
        return PosterOutput(F.normalize(hidden.float(), dim=-1), logits)

    def _thaw(self, epoch: int) -> None:
        self.net.train()
        self.net.backbone.eval().requires_grad_(False)

    def _standardised(self, features: NDArray[np.float16]) -> Tensor:
        return (torch.from_numpy(features).to(self.device, torch.float32) - self._mean) / self._spread
