"""Learning the last stages of a backbone from maps that its frozen stages gave once.

Most of the time of fine-tuning goes into stages that do not learn, at the
poster's full size. Here they are run once for the posters and for some changed
copies; an epoch then costs what its last stages cost, so that several times as
many epochs are affordable on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.inference import for_inference
from embeddings.models.cut import Cut
from embeddings.models.poster_net import PosterNet, PosterOutput
from embeddings.training.batches import read_ahead
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData
from embeddings.training.distributed import ALONE, Processes
from embeddings.training.trainer import Trainer
from embeddings.training.views import FrozenPart, stored_view

_BATCH = 64


class StagedTrainer(Trainer):
    """Trains all but the first ``optim.freeze_stages`` stages, from ``optim.frozen_views`` views of the maps.

    View 0 of a poster is the poster itself, the others are changed copies;
    each time a poster is seen, one of them is drawn and mirrored by chance.
    """

    def __init__(
        self,
        net: PosterNet,
        data: TrainingData,
        config: TrainConfig,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        super().__init__(net, data, config, device, processes)
        n_frozen = config.optim.freeze_stages
        learning = Cut(self.net.backbone, n_frozen)
        self._module = _Rest(self.net, learning)
        self._judging = _Rest(self.judged, Cut(self.judged.backbone, n_frozen))
        trunk = Cut(for_inference(net, device).backbone, n_frozen).trunk
        # Kept as the nets lay maps out: channels last.
        part = FrozenPart("maps", lambda x: trunk(x).permute(0, 2, 3, 1), learning.trunk_weights())
        everything = np.arange(len(data.cache), dtype=np.int64)
        # The parts of k-fold training learn from one another's validation sides: their copies are shared.
        learnt = np.union1d(data.train, data.validation) if config.data.folds else data.train
        n_views = config.optim.frozen_views
        rows_of = [everything if view == 0 else learnt for view in range(n_views)]
        for view in range(processes.rank, n_views, processes.world):
            stored_view(part, net, data, config, device, view, rows_of[view])
        processes.wait()
        self._views = [
            stored_view(part, net, data, config, device, view, rows) for view, rows in enumerate(rows_of)
        ]
        self._place_of = np.full(len(data.cache), -1, dtype=np.int64)
        self._place_of[learnt] = np.arange(len(learnt))

    def predict(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of the judged net from the maps of view 0, float32, (len(rows), n_genres)."""
        rest = self._judging.eval()
        with torch.inference_mode(), self.autocast():
            logits = [
                rest(self._tensor(self._views[0][rows[start : start + _BATCH]])).logits.float().cpu()
                for start in range(0, len(rows), _BATCH)
            ]
        return torch.cat(logits).numpy()

    def _batches(self, rows: NDArray[np.int64], size: int) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        # Drawn before reading begins: a thread's draws would come in no order.
        views = torch.randint(len(self._views), (len(rows),)).numpy()

        def read(places: NDArray[np.int64]) -> tuple[Tensor, NDArray[np.int64]]:
            part = rows[places]
            drawn = np.stack([self._map(row, view) for row, view in zip(part, views[places], strict=True)])
            return torch.from_numpy(drawn), part

        for maps, part in read_ahead(read, np.arange(len(rows)), size):
            yield self._tensor(maps), part

    def _map(self, row: int, view: int) -> NDArray[np.float16]:
        stored: NDArray[np.float16] = self._views[view][row if view == 0 else self._place_of[row]]
        return stored

    def _changed(self, posters: Tensor, changes: torch.Generator) -> Tensor:
        """Mirror maps by chance: nearly what the mirrored poster would have given."""
        mirrored = torch.rand(len(posters), generator=changes) < self.config.augment.flip
        chosen = mirrored.to(posters.device).view(-1, 1, 1, 1)
        return torch.where(chosen, posters.flip(3), posters).contiguous(memory_format=torch.channels_last)

    def _tensor(self, maps: NDArray[np.float16] | Tensor) -> Tensor:
        tensor = torch.from_numpy(maps) if isinstance(maps, np.ndarray) else maps
        return tensor.permute(0, 3, 1, 2).to(self.device, self._dtype or torch.float32)


class _Rest(nn.Module):
    """A net from the cut on, as one module: what ``DistributedDataParallel`` wraps."""

    def __init__(self, net: PosterNet, cut: Cut) -> None:
        super().__init__()
        self.net, self._cut = net, cut

    def forward(self, maps: Tensor) -> PosterOutput:
        return self.net.forward_head(self._cut.rest(maps))
