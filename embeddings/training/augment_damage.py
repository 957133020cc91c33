"""What the web does to posters: frames, smaller copies, blur and JPEG, for a batch of float RGB.

All take images in [0, 1], (n, 3, h, w), and a CPU generator, and give new
images of that shape.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_BLOCK = 8
# Annex K of the JPEG standard (ITU-T T.81): quantisation at quality 50, lightness and colour.
_LIGHT = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
_COLOUR = """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def frame(images: Tensor, rng: torch.Generator) -> Tensor:
    """Shrink each poster into a plain frame of 2 to 10 % a side: black, white, or any colour."""
    n, _, h, w = images.shape
    scale = 1 / (1 - 2 * (0.02 + 0.08 * torch.rand(n, 2, generator=rng)))
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = scale[:, 0], scale[:, 1]
    grid = F.affine_grid(theta.to(images.device), [n, 3, h, w], align_corners=False)
    inner = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    outside = (grid.abs() > 1).any(dim=-1).unsqueeze(1)
    kind = torch.rand(n, 1, generator=rng)
    colour = torch.where(kind < 0.4, 0.0, torch.where(kind < 0.8, 1.0, torch.rand(n, 3, generator=rng)))
    return torch.where(outside, colour.to(images.device).view(n, 3, 1, 1), inner)


def pass_through_smaller_size(images: Tensor, rng: torch.Generator) -> Tensor:
    """Shrink to between a third and the whole and back, all alike, with or without smoothing."""
    share, smooth = torch.rand(2, generator=rng).tolist()
    h, w = images.shape[-2:]
    factor = 1 / 3 + share * 2 / 3
    small = F.interpolate(
        images,
        (max(1, round(h * factor)), max(1, round(w * factor))),
        mode="bilinear",
        antialias=smooth < 0.7,
    )
    return F.interpolate(small, (h, w), mode="bilinear")


def blur(images: Tensor, rng: torch.Generator) -> Tensor:
    """Blur with a Gaussian of 0.5 to 2 pixels, all alike."""
    sigma = 0.5 + 1.5 * float(torch.rand(1, generator=rng))
    radius = math.ceil(2.5 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(images.device).repeat(3, 1)
    padded = F.pad(images, (radius, radius, radius, radius), mode="replicate")
    across = F.conv2d(padded, kernel.view(3, 1, 1, -1), groups=3)
    return F.conv2d(across, kernel.view(3, 1, -1, 1), groups=3)


def jpeg_artifacts(images: Tensor, rng: torch.Generator) -> Tensor:
    """Compress as JPEG of quality 25 to 90, each poster its own.

    The standard's transform and quantisation without its entropy coding, which
    loses nothing, and without halved colour: so it runs on any device.
    """
    n, _, h, w = images.shape
    device = images.device
    quality = 25 + 65 * torch.rand(n, generator=rng)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50).to(device)
    tables = torch.stack([_table(_LIGHT), _table(_COLOUR), _table(_COLOUR)]).to(device)
    steps = (tables[None, :, None, None] * scale.view(n, 1, 1, 1, 1, 1)).round_().clamp_(1, 255)
    to_ycc = torch.tensor(_TO_YCC, device=device)
    ycc = torch.einsum("ij,njhw->nihw", to_ycc, images * 255)
    ycc[:, 0] -= 128
    padded = F.pad(ycc, (0, -w % _BLOCK, 0, -h % _BLOCK), mode="replicate")
    blocks = padded.unfold(2, _BLOCK, _BLOCK).unfold(3, _BLOCK, _BLOCK)
    basis = _dct_basis().to(device)
    coefficients = basis @ blocks @ basis.T
    restored = basis.T @ ((coefficients / steps).round_() * steps) @ basis
    ycc = restored.permute(0, 1, 2, 4, 3, 5).reshape(padded.shape)[..., :h, :w].contiguous()
    ycc[:, 0] += 128
    rgb = torch.einsum("ij,njhw->nihw", torch.linalg.inv(to_ycc), ycc)
    return (rgb / 255).clamp_(0, 1)


def _table(text: str) -> Tensor:
    return torch.tensor([float(word) for word in text.split()]).view(_BLOCK, _BLOCK)


def _dct_basis() -> Tensor:
    """Orthonormal cosines, (8, 8): rows are frequencies."""
    frequency, place = torch.meshgrid(torch.arange(_BLOCK), torch.arange(_BLOCK), indexing="ij")
    basis = torch.cos(math.pi * (2 * place + 1) * frequency / (2 * _BLOCK)) * math.sqrt(2 / _BLOCK)
    basis[0] /= math.sqrt(2)
    return basis
