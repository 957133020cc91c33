"""The net of one pass: backbone, neck (the embedding), head (the genres)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from embeddings.models.backbone import Backbone

Norm = Literal["batch", "layer", "none"]
Activation = Literal["relu", "gelu", "silu", "none"]

_NORMS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, "none": nn.Identity}
_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "none": nn.Identity}


@dataclass(frozen=True)
class NetSpec:
    """Everything that must be known to build a net again.

    Args:
        arch: Name of the architecture; ``A+B`` looks with both.
        n_genres: Width of the head.
        embedding_dim: Width of the embedding.
        width: Pixels of the input; only fully connected first layers depend on it.
        height: Pixels of the input.
        dropout: Share of the features dropped before the neck while training.
        norm: Normalisation of the neck.
        activation: Activation of the neck.
        levels: Whether the neck also reads channel statistics of earlier maps.
    """

    arch: str
    n_genres: int
    embedding_dim: int = 256
    width: int = 160
    height: int = 240
    dropout: float = 0.2
    norm: Norm = "batch"
    activation: Activation = "silu"
    levels: bool = False


class PosterOutput(NamedTuple):
    """Both answers of one pass.

    ``embedding``: float, (n, embedding_dim), rows of unit length.
    ``logits``: float, (n, n_genres), before the sigmoid.
    """

    embedding: Tensor
    logits: Tensor


class PosterNet(nn.Module):
    """Backbone, neck and genre head; ``net(x)`` gives embedding and logits in one pass.

    The head reads the neck's output before it is brought to unit length: how
    sure the net is lies in that length.
    """

    def __init__(self, backbone: Backbone, spec: NetSpec) -> None:
        super().__init__()
        self.spec = spec
        self.backbone = backbone
        self.neck = nn.Sequential(
            nn.Dropout(spec.dropout),
            nn.Linear(backbone.num_features, spec.embedding_dim),
            _NORMS[spec.norm](spec.embedding_dim),
            _ACTIVATIONS[spec.activation](),
        )
        self.head = nn.Linear(spec.embedding_dim, spec.n_genres)

    @property
    def num_features(self) -> int:
        """Width of the backbone's pooled features."""
        return self.backbone.num_features

    def forward_features(self, x: Tensor) -> Tensor:
        """Pooled features of the backbone.

        Args:
            x: RGB, (n, 3, h, w): uint8 in [0, 255] or float in [0, 1].

        Returns:
            Float, (n, num_features).
        """
        if x.dtype == torch.uint8:
            x = x.to(torch.float32) / 255.0
        features: Tensor = self.backbone.forward_features(x)
        return features

    def forward_head(self, features: Tensor) -> PosterOutput:
        """Embedding and logits of pooled features (n, num_features)."""
        # A narrow backbone (see embeddings.inference) hands narrow features to a wide neck.
        hidden = self.neck(features.to(self.head.weight.dtype))
        # The embedding is normalised in float32: bfloat16 rows are off unit length by up to 0.4 %.
        return PosterOutput(F.normalize(hidden.float(), dim=-1), self.head(hidden))

    def forward(self, x: Tensor) -> PosterOutput:
        return self.forward_head(self.forward_features(x))
