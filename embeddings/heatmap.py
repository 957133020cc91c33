"""What in a poster speaks for a genre: Grad-CAM at the last map of features."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from embeddings.errors import InvalidRequestError
from embeddings.models.ensemble import BranchedBackbone
from embeddings.models.poster_net import PosterNet
from embeddings.posters import read_poster

_MAX_WIDTH = 500


@dataclass(frozen=True)
class Heatmap:
    """Evidence for one genre over a poster.

    Args:
        genre: The genre it speaks for.
        values: float32, (height, width) of the encoder's input, in [0, 1]; 1 speaks loudest, and all is 0
            where nothing in the poster speaks for the genre.
        source: The poster.
    """

    genre: str
    values: NDArray[np.float32]
    source: Path | bytes

    def png(self) -> bytes:
        """The poster in dark greys, what speaks for the genre glowing on it; PNG, at most 500 pixels wide.

        Raises:
            PosterError: The poster cannot be read.
        """
        from matplotlib import colormaps

        poster = read_poster(self.source)
        poster.thumbnail((_MAX_WIDTH, 4 * _MAX_WIDTH))
        heat = Image.fromarray(self.values).resize(poster.size, Image.Resampling.BICUBIC)
        strength = np.clip(np.asarray(heat), 0.0, 1.0)[..., None]
        dim = np.asarray(poster.convert("L"), dtype=np.float32)[..., None] * 0.6
        glow = colormaps["inferno"](strength[..., 0])[..., :3] * 255.0
        # Where the evidence is, the poster itself must stay recognisable below the glow.
        share = 0.7 * strength
        blended = dim * (1.0 - share) + (0.75 * glow + 0.25 * np.asarray(poster)) * share
        buffer = io.BytesIO()
        Image.fromarray(blended.astype(np.uint8)).save(buffer, "PNG")
        return buffer.getvalue()


def genre_heatmap(net: PosterNet, pixels: NDArray[np.uint8], column: int) -> NDArray[np.float32]:
    """Grad-CAM of one genre's logit.

    A pair of backbones gives the sum of both maps: gradients of the same
    logit are on one scale.

    Args:
        net: In evaluation mode; hooks are put on it for the time of the call, so no other thread may use it.
        pixels: uint8 RGB, (height, width, 3).
        column: The genre's column.

    Returns:
        float32, (height, width), in [0, 1].

    Raises:
        InvalidRequestError: The architecture has no map of features, or captum is not installed.

    Source:
        Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2.
    """
    try:
        from captum.attr import LayerGradCam
    except ImportError as error:
        raise InvalidRequestError(
            "heat-maps need the package captum: pip install 'onesheet[heatmap]'"
        ) from error
    device = next(net.parameters()).device
    x = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].to(device).float() / 255.0
    x.requires_grad_(True)
    height, width = pixels.shape[:2]
    total = torch.zeros(height, width)
    for layer in _last_maps(net, x):
        attribution: Tensor = LayerGradCam(lambda batch: net(batch).logits, layer).attribute(x, target=column)
        grown = F.interpolate(attribution.detach().float().cpu(), (height, width), mode="bilinear")
        total += grown[0, 0]
    evidence = total.clamp_min(0.0)
    heat: NDArray[np.float32] = (evidence / evidence.max().clamp_min(1e-12)).numpy()
    return heat


def _last_maps(net: PosterNet, x: Tensor) -> list[nn.Module]:
    """For each backbone the module that ran last of those whose output is a map (n, c, h, w)."""
    backbone = net.backbone
    branches = list(backbone.branches) if isinstance(backbone, BranchedBackbone) else [backbone]
    layers = [_last_map(branch, x) for branch in branches]
    found = [layer for layer in layers if layer is not None]
    if not found:
        raise InvalidRequestError(
            f"{net.spec.arch} has no map of features: heat-maps need a convolutional net"
        )
    return found


def _last_map(backbone: nn.Module, x: Tensor) -> nn.Module | None:
    ran: list[nn.Module] = []

    def record(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        # An empty container hands its input on: that is the poster, not a map of features.
        is_map = isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[-2:]) > 1
        if is_map and output is not inputs[0]:
            ran.append(module)

    handles = [module.register_forward_hook(record) for module in backbone.modules()]
    try:
        with torch.no_grad():
            backbone(x)
    finally:
        for handle in handles:
            handle.remove()
    return ran[-1] if ran else None
