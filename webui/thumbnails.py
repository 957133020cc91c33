"""Posters at the sizes pages need, made once and kept on disk."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from embeddings.posters import read_poster

WIDTHS = (80, 160, 240, 320, 480, 720)
_QUALITY = 82


def make_thumbnail(poster: Path, width: int) -> bytes:
    """A poster as a JPEG file of a width.

    Args:
        poster: The file.
        width: Pixels; a poster that is narrower keeps its own width.

    Raises:
        PosterError: The poster cannot be read.
    """
    image = read_poster(poster, size=(width, 2 * width))
    image.thumbnail((width, 4 * width), Image.Resampling.LANCZOS, reducing_gap=3.0)
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return jpeg.getvalue()


def nearest_width(width: int) -> int:
    """The smallest width on offer that is at least ``width``, else the largest.

    Example:
        >>> nearest_width(100), nearest_width(5000)
        (160, 720)
    """
    return next((offered for offered in WIDTHS if offered >= width), WIDTHS[-1])
