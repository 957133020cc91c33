"""Nets that others trained from scratch on posters, rebuilt by their published shapes.

Their last hidden layer is our neck, so that with ``embedding_dim=256`` (and
relu) parameter counts are the published ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn

from embeddings.models.backbone import Backbone
from embeddings.models.poster_net import NetSpec

HALF = (0.5, 0.5, 0.5)


class ScratchNet(Backbone):
    """Convolutions, then dense layers; input scaled to [-1, 1]."""

    def __init__(self, features: nn.Sequential, dense: nn.Sequential, num_features: int) -> None:
        super().__init__(num_features, HALF, HALF)
        self.features = features
        self.dense = dense

    def forward_pooled(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.dense(self.features(x))
        return pooled

    def stages(self) -> list[nn.Module]:
        return [*self.features, *self.dense]


def custom_cnn(spec: NetSpec) -> ScratchNet:
    """Seven 3x3 convolutions of 32-32-64-64-128-128-256 filters, global average pooling, dense 512.

    Batch norm follows each convolution, pooling each pair; dropout .25 after
    pooling and .5 after the dense layer. About 856 thousand parameters.
    """
    features = nn.Sequential(
        *_conv_block((3, 32, 32), pool=2, dropout=0.25),
        *_conv_block((32, 64, 64), pool=2, dropout=0.25),
        *_conv_block((64, 128, 128), pool=2, dropout=0.25),
        *_conv_block((128, 256), pool=1, dropout=0.25),
    )
    dense = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *_dense(256, 512, dropout=0.5))
    return ScratchNet(features, dense, 512)


def mlp(spec: NetSpec) -> ScratchNet:
    """Flatten, dense 1024, dense 512 (the neck is dense 256): 154.8 million parameters at 224x224."""
    pixels = 3 * spec.width * spec.height
    dense = nn.Sequential(
        nn.Flatten(),
        nn.Linear(pixels, 1024),
        nn.ReLU(inplace=True),
        nn.Dropout(0.25),
        nn.Linear(1024, 512),
        nn.ReLU(inplace=True),
        nn.Dropout(0.25),
    )
    return ScratchNet(nn.Sequential(), dense, 512)


def cnn3(spec: NetSpec) -> ScratchNet:
    """Three blocks of 32-64-128 filters with max pooling, then three dense-1024 layers with batch norm."""
    features = nn.Sequential(
        *(
            layer
            for cin, cout in ((3, 32), (32, 64), (64, 128))
            for layer in _conv_block((cin, cout), pool=2, dropout=0.25)
        )
    )
    return _with_three_dense(features, spec.width // 8, spec.height // 8)


def cnn3_stride2(spec: NetSpec) -> ScratchNet:
    """``cnn3`` whose convolutions step by two instead of being pooled."""
    features = nn.Sequential(
        *(layer for cin, cout in ((3, 32), (32, 64), (64, 128)) for layer in _conv(cin, cout, stride=2))
    )
    return _with_three_dense(features, -(-spec.width // 8), -(-spec.height // 8))


def mini_vgg(spec: NetSpec) -> ScratchNet:
    """Seven layers in the manner of VGG: 32, 64-64, 128-128 filters and dense 1024, then the head."""
    features = nn.Sequential(
        *_conv_block((3, 32), pool=3, dropout=0.25),
        *_conv_block((32, 64, 64), pool=2, dropout=0.25),
        *_conv_block((64, 128, 128), pool=2, dropout=0.25),
    )
    flat = 128 * (spec.width // 3 // 2 // 2) * (spec.height // 3 // 2 // 2)
    dense = nn.Sequential(nn.Flatten(), *_dense(flat, 1024, dropout=0.5))
    return ScratchNet(features, dense, 1024)


SCRATCH_NETS: dict[str, Callable[[NetSpec], ScratchNet]] = {
    "custom_cnn": custom_cnn,
    "mlp": mlp,
    "cnn3": cnn3,
    "cnn3_stride2": cnn3_stride2,
    "mini_vgg": mini_vgg,
}


def _with_three_dense(features: nn.Sequential, width: int, height: int) -> ScratchNet:
    dense = nn.Sequential(
        nn.Flatten(),
        *_dense(128 * width * height, 1024, dropout=0.25),
        *_dense(1024, 1024, dropout=0.25),
        *_dense(1024, 1024, dropout=0.25),
    )
    return ScratchNet(features, dense, 1024)


def _conv(cin: int, cout: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(cin, cout, 3, stride, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True)]


def _conv_block(channels: Sequence[int], pool: int, dropout: float) -> list[nn.Module]:
    layers = [layer for cin, cout in pairwise(channels) for layer in _conv(cin, cout)]
    pooling = [nn.MaxPool2d(pool)] if pool > 1 else []
    return [*layers, *pooling, nn.Dropout(dropout)]


def _dense(width_in: int, width_out: int, dropout: float) -> list[nn.Module]:
    return [
        nn.Linear(width_in, width_out),
        nn.BatchNorm1d(width_out),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    ]
