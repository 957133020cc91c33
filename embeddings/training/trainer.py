"""One net, its optimiser and its moving average; one epoch at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from embeddings.devices import autocast_dtype
from embeddings.errors import TrainingError
from embeddings.models.groups import freeze_backbone, param_groups
from embeddings.models.poster_net import PosterNet, PosterOutput
from embeddings.training.augment import augment
from embeddings.training.batches import batches_of
from embeddings.training.config import TrainConfig
from embeddings.training.contrastive import genre_contrast
from embeddings.training.data import TrainingData
from embeddings.training.distributed import ALONE, Processes
from embeddings.training.losses import make_loss
from embeddings.training.mixing import make_mixer
from embeddings.training.samplers import get_sampler
from embeddings.training.schedules import Progress, make_schedule


@dataclass(frozen=True)
class EpochResult:
    """What one epoch of learning showed.

    Args:
        loss: Mean training loss.
        lr: Learning rate of neck and head at its end.
        images_per_second: Posters learnt from per second, over all processes.
    """

    loss: float
    lr: float
    images_per_second: float


class Trainer:
    """Trains a net on data by a config.

    Args:
        net: The net, with its first weights.
        data: Decoded posters and targets.
        config: The run's settings.
        device: Where it runs.
        processes: Which of how many.
    """

    def __init__(
        self,
        net: PosterNet,
        data: TrainingData,
        config: TrainConfig,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        self.config, self.data, self.device, self.processes = config, data, device, processes
        self.net = net.to(device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = _make_optimizer(self.net, config)
        self.ema = _moving_average(self.net, config.optim.ema_decay) if config.optim.ema_decay else None
        self._schedule = make_schedule(
            config.optim.schedule, config.optim.warmup_epochs, config.optim.schedule_options
        )
        self._sampler = get_sampler(config.sampler)
        self._loss = make_loss(config.loss.name, data.counts(), config.loss.options)
        self._mix = make_mixer(config.augment)
        self._dtype = _dtype(config, device)
        self._prior = torch.from_numpy(data.hard[data.train].mean(axis=0)).to(device)
        self._module: nn.Module = self.net
        self._forward: Callable[..., Any] = self.net
        self._frozen_as: int | None = -1

    @property
    def judged(self) -> PosterNet:
        """The net that is judged and kept: the moving average where there is one."""
        if self.ema is None:
            return self.net
        averaged: PosterNet = self.ema.module  # type: ignore[assignment]
        return averaged

    def run_epoch(self, epoch: int, figures: Sequence[float] = ()) -> EpochResult:
        """Learn from every poster once.

        Args:
            epoch: Number of the epoch, from 0; it and the seed decide all that is random.
            figures: Monitored figure after each epoch before, larger is better.

        Raises:
            TrainingError: The loss is no longer finite.
        """
        self._thaw(epoch)
        rng = np.random.default_rng([self.config.seed, epoch])
        order = self.data.train[self._sampler(self.data.hard[self.data.train], rng)]
        local = max(2, self.config.batch_size // self.processes.world)
        # Every process takes the same number of whole batches: a straggler would hang the others.
        n_steps = max(1, len(order) // (local * self.processes.world))
        mine = order[self.processes.rank :: self.processes.world][: n_steps * local]
        total, started = torch.zeros((), device=self.device), time.perf_counter()
        changes = torch.Generator().manual_seed(_seed(self.config.seed, epoch, self.processes.rank))
        with self._seeded(epoch):
            for step, (posters, rows) in enumerate(self._batches(mine, local)):
                self._set_lr(epoch + step / n_steps, figures)
                total += self._step(self._changed(posters, changes), rows)
        loss = float(total) / n_steps
        if not math.isfinite(loss):
            raise TrainingError(
                f"the training loss of epoch {epoch + 1} is {loss}; lower the learning rate (--lr) "
                "or use float32."
            )
        seconds = time.perf_counter() - started
        lr = max(group["lr"] for group in self.optimizer.param_groups)
        return EpochResult(loss, lr, len(mine) * self.processes.world / seconds)

    def predict(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of the judged net, float32, (len(rows), n_genres), posters unchanged."""
        net = self.judged.eval()
        logits = []
        with torch.inference_mode(), self.autocast():
            for pixels, _ in batches_of(self.data.cache.pixels, rows, 64, self.device):
                logits.append(net(pixels).logits.float().cpu().numpy())
        return np.concatenate(logits)

    def autocast(self) -> torch.autocast:
        """The number format of the forward pass, as a context."""
        return torch.autocast(self.device.type, self._dtype, self._dtype is not None)

    def judged_state(self) -> dict[str, Tensor]:
        """Weights of the judged net, on the CPU."""
        state = self.judged.state_dict()
        return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}

    def _batches(self, rows: NDArray[np.int64], size: int) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        return batches_of(self.data.cache.pixels, rows, size, self.device)

    def _changed(self, posters: Tensor, changes: torch.Generator) -> Tensor:
        return augment(posters, self.config.augment, changes)

    def _output(self, images: Tensor) -> PosterOutput:
        output: PosterOutput = self._forward(images)
        return output

    def _step(self, images: Tensor, rows: NDArray[np.int64]) -> Tensor:
        targets = torch.from_numpy(np.concatenate([self.data.hard[rows], self.data.soft[rows]], axis=1))
        images, targets = self._mix(images, targets.to(self.device))
        with self.autocast():
            output = self._output(images)
        loss = self._objective(output.logits.float(), *targets.chunk(2, dim=1))
        loss = loss + self._contrast(output.embedding, *targets.chunk(2, dim=1))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.config.optim.gradient_clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.config.optim.gradient_clip)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update_parameters(self.net)
        return loss.detach()

    def _objective(self, logits: Tensor, hard: Tensor, soft: Tensor) -> Tensor:
        settings = self.config.loss
        smooth = settings.label_smoothing
        own = self._loss(logits, hard * (1 - smooth) + self._prior * smooth if smooth else hard)
        if not settings.soft_labels:
            return own
        heat = settings.distill_temperature
        believed = torch.sigmoid(torch.logit(soft, eps=1e-4) / heat)
        # T² keeps the gradient's size whatever the temperature (Hinton et al. 2015, section 2).
        taught = F.binary_cross_entropy_with_logits(logits / heat, believed) * heat**2
        return (1 - settings.distill_weight) * own + settings.distill_weight * taught

    def _contrast(self, embeddings: Tensor, hard: Tensor, soft: Tensor) -> Tensor | float:
        settings = self.config.loss
        if not settings.contrastive_weight:
            return 0.0
        share = settings.distill_weight if settings.soft_labels else 0.0
        targets = (1 - share) * hard + share * soft
        return settings.contrastive_weight * genre_contrast(
            embeddings.float(), targets, settings.contrastive_temperature
        )

    def _set_lr(self, epoch: float, figures: Sequence[float]) -> None:
        share = self._schedule(Progress(epoch, self.config.epochs, figures))
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * share

    def _thaw(self, epoch: int) -> None:
        """Decide which stages learn in this epoch, and wrap the net anew if they changed."""
        until = frozen_stages(self.config, epoch, len(self.net.backbone.stages()))
        self.net.train()
        freeze_backbone(self.net, until)
        if until == self._frozen_as:
            return
        self._frozen_as = until
        forward = self._module
        if self.config.compile:
            forward = torch.compile(forward)  # type: ignore[assignment]
        if self.processes.world > 1:
            ids = [self.device.index] if self.device.type == "cuda" else None
            forward = DistributedDataParallel(forward, device_ids=ids)
        self._forward = forward

    @contextmanager
    def _seeded(self, epoch: int) -> Iterator[None]:
        """Torch's own generators (dropout, mixing) follow the epoch inside, and are as before outside."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(_seed(self.config.seed, epoch, self.processes.rank))
            yield


def frozen_stages(config: TrainConfig, epoch: int, n_stages: int) -> int | None:
    """How many first stages of the backbone are frozen in an epoch; None is all of it.

    ``head_epochs`` with all frozen, then over ``unfreeze_epochs`` one part after
    another from the output back, then all but ``freeze_stages``.
    """
    optim = config.optim
    after = epoch - optim.head_epochs
    if after < 0:
        return None
    if after >= optim.unfreeze_epochs:
        return min(optim.freeze_stages, n_stages)
    learning = math.ceil((after + 1) / (optim.unfreeze_epochs + 1) * n_stages)
    return max(optim.freeze_stages, n_stages - learning)


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


def _make_optimizer(net: PosterNet, config: TrainConfig) -> torch.optim.Optimizer:
    optim = config.optim
    groups = param_groups(net, optim.lr, optim.backbone_lr_scale, optim.weight_decay)
    for group in groups:
        group["initial_lr"] = group["lr"]
    if optim.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=optim.lr, momentum=0.9, nesterov=True)
    kind = torch.optim.Adam if optim.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=optim.lr)


def _dtype(config: TrainConfig, device: torch.device) -> torch.dtype | None:
    if config.precision == "auto":
        return autocast_dtype(device)
    return torch.bfloat16 if config.precision == "bfloat16" else None


def _moving_average(net: PosterNet, decay: float) -> AveragedModel:
    """Average weights and batch-norm statistics; the first steps count for more.

    Source:
        K. He et al. and TensorFlow's ExponentialMovingAverage: decay_t = min(decay, (1 + t) / (10 + t)).
    """

    def update(averaged: Any, current: Any, n_averaged: Tensor | int) -> None:
        n = int(n_averaged)
        share = 1 - min(decay, (1 + n) / (10 + n))
        if torch.is_floating_point(averaged[0]):
            torch._foreach_lerp_(averaged, current, share)
        else:
            torch._foreach_copy_(averaged, current)

    return AveragedModel(net, multi_avg_fn=update, use_buffers=True)
