"""From a poster of any shape to the pixels that a net reads; free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from embeddings.posters import read_poster

Fit = Literal["stretch", "pad", "crop"]
Interpolation = Literal["bilinear", "bicubic", "lanczos", "box"]

_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}
# Pillow first shrinks by a whole factor to three times the wanted size: far quicker on large
# pictures, and by its documentation indistinguishable from one step.
_REDUCING_GAP = 3.0
_PADDING = (128, 128, 128)


@dataclass(frozen=True)
class Preprocessing:
    """How a poster becomes the input of a net; part of every checkpoint.

    Args:
        width: Pixels of the input, 8 to 2048.
        height: Pixels of the input; posters are 2:3, so 1.5 times the width.
        fit: What happens to other shapes: ``stretch`` them, ``pad`` them with grey, or ``crop`` their middle.
        interpolation: How pixels are resampled.

    Raises:
        ValueError: A value is outside what is allowed.
    """

    width: int = 160
    height: int = 240
    fit: Fit = "stretch"
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        if not (8 <= self.width <= 2048 and 8 <= self.height <= 2048):
            raise ValueError(f"width and height must be 8 to 2048 pixels, got {self.width}x{self.height}")
        if self.fit not in ("stretch", "pad", "crop"):
            raise ValueError(f"fit must be stretch, pad or crop, got {self.fit!r}")
        if self.interpolation not in _RESAMPLING:
            raise ValueError(
                f"interpolation must be one of {', '.join(_RESAMPLING)}, got {self.interpolation!r}"
            )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    def apply(self, image: Image.Image) -> NDArray[np.uint8]:
        """Shrink an RGB image to the input size.

        Returns:
            uint8, shape (height, width, 3).
        """
        resample = _RESAMPLING[self.interpolation]
        if self.fit == "pad":
            fitted = ImageOps.pad(image, self.size, method=resample, color=_PADDING)
        else:
            box = _middle(image.size, self.size) if self.fit == "crop" else None
            fitted = image.resize(self.size, resample, box=box, reducing_gap=_REDUCING_GAP)
        return np.asarray(fitted, dtype=np.uint8)


def read_pixels(source: Path | bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Read a poster and shrink it to the input size.

    Returns:
        uint8 RGB, shape (height, width, 3).

    Raises:
        PosterError: The poster cannot or must not be read.
    """
    return preprocessing.apply(read_poster(source, preprocessing.size))


def _middle(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest centred box of the wanted aspect: left, upper, right, lower."""
    scale = min(size[0] / wanted[0], size[1] / wanted[1])
    width, height = wanted[0] * scale, wanted[1] * scale
    left, upper = (size[0] - width) / 2, (size[1] - height) / 2
    return left, upper, left + width, upper + height
