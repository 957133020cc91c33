"""Settings that follow from the net: what is not said takes them before the general defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Dropout and relu stand in these nets already as they were published; the neck is their last hidden layer.
_PUBLISHED_NECK = {"model.dropout": 0.0, "model.activation": "relu"}
PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    # Adam adds decay x w to the gradient: 2e-4 is a penalty of 1e-4 x w², Keras' l2(1e-4).
    "custom_cnn": _PUBLISHED_NECK | {"optim.optimizer": "adam", "optim.weight_decay": 2e-4},
    "mlp": _PUBLISHED_NECK,
    "cnn3": _PUBLISHED_NECK,
    "cnn3_stride2": _PUBLISHED_NECK,
    "mini_vgg": _PUBLISHED_NECK,
}


# A schedule that waits for five epochs without gain is to lower the rate before training is given up.
PLATEAU_PATIENCE = 15


def own_defaults(arch: str, init: str, schedule: str = "cosine") -> dict[str, Any]:
    """Settings of a net and a schedule that are not the general defaults, by dotted name.

    Nets that others trained from scratch bring what they were published with. A
    backbone that begins with random weights learns as fast as neck and head:
    only what was learnt before is to be spared.

    Args:
        arch: ``model.arch``.
        init: ``model.init``.
        schedule: ``optim.schedule``.
    """
    own = dict(PUBLISHED.get(arch, {}))
    if init == "none" or (init == "auto" and all(name in PUBLISHED for name in arch.split("+"))):
        own["optim.backbone_lr_scale"] = 1.0
    if schedule == "plateau":
        own["patience"] = PLATEAU_PATIENCE
    return own
