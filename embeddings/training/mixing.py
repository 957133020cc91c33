"""Mixing posters of a batch, with their targets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

import embeddings.torchvision_ops  # noqa: F401
from embeddings.training.config import AugmentConfig

Mixer = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def make_mixer(config: AugmentConfig) -> Mixer:
    """Mix batches as the config says: mixup, CutMix, either at random, or not at all.

    Targets of many genres mix as the pictures do: a poster that is 30 % a
    western is a western at 0.3.

    Returns:
        A function of images (n, 3, h, w) and targets (n, m) in [0, 1]; it draws
        from torch's own generator.

    Source:
        H. Zhang et al., "mixup", ICLR 2018; S. Yun et al., "CutMix", ICCV 2019.
    """
    from torchvision.transforms import v2  # only after torchvision_ops, and only where it is wanted

    mixers = [
        kind(alpha=alpha)
        for kind, alpha in ((v2.MixUp, config.mixup), (v2.CutMix, config.cutmix))
        if alpha > 0
    ]

    def mix(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        if not mixers or float(torch.rand(())) >= config.mix_chance:
            return images, targets
        mixer = mixers[int(torch.randint(len(mixers), (1,)))]
        mixed: tuple[Tensor, Tensor] = mixer(images, targets)
        return mixed

    return mix
