"""The net of a run with its first weights: drawn, from ImageNet, or those of a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from embeddings.checkpoint import MANIFEST_NAME, CheckpointManifest
from embeddings.checkpoint_weights import load_net
from embeddings.errors import TrainingError
from embeddings.models.poster_net import NetSpec, PosterNet
from embeddings.models.registry import build_model, check_names
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData
from embeddings.training.losses import GenreCounts, make_loss
from embeddings.training.samplers import get_sampler
from embeddings.training.schedules import make_schedule


def first_net(config: TrainConfig, data: TrainingData) -> PosterNet:
    """The net that a run begins with; the seed decides its random weights.

    Where ``model.init`` is a checkpoint's folder, the run goes on from its
    backbone and neck, and from its head too where the genres are the same
    (from the backbone alone, where ``optim.frozen_views`` lets nothing but neck and head learn). A new head
    begins at each genre's share.

    Raises:
        TrainingError: The checkpoint's net is not the one that the settings ask for.
        CheckpointError: The weights are missing or do not fit.
    """
    net = build_net(config, len(data.genres))
    folder = Path(config.model.init)
    if is_checkpoint(folder):
        parts = _fitting_weights(net, folder)
        if goes_on_whole(config, data):
            net.load_state_dict(parts)
            return net
        if _learns_head_alone(config) or not _reads_alike(config, folder):
            # Neck and head learn from standardised features there, or from others: a neck of before would
            # mislead them.
            parts = {name: value for name, value in parts.items() if name.startswith("backbone.")}
        else:
            parts = {name: value for name, value in parts.items() if not name.startswith("head.")}
        net.load_state_dict(net.state_dict() | parts)
    start_at_prior(net, data)
    return net


def check_settings(config: TrainConfig) -> None:
    """Refuse names that do not exist before the first poster is read: looking data over takes minutes.

    Raises:
        TrainingError: There is no such loss, sampler or schedule, or it has no such option.
        InvalidRequestError: There is no such architecture.
        CheckpointError: A weights file is missing.
    """
    make_loss(config.loss.name, GenreCounts(torch.ones(1), 1), config.loss.options)
    get_sampler(config.sampler)
    make_schedule(config.optim.schedule, 0.0, config.optim.schedule_options)
    check_names(config.model.arch, "none" if is_checkpoint(Path(config.model.init)) else config.model.init)


def goes_on_whole(config: TrainConfig, data: TrainingData) -> bool:
    """Whether a run begins with all weights of a checkpoint, its head included."""
    folder = Path(config.model.init)
    if not is_checkpoint(folder) or _learns_head_alone(config) or not _reads_alike(config, folder):
        return False
    return CheckpointManifest.read(folder).genres == data.genres


def _learns_head_alone(config: TrainConfig) -> bool:
    return config.optim.frozen_views > 0 and config.optim.freeze_stages == 0


def _reads_alike(config: TrainConfig, folder: Path) -> bool:
    """Whether the neck of a checkpoint reads what the neck of the run will read."""
    levels: bool = CheckpointManifest.read(folder).net.get("levels", False)
    return levels == config.model.levels


def start_at_prior(net: PosterNet, data: TrainingData) -> None:
    """Let the head begin with each genre's share: otherwise the first epoch is spent on learning it.

    Source:
        T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, section 4.1.
    """
    share = torch.from_numpy(data.hard[data.train].mean(axis=0)).clamp(1e-3, 1 - 1e-3)
    with torch.no_grad():
        net.head.bias.copy_(torch.logit(share))


def build_net(config: TrainConfig, n_genres: int) -> PosterNet:
    """Build the net of a run; without a checkpoint's weights, and with the head as it is drawn."""
    model = config.model
    spec = NetSpec(
        model.arch,
        n_genres,
        model.embedding_dim,
        model.width,
        model.height,
        model.dropout,
        model.norm,
        model.activation,
        model.levels,
    )
    init = "none" if is_checkpoint(Path(model.init)) else model.init
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return build_model(model.arch, n_genres, model.embedding_dim, init=init, spec=spec)


def is_checkpoint(path: Path) -> bool:
    """Whether ``path`` is a folder that holds a checkpoint."""
    return (path / MANIFEST_NAME).is_file()


def _fitting_weights(net: PosterNet, folder: Path) -> dict[str, Tensor]:
    """Weights of a checkpoint whose net is the one that is to be trained, at whatever size it looks."""
    manifest = CheckpointManifest.read(folder)
    found = NetSpec(manifest.arch, net.spec.n_genres, manifest.embedding_dim, **manifest.net)
    wanted = net.spec
    # Whether the neck reads levels changes nothing of the backbone.
    alike = replace(found, dropout=wanted.dropout, width=wanted.width, height=wanted.height)
    unlike = replace(alike, levels=wanted.levels) != wanted
    state: dict[str, Tensor] = {} if unlike else load_net(folder, manifest).state_dict()
    # Filters fit pictures of any size; fully connected first layers do not.
    fitted = ("head.",) if found.levels == wanted.levels else ("head.", "neck.")
    shapes = {name: value.shape for name, value in net.state_dict().items() if not name.startswith(fitted)}
    if unlike or any(state[name].shape != shape for name, shape in shapes.items()):
        raise TrainingError(
            f"{folder} holds {_told(found)}, but the settings ask for {_told(wanted)}: set [model] to the "
            "checkpoint's."
        )
    return state


def _told(spec: NetSpec) -> str:
    size = f"{spec.width} x {spec.height} pixels"
    return f"{spec.arch} of {size}, {spec.embedding_dim} wide ({spec.norm} norm, {spec.activation})"
