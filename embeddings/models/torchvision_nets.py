"""Any of torchvision's classification models, its classifier taken off."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from embeddings.errors import InvalidRequestError
from embeddings.models.backbone import IMAGENET_MEAN, IMAGENET_STD, Backbone
from embeddings.models.depthwise import widen_slow_gradients
from embeddings.torchvision_ops import torchvision

# Children whose own children are the stages, by the families' names for them.
_BODIES = ("features", "layers", "trunk_output", "encoder")
# Nets that read one size only and do not say so.
_FIXED_SIZES = {"maxvit_t": 224}


@cache
def torchvision_names() -> tuple[str, ...]:
    """Names of torchvision's classification models."""
    return tuple(sorted(torchvision.models.list_models(module=torchvision.models)))


def torchvision_weights(name: str) -> tuple[str, ...]:
    """torchvision's names of the weights of one of its models, as ``IMAGENET1K_V1``."""
    return tuple(torchvision.models.get_model_weights(name).__members__)


class TorchvisionNet(Backbone):
    """A torchvision model up to its last linear layer.

    Args:
        name: torchvision's name of the model.
        weights: torchvision's name of weights, ``DEFAULT`` for its best; None starts from random ones.
            Named weights are downloaded by torchvision.
    """

    def __init__(self, name: str, weights: str | None = None) -> None:
        net = torchvision.models.get_model(name, weights=weights, **_arguments(name, weights))
        widen_slow_gradients(net)
        classifier, num_features = _take_classifier_off(net)
        super().__init__(num_features, IMAGENET_MEAN, IMAGENET_STD)
        self.net = net
        self.classifier_name = classifier
        self.image_size: int | None = getattr(net, "image_size", _FIXED_SIZES.get(name))

    def forward_pooled(self, x: Tensor) -> Tensor:
        if self.image_size is not None and x.shape[-2:] != (self.image_size, self.image_size):
            raise InvalidRequestError(
                f"this transformer reads {self.image_size}x{self.image_size} pixels and got "
                f"{x.shape[-1]}x{x.shape[-2]}: set that size"
            )
        features = self.net(x)
        return torch.flatten(features if isinstance(features, Tensor) else features.logits, 1)

    def stages(self) -> list[nn.Module]:
        stages: list[nn.Module] = []
        for name, child in self.net.named_children():
            body = child.layers if name == "encoder" else child
            expands = name in _BODIES and isinstance(body, nn.Sequential)
            stages.extend(body if expands else [child])
        # Pooling and what is left of the classifier hold nothing that could learn.
        while stages and not stages[-1].state_dict():
            stages.pop()
        return stages


def _arguments(name: str, weights: str | None) -> dict[str, Any]:
    if name in ("inception_v3", "googlenet") and weights is None:
        return {"aux_logits": False, "init_weights": False}
    return {}


def _take_classifier_off(net: nn.Module) -> tuple[str, int]:
    """Put an identity in place of the last layer that has 1000 outputs; gives its name and input width."""
    for name, module in reversed(list(net.named_modules())):
        if isinstance(module, nn.Linear):
            num_features = module.in_features
        elif isinstance(module, nn.Conv2d) and module.out_channels == 1000:  # SqueezeNet
            num_features = module.in_channels
        else:
            continue
        parent, _, attribute = name.rpartition(".")
        setattr(net.get_submodule(parent), attribute, nn.Identity())
        return name, num_features
    raise InvalidRequestError("this architecture has no classifier to replace")
