"""The role of a backbone: RGB pixels in, one pooled feature vector per poster out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Backbone(nn.Module, ABC):
    """Turns posters into features; knows how its input wants to be normalised.

    Normalisation lies inside, so that two backbones with different input
    statistics can look at one batch.

    Args:
        num_features: Width of the pooled features.
        mean: Subtracted from each channel of RGB in [0, 1].
        std: Divides each channel.
    """

    mean: Tensor
    std: Tensor
    # Number format of the weights where it is not float32; the normalised input is narrowed to it.
    compute_dtype: torch.dtype | None = None

    def __init__(self, num_features: int, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.num_features = num_features
        # Not stored in checkpoints: they belong to the architecture, not to the training.
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @abstractmethod
    def forward_pooled(self, x: Tensor) -> Tensor:
        """Features (n, num_features) of normalised RGB (n, 3, h, w)."""

    @abstractmethod
    def stages(self) -> list[nn.Module]:
        """Parts from the input to the output; freezing and unfreezing goes by them."""

    def forward_features(self, x: Tensor) -> Tensor:
        """Features (n, num_features) of RGB in [0, 1], float, (n, 3, h, w)."""
        normalised = (x - self.mean) / self.std
        return self.forward_pooled(
            normalised if self.compute_dtype is None else normalised.to(self.compute_dtype)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_features(x)
