"""Two or more backbones that look at the same poster; their features side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import torch
from torch import Tensor, nn

from embeddings.models.backbone import Backbone


class BranchedBackbone(Backbone):
    """Concatenates the pooled features of its branches, each with its own normalisation."""

    def __init__(self, branches: Sequence[Backbone]) -> None:
        super().__init__(sum(branch.num_features for branch in branches), (0.0,) * 3, (1.0,) * 3)
        self.branches = nn.ModuleList(branches)

    def forward_features(self, x: Tensor) -> Tensor:
        # Each branch normalises the picture for itself.
        return self.forward_pooled(x)

    def forward_pooled(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)

    def stages(self) -> list[nn.Module]:
        """The branches' stages, paired from the output backwards so that depths agree."""
        columns = [branch.stages()[::-1] for branch in self._members()]
        rows = [nn.ModuleList([stage for stage in row if stage is not None]) for row in zip_longest(*columns)]
        return list(rows[::-1])

    def _members(self) -> list[Backbone]:
        return [branch for branch in self.branches if isinstance(branch, Backbone)]
