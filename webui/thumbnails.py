"""Posters at the sizes pages need, made once and kept on disk."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from embeddings.posters import read_poster

WIDTHS = (80, 160, 240, 320, 480, 720)
_QUALITY = 82


@dataclass(frozen=True)
class Thumbnails:
    """A cache of sized posters; it may be deleted at any time.

    Args:
        directory: Where the files lie, under the hash of the poster they were made from.
    """

    directory: Path

    def get(self, poster: Path, poster_hash: str, width: int) -> Path:
        """The JPEG file of a poster at a width, made now where it is not there yet.

        Args:
            poster: The file.
            poster_hash: SHA-256 of its bytes: a changed poster gets a new file.
            width: Wanted width in pixels; the next of ``WIDTHS`` is taken, and none above the poster's own.

        Raises:
            PosterError: The poster cannot be read.
        """
        width = nearest_width(width)
        path = self.directory / poster_hash[:2] / f"{poster_hash}-{width}.jpg"
        if not path.is_file():
            image = read_poster(poster, size=(width, 2 * width))
            image.thumbnail((width, 4 * width), Image.Resampling.LANCZOS, reducing_gap=3.0)
            _save_aside(image, path)
        return path


def nearest_width(width: int) -> int:
    """The smallest width on offer that is at least ``width``, else the largest.

    Example:
        >>> nearest_width(100), nearest_width(5000)
        (160, 720)
    """
    return next((offered for offered in WIDTHS if offered >= width), WIDTHS[-1])


def _save_aside(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            image.save(file, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
        # Two requests may make the same file at once; a reader sees one or the other, never half.
        Path(aside).replace(path)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise
