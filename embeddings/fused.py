"""Convolution, bias and activation in one pass, by the library that torch brings for CPUs (oneDNN)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from embeddings.models.lite0 import SameConv2d

# An activation's name there, and its limits.
_ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.SiLU: ("swish", []),
    nn.Hardswish: ("hardswish", []),
}


class FusedConvolution(nn.Module):
    """A convolution and the activation after it, as one step.

    The activation is applied while a value is still in a register. Where it
    rounds nothing (ReLU, ReLU6), the result is the same to the bit. Filters
    are not laid out in advance: the layout that suits one number of threads
    takes three times as long with another.

    Args:
        convolution: On a CPU, in its final number format.
        activation: What follows it; None for nothing.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, convolution: nn.Conv2d, activation: nn.Module | None) -> None:
        super().__init__()
        # "SAME" pads one side more than the other, which this operation cannot.
        self._pad = convolution.pad if isinstance(convolution, SameConv2d) else None
        self._geometry = (
            [int(side) for side in convolution.padding],
            list(convolution.stride),
            list(convolution.dilation),
            convolution.groups,
        )
        name, limits = ("none", []) if activation is None else _ACTIVATIONS[type(activation)]
        self._activation = (name, limits, "")
        self.register_buffer("weight", convolution.weight.detach())
        self.register_buffer("bias", None if convolution.bias is None else convolution.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        if self._pad is not None:
            x = self._pad(x)
        activated: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self._geometry, *self._activation
        )
        return activated


def fuse_convolutions(net: nn.Module) -> int:
    """Put fused convolutions in the place of those in the ``Sequential`` parts of a net, in place.

    Only there the order of the layers is known to be the way of the data.
    Nothing happens where torch was built without that library.

    Args:
        net: On a CPU, in evaluation mode, in its final number format; batch norms folded before.

    Returns:
        How many were replaced.
    """
    if not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return 0
    n_fused = 0
    for module in list(net.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        layers = [(name, one) for name, one in module.named_children() if not isinstance(one, nn.Identity)]
        for (name, layer), (next_name, next_layer) in pairwise([*layers, ("", nn.Identity())]):
            if not isinstance(layer, nn.Conv2d) or not _can_be_fused(layer):
                continue
            activates = type(next_layer) in _ACTIVATIONS
            setattr(module, name, FusedConvolution(layer, next_layer if activates else None))
            if activates:
                setattr(module, next_name, nn.Identity())
            n_fused += 1
    return n_fused


def _can_be_fused(layer: nn.Conv2d) -> bool:
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
