"""EfficientNet-Lite0 as TensorFlow computes it, so that its published weights mean the same here."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from embeddings.models.backbone import Backbone
from embeddings.models.depthwise import WideGradientConv2d

# kernel, stride, expansion, width, repeats of each stage
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_EPS = 1e-3


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and after that TensorFlow's "SAME" gives a side of ``size`` pixels.

    Example:
        >>> same_padding(224, 3, 2), same_padding(225, 3, 2)
        ((0, 1), (1, 1))
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(WideGradientConv2d):
    """Convolution without bias whose padding follows TensorFlow's "SAME": the odd pixel comes after."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        # At stride 1 and an odd kernel "SAME" is symmetric, and the convolution pads by itself.
        padding = 0 if stride > 1 else kernel // 2
        super().__init__(cin, cout, kernel, stride, padding, groups=groups, bias=False)

    def pad(self, x: Tensor) -> Tensor:
        """``x`` with the pixels around it that the convolution does not add by itself."""
        if self.stride[0] == 1:
            return x
        top_bottom = same_padding(x.shape[-2], self.kernel_size[0], self.stride[0])
        left_right = same_padding(x.shape[-1], self.kernel_size[1], self.stride[1])
        return F.pad(x, (*left_right, *top_bottom))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.pad(x))


def _conv_bn(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        SameConv2d(cin, cout, kernel, stride, groups), nn.BatchNorm2d(cout, eps=_EPS), nn.ReLU6(inplace=True)
    )


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; the input is added where shapes agree."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = cin * expansion
        self.has_shortcut = stride == 1 and cin == cout
        self.conv = nn.Sequential(
            *([_conv_bn(cin, hidden, 1)] if expansion > 1 else []),
            _conv_bn(hidden, hidden, kernel, stride, groups=hidden),
            SameConv2d(hidden, cout, 1),
            nn.BatchNorm2d(cout, eps=_EPS),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.has_shortcut else out


class EfficientNetLite0(Backbone):
    """EfficientNet-Lite0: no squeeze-and-excitation, ReLU6, input (255 x - 127) / 128.

    Source:
        TensorFlow TPU repository, ``models/official/efficientnet/lite``, 2020.
    """

    def __init__(self) -> None:
        super().__init__(1280, [127 / 255] * 3, [128 / 255] * 3)
        layers: list[nn.Module] = [_conv_bn(3, 32, 3, 2)]
        cin = 32
        for kernel, stride, expansion, width, repeats in _STAGES:
            for i in range(repeats):
                layers.append(InvertedResidual(cin, width, kernel, stride if i == 0 else 1, expansion))
                cin = width
        layers.append(_conv_bn(cin, self.num_features, 1))
        self.features = nn.Sequential(*layers)

    def forward_pooled(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.features(x).mean((2, 3))
        return pooled

    def stages(self) -> list[nn.Module]:
        return list(self.features)
