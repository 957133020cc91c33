"""The role of a backbone: RGB pixels in, one pooled feature vector per poster out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from embeddings.errors import InvalidRequestError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_PROBE = (2, 3, 192, 128)  # Inception has no smaller one
# A channel that says the same everywhere has a deviation of 0, whose root has no slope.
_LEAST_VARIANCE = 1e-6


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
    # Stages whose maps are described beside the pooled features; none unless ``read_levels`` was called.
    taps: tuple[int, ...] = ()

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
        if self.compute_dtype is not None:
            normalised = normalised.to(self.compute_dtype)
        return self._forward_levels(normalised) if self.taps else self.forward_pooled(normalised)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_features(x)

    def read_levels(self) -> None:
        """From now on also say what maps of every depth look like: mean and deviation of each channel.

        What is pooled at the end knows things; how a poster is made (grain, palette, lettering, drawn or
        photographed) shows in earlier maps. They are read where a row of stages of one width and size
        ends; ``num_features`` grows by twice their channels.

        Raises:
            InvalidRequestError: The net is no row of stages whose last map is averaged.

        Source:
            X. Huang, S. Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
            Normalization", ICCV 2017: channel statistics as style.
        """
        shapes = self._checked_shapes()
        ends = [i for i, (one, after) in enumerate(pairwise(shapes)) if one != after]
        self.taps = tuple(ends)
        self.num_features += 2 * sum(shapes[i][0] for i in ends)

    def _forward_levels(self, x: Tensor) -> Tensor:
        levels = []
        for number, stage in enumerate(self.stages()):
            x = stage(x)
            if number in self.taps:
                wide = x.float()
                mean = wide.mean((2, 3))
                # torch.var takes six times as long on maps that lie channels last.
                variance = (wide * wide).mean((2, 3)) - mean * mean
                levels += [mean, (variance.clamp_min(0) + _LEAST_VARIANCE).sqrt()]
        return torch.cat([x.float().mean((2, 3)), *levels], dim=1)

    def _checked_shapes(self) -> list[torch.Size]:
        """Shapes (c, h, w) after each stage; the last map's mean must be what the net pools."""
        modes = {module: module.training for module in self.modules()}
        self.eval()
        x = torch.linspace(0, 1, math.prod(_PROBE)).view(_PROBE)
        pooled, shapes = None, []
        try:
            with torch.inference_mode():
                pooled = self.forward_pooled(x)
                for stage in self.stages():
                    x = stage(x)
                    shapes.append(x.shape[1:])
            follows = all(len(shape) == 3 for shape in shapes)
            follows = follows and torch.allclose(x.mean((2, 3)), pooled, rtol=1e-3, atol=1e-4)
        except (RuntimeError, TypeError, ValueError, AssertionError, InvalidRequestError):
            follows = False
        finally:
            for module, mode in modes.items():
                module.training = mode
        if not follows:
            raise InvalidRequestError(
                "this architecture is no row of stages whose last map is averaged, so its levels cannot be "
                "read: set model.levels to false, or choose mobilenet_v2, efficientnet_lite0, "
                "efficientnet_b0 or a resnet",
                "levels",
            )
        return shapes
