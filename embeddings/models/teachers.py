"""Larger backbones, cut before their last stage, that serve as teachers only."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from embeddings.models.backbone import Backbone
from embeddings.models.lite0 import same_padding
from embeddings.torchvision_ops import torchvision


class InceptionMixed7a(Backbone):
    """torchvision's Inception v3 up to and with Mixed_7a: 1280 features.

    Its weights want RGB in [-1, 1], which is what torchvision's ``transform_input`` makes of ImageNet's
    mean and deviation; it is given that at once.
    """

    def __init__(self) -> None:
        super().__init__(1280, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        net = torchvision.models.inception_v3(
            weights=None, aux_logits=False, init_weights=False, transform_input=False
        )
        del net.Mixed_7b, net.Mixed_7c, net.avgpool, net.dropout, net.fc
        self.net = net

    def forward_pooled(self, x: Tensor) -> Tensor:
        for stage in self.stages():
            x = stage(x)
        return x.mean((2, 3))

    def stages(self) -> list[nn.Module]:
        return list(self.net.children())


class SlimStem(nn.Conv2d):
    """First filters and max-pool of TF-slim's ResNet."""

    def __init__(self) -> None:
        super().__init__(3, 64, 7, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        padding = (*same_padding(x.shape[-1], 3, 2), *same_padding(x.shape[-2], 3, 2))
        return F.max_pool2d(F.pad(x, padding, value=float("-inf")), 3, 2)


class SlimBottleneck(nn.Module):
    """Pre-activation bottleneck of TF-slim: the stride sits in a block's last unit."""

    def __init__(self, cin: int, cout: int, stride: int, projects: bool) -> None:
        super().__init__()
        middle = cout // 4
        self.stride = stride
        self.pre = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, cout, 1)
        self.short = nn.Conv2d(cin, cout, 1) if projects else None

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.pre(x))
        shortcut = x[:, :, :: self.stride, :: self.stride] if self.short is None else self.short(activated)
        out = F.relu(self.bn1(self.conv1(activated)))
        out = F.relu(self.bn2(self.conv2(out)))
        result: Tensor = self.conv3(out) + shortcut
        return result


class ResNet101V2Stage3(Backbone):
    """TF-slim ResNet-101 v2 up to block 3 and the batch norm after it: 1024 features at stride 32."""

    def __init__(self) -> None:
        super().__init__(1024, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        self.conv0 = SlimStem()
        blocks: list[nn.Module] = []
        cin = 64
        for width, repeats in ((256, 3), (512, 4), (1024, 23)):
            for i in range(repeats):
                blocks.append(SlimBottleneck(cin, width, 2 if i == repeats - 1 else 1, projects=i == 0))
                cin = width
        self.blocks = nn.Sequential(*blocks)
        self.tail = nn.BatchNorm2d(cin)

    def forward_pooled(self, x: Tensor) -> Tensor:
        pooled: Tensor = F.relu(self.tail(self.blocks(self.conv0(x)))).mean((2, 3))
        return pooled

    def stages(self) -> list[nn.Module]:
        return [self.conv0, *self.blocks, self.tail]
