"""Changing a batch of posters at random, all at once, on the device that trains.

Posters arrive as uint8 and leave as float in [0, 1]. Each poster gets changes
of its own; one ``grid_sample`` does all geometry, one matrix product all
colour, so that augmentation costs little beside the net.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

import embeddings.torchvision_ops  # noqa: F401
from embeddings.training.augment_damage import blur, frame, jpeg_artifacts, pass_through_smaller_size
from embeddings.training.config import AugmentConfig

# Rows turn RGB into lightness and two colour axes (YIQ), where hue is a rotation.
_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def augment(pixels: Tensor, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """Change each poster of a batch at random.

    Args:
        pixels: uint8 RGB, (n, 3, h, w).
        config: Which changes, how strong.
        rng: Generator on the CPU; the batch may lie elsewhere.

    Returns:
        Float32 RGB in [0, 1], (n, 3, h, w), on the device of ``pixels``.
    """
    if config.randaugment_ops:
        pixels = _randaugment(pixels, config, rng)
    images = pixels.float().div_(255.0).contiguous(memory_format=torch.channels_last)
    images = _damage(images, config, rng)
    images = _move(images, config, rng)
    return _recolour(images, config, rng).clamp_(0.0, 1.0)


def _chosen(n: int, chance: float, rng: torch.Generator, device: torch.device) -> Tensor:
    """Rows that an event of this chance happens to, int64."""
    return torch.nonzero(torch.rand(n, generator=rng) < chance).flatten().to(device)


def _between(n: int, low: float, high: float, rng: torch.Generator) -> Tensor:
    return torch.rand(n, generator=rng) * (high - low) + low


def _damage(images: Tensor, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """What happens to posters on their way through the web: frames, resizing, blur, JPEG."""
    n, device = len(images), images.device
    for chance, change in (
        (config.border, frame),
        (config.low_resolution, pass_through_smaller_size),
        (config.blur, blur),
        (config.jpeg, jpeg_artifacts),
    ):
        rows = _chosen(n, chance, rng, device)
        if len(rows):
            images[rows] = change(images[rows], rng)
    return images


def _move(images: Tensor, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """Mirror, crop, stretch, turn, shift, shear and shrink by one resampling."""
    n, _, h, w = images.shape
    # A window of this share of the side is scaled up to the whole; above 1 it shows edges.
    low = math.sqrt(1 - config.crop)
    window = _between(n, low, 1.0 + config.zoom_out, rng)
    aspect = torch.exp(_between(n, -config.stretch, config.stretch, rng) / 2)
    sx, sy = window * aspect, window / aspect
    # Aspect and window together must not reach over the edge unless shrinking is wanted.
    limit = 1.0 + config.zoom_out
    sx, sy = sx.clamp_max(limit), sy.clamp_max(limit)
    turn = torch.deg2rad(_between(n, -config.rotate, config.rotate, rng))
    shear = torch.tan(torch.deg2rad(_between(n, -config.shear, config.shear, rng)))
    free_x, free_y = (1 - sx).clamp_min(0), (1 - sy).clamp_min(0)
    tx = free_x * _between(n, -1, 1, rng) + 2 * _between(n, -config.shift, config.shift, rng)
    ty = free_y * _between(n, -1, 1, rng) + 2 * _between(n, -config.shift, config.shift, rng)
    mirror = torch.where(torch.rand(n, generator=rng) < config.flip, -1.0, 1.0)
    cos, sin, ratio = torch.cos(turn), torch.sin(turn), h / w
    # Coordinates are relative to half the width and half the height: a turn has to undo their ratio.
    theta = torch.stack(
        [
            torch.stack([mirror * sx * cos, sx * (shear * cos - sin) * ratio, tx], dim=1),
            torch.stack([mirror * sy * sin / ratio, sy * (cos + shear * sin), ty], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta.to(images.device), [n, 3, h, w], align_corners=False)
    moved = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


def _recolour(images: Tensor, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation and hue by one matrix for each poster; then erasing."""
    n, device = len(images), images.device
    gain = 1 + _between(n, -config.contrast, config.contrast, rng)
    lift = _between(n, -config.brightness, config.brightness, rng) / 2
    colour = 1 + _between(n, -config.saturation, config.saturation, rng)
    colour = torch.where(torch.rand(n, generator=rng) < config.greyscale, 0.0, colour)
    turn = 2 * math.pi * _between(n, -config.hue, config.hue, rng)
    middle = torch.zeros(n, 3, 3)
    middle[:, 0, 0] = 1
    middle[:, 1, 1], middle[:, 1, 2] = colour * torch.cos(turn), -colour * torch.sin(turn)
    middle[:, 2, 1], middle[:, 2, 2] = colour * torch.sin(turn), colour * torch.cos(turn)
    matrix = gain.view(-1, 1, 1) * (torch.linalg.inv(_TO_YIQ) @ middle @ _TO_YIQ)
    # Contrast turns around each poster's own mean, so that a dark poster stays dark.
    mean = images.mean(dim=(1, 2, 3))
    offset = lift.to(device) + mean * (1 - gain.to(device))
    changed = torch.einsum("nij,njhw->nihw", matrix.to(device), images) + offset.view(-1, 1, 1, 1)
    for row in _chosen(n, config.erase, rng, device).tolist():
        _erase(changed[row], rng)
    return changed.contiguous(memory_format=torch.channels_last)


def _erase(image: Tensor, rng: torch.Generator) -> None:
    """Paint a rectangle of a tenth to a third of each side over, in a random colour."""
    _, h, w = image.shape
    share_h, share_w, top, left, *colour = torch.rand(7, generator=rng).tolist()
    height, width = int(h * (0.1 + 0.23 * share_h)), int(w * (0.1 + 0.23 * share_w))
    y, x = int(top * (h - height)), int(left * (w - width))
    image[:, y : y + height, x : x + width] = torch.tensor(colour, device=image.device).view(3, 1, 1)


def _randaugment(pixels: Tensor, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """RandAugment, drawn anew for every four posters: torchvision's treats what it gets alike.

    Source:
        E. Cubuk et al., "RandAugment", NeurIPS 2020.
    """
    from torchvision.transforms import v2  # only after torchvision_ops, and only where it is wanted

    operation = v2.RandAugment(config.randaugment_ops, config.randaugment_magnitude)
    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's own generator only
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=rng)))
        return torch.cat([operation(part) for part in torch.split(pixels, 4)])
