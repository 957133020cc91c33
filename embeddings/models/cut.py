"""A backbone cut in two: the first stages, whose maps can be worked out once, and the rest, which learns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from embeddings.errors import InvalidRequestError, TrainingError
from embeddings.models.backbone import Backbone
from embeddings.models.ensemble import BranchedBackbone

_PROBE = (2, 3, 192, 128)  # Inception has no smaller one


class Cut:
    """The two sides of a cut through a backbone, which stays whole.

    Maps of several branches lie side by side as channels of one tensor.

    Args:
        backbone: Its stages must follow one another, each taking what the one before gives.
        n_stages: Stages before the cut, as ``freeze_backbone`` counts them.

    Raises:
        TrainingError: The backbone cannot be cut there.
    """

    def __init__(self, backbone: Backbone, n_stages: int) -> None:
        self._members = list(_members(backbone, n_stages))
        if any(member.taps for member, _ in self._members):
            raise TrainingError(
                "a net that reads levels needs all its stages: set optim.frozen_views to 0 (or "
                "optim.freeze_stages to 0, where nothing but neck and head learns), or model.levels to false."
            )
        self._check(backbone, n_stages)

    def trunk_weights(self) -> tuple[Tensor, ...]:
        """Parameters and statistics of the first stages, branch after branch."""
        return tuple(
            value for _, stages in self._members for stage in stages for value in stage.state_dict().values()
        )

    def trunk(self, x: Tensor) -> Tensor:
        """Maps after the first stages, (n, c, h, w), of RGB in [0, 1], float, (n, 3, h', w')."""
        maps = self._maps(x)
        if len({one.shape[2:] for one in maps}) > 1:
            sizes = " and ".join(f"{one.shape[2]} x {one.shape[3]}" for one in maps)
            raise TrainingError(
                f"the branches' maps have different sizes there ({sizes}): cut after another stage."
            )
        return torch.cat(maps, dim=1)

    def rest(self, maps: Tensor) -> Tensor:
        """Pooled features (n, num_features) of what ``trunk`` gave."""
        parts = torch.split(maps, self._channels, dim=1)
        return torch.cat(
            [
                _without(member, stages, part)
                for (member, stages), part in zip(self._members, parts, strict=True)
            ],
            dim=1,
        )

    def _maps(self, x: Tensor) -> list[Tensor]:
        maps = []
        for member, stages in self._members:
            seen = (x - member.mean) / member.std
            seen = seen if member.compute_dtype is None else seen.to(member.compute_dtype)
            for stage in stages:
                seen = stage(seen)
            maps.append(seen)
        return maps

    def _check(self, backbone: Backbone, n_stages: int) -> None:
        """Compare both sides, one after the other, with the whole: not every net is a row of stages."""
        modes = {module: module.training for module in backbone.modules()}
        backbone.eval()
        device = self._members[0][0].mean.device
        x = torch.linspace(0, 1, math.prod(_PROBE), device=device).view(_PROBE)
        try:
            with torch.inference_mode():
                self._channels = [one.shape[1] for one in self._maps(x)]
                agrees = torch.allclose(self.rest(self.trunk(x)), backbone(x), rtol=1e-3, atol=1e-4)
        except (RuntimeError, TypeError, ValueError, AssertionError, InvalidRequestError) as error:
            # torchvision's transformers assert the shape of what they get.
            raise _cannot(n_stages) from error
        finally:
            for module, mode in modes.items():
                module.training = mode
        if not agrees:
            raise _cannot(n_stages)


def _cannot(n_stages: int) -> TrainingError:
    return TrainingError(
        f"this architecture cannot be cut after stage {n_stages}, since its stages do not simply follow one "
        "another there: choose another optim.freeze_stages, or set optim.frozen_views to 0."
    )


def _members(backbone: Backbone, n_stages: int) -> Iterator[tuple[Backbone, list[nn.Module]]]:
    """Each backbone that looks for itself, and its stages before the cut."""
    if not isinstance(backbone, BranchedBackbone):
        yield backbone, backbone.stages()[:n_stages]
        return
    n_rows = len(backbone.stages())
    for branch in backbone.branches:
        if isinstance(branch, Backbone):
            stages = branch.stages()
            # Branches are paired from the output backwards: a shorter one begins later.
            yield branch, stages[: max(0, n_stages - (n_rows - len(stages)))]


def _without(member: Backbone, stages: Sequence[nn.Module], maps: Tensor) -> Tensor:
    with _passed_over(member, stages):
        return member.forward_pooled(maps)


@contextmanager
def _passed_over(member: Backbone, stages: Sequence[nn.Module]) -> Iterator[None]:
    """Inside, these stages give what they get."""
    wanted = {id(stage) for stage in stages}
    places = [
        (parent, name, child)
        for parent in member.modules()
        for name, child in parent.named_children()
        if id(child) in wanted
    ]
    for parent, name, _ in places:
        setattr(parent, name, nn.Identity())
    try:
        yield
    finally:
        for parent, name, child in places:
            setattr(parent, name, child)
