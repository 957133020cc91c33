"""Which parameters learn, and how fast."""

from __future__ import annotations

from typing import Any

from torch import nn

from embeddings.models.poster_net import PosterNet

_NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


def param_groups(
    net: PosterNet, lr: float, backbone_lr_scale: float = 0.1, weight_decay: float = 1e-4
) -> list[dict[str, Any]]:
    """Groups for an optimiser: the backbone learns slower than the neck and head.

    Biases and the scales of norm layers are not decayed. Frozen parameters
    are left out; call again after thawing.

    Args:
        net: The net.
        lr: Learning rate of the neck and head.
        backbone_lr_scale: The backbone's share of ``lr``; 0 leaves the backbone out.
        weight_decay: Of matrices and filters.

    Returns:
        Dictionaries with ``name``, ``params``, ``lr`` and ``weight_decay``; none is empty.
    """
    backbone = {id(p) for p in net.backbone.parameters()}
    groups: list[dict[str, Any]] = []
    for name, inside, rate in (("backbone", True, lr * backbone_lr_scale), ("head", False, lr)):
        if rate <= 0:
            continue
        learning = [p for p in net.parameters() if p.requires_grad and (id(p) in backbone) is inside]
        for suffix, wide, decay in (("", True, weight_decay), ("_no_decay", False, 0.0)):
            params = [p for p in learning if (p.ndim > 1) is wide]
            if params:
                groups.append({"name": name + suffix, "params": params, "lr": rate, "weight_decay": decay})
    return groups


def freeze_backbone(net: PosterNet, until: int | None = None) -> None:
    """Freeze the first stages of the backbone and let the others learn.

    A frozen stage keeps its batch-norm statistics too. ``net.train()`` would
    wake them up again, so call this after it, at the start of every epoch.

    Args:
        net: Changed in place.
        until: How many stages to freeze, from the input; None freezes all, 0 none, -2 all but the last two.
    """
    stages = net.backbone.stages()
    n_frozen = len(range(len(stages))[:until])
    for parameter in net.backbone.parameters():
        # Those outside of every stage, such as position embeddings, count as input.
        parameter.requires_grad_(n_frozen == 0)
    for i, stage in enumerate(stages):
        for parameter in stage.parameters():
            parameter.requires_grad_(i >= n_frozen)
        for module in stage.modules():
            if isinstance(module, _NORMS):
                module.train(net.training and i >= n_frozen)
