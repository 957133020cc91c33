"""Reading posters that strangers send: three formats, two limits, one kind of error.

Nothing here trusts a file name, a header or a tag. The plugins of Pillow are
called by name: its automatic choice would try dozens of formats, and hand a
JPEG with an odd tag to the plugin for stereo pictures.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from embeddings.errors import PosterError

# Pillow warns about tags that it cannot read. They change nothing here, and users can do nothing about
# them. (A filter for each call would not be safe between threads.)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
# A progressive JPEG passes over all its pixels once per scan. Encoders write about ten scans; a hostile
# file of 20 MB holds a million, and libjpeg would work on them for hours.
MAX_SCANNED_PIXELS = 1_000_000_000

_ORIENTATION = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow raises on hostile bytes, by the reports of its fuzzers; the list is long because its
# decoders let their own errors through. ``Warning`` is there for callers that turn warnings into errors.
_PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,
)


def read_poster(source: Path | bytes, size: tuple[int, int] | None = None) -> Image.Image:
    """Read a JPEG, PNG or WebP image as it is meant to be seen.

    Tags that turn the picture are obeyed, transparency lies on white, of an
    animation the first frame counts, and 16-bit greys, palettes and CMYK
    become RGB.

    Args:
        source: A file, or its bytes.
        size: (width, height) in pixels that the caller will shrink it to. A large JPEG is then decoded at
            half, a quarter or an eighth of its size, never smaller than this.

    Returns:
        An RGB image of at most 25 megapixels.

    Raises:
        PosterError: The file is absent, larger than 20 MB or 25 megapixels, of another format, or damaged.
    """
    data = _read_bytes(source)
    name = _name(source)
    try:
        image = _open(data, name)
        if size is not None and isinstance(image, JpegImagePlugin.JpegImageFile):
            # A tag may turn the picture, so both sides must stay as long as the longer wanted one.
            image.draft("RGB", (max(size), max(size)))
        image.load()
        return _turn(_to_rgb(image), _orientation(image))
    except PosterError:
        raise
    except _PILLOW_ERRORS as error:
        raise PosterError(
            f"{name} is damaged ({_first_line(error)}): get the poster again from where it came"
        ) from error


def poster_size(source: Path | bytes) -> tuple[int, int]:
    """(width, height) in pixels by the header, before any tag turns it; nothing is decoded.

    Raises:
        PosterError: As ``read_poster``, but for damage behind the header.
    """
    data = _read_bytes(source)
    try:
        return _open(data, _name(source)).size
    except PosterError:
        raise
    except _PILLOW_ERRORS as error:
        raise PosterError(
            f"{_name(source)} has a damaged header ({_first_line(error)}): get it again"
        ) from error


def poster_format(data: bytes) -> str | None:
    """``JPEG``, ``PNG`` or ``WEBP`` by the first bytes; None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def _name(source: Path | bytes) -> str:
    return str(source) if isinstance(source, Path) else "this image"


def _read_bytes(source: Path | bytes) -> bytes:
    if isinstance(source, Path):
        try:
            if not source.is_file():
                raise PosterError(f"there is no poster file {source}: check the path")
            n_bytes = source.stat().st_size
            data = source.read_bytes() if n_bytes <= MAX_BYTES else b""
        except OSError as error:
            raise PosterError(f"{source} cannot be read ({error.strerror}): check its permissions") from error
    else:
        data, n_bytes = source, len(source)
    if n_bytes > MAX_BYTES:
        raise PosterError(f"{_name(source)} has {n_bytes / 1e6:.1f} MB, at most 20 are read: save it smaller")
    if not data:
        raise PosterError(f"{_name(source)} is empty: get the poster again from where it came")
    return data


def _open(data: bytes, name: str) -> ImageFile:
    """Parse the header and hold it to the pixel limit; pixels are decoded by ``load``."""
    kind = poster_format(data)
    if kind is None:
        raise PosterError(f"{name} is neither JPEG, PNG nor WebP: save it as one of these")
    if kind == "WEBP":
        # libwebp allocates its canvas when it opens a file, so the limit must be checked before.
        _check_pixels(_webp_size(data), name)
    plugins: dict[str, Callable[[io.BytesIO], ImageFile]] = {
        "JPEG": JpegImagePlugin.JpegImageFile,
        "PNG": PngImagePlugin.PngImageFile,
        "WEBP": WebPImagePlugin.WebPImageFile,
    }
    image = plugins[kind](io.BytesIO(data))
    _check_pixels(image.size, name)
    if kind == "JPEG":
        _check_scans(data, image.size, name)
    return image


def _check_pixels(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise PosterError(f"{name} is {width}x{height} pixels: send a picture that has some")
    if width * height > MAX_PIXELS:
        raise PosterError(
            f"{name} has {width}x{height} pixels, at most {MAX_PIXELS // 1_000_000} million are read: "
            "save it smaller"
        )


def _check_scans(data: bytes, size: tuple[int, int], name: str) -> None:
    # Compressed data never contains the bytes of a marker; tags may, a few times.
    n_scans = data.count(b"\xff\xda")
    if n_scans * size[0] * size[1] > MAX_SCANNED_PIXELS:
        raise PosterError(
            f"{name} is a JPEG of {n_scans} scans, far more than any encoder writes: save it again"
        )


def _webp_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a WebP file by the header of its first chunk.

    Source:
        RFC 9649, sections 2.5 to 2.7.
    """
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("its first chunk is not an image")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        # Pillow clips 16-bit greys at 255 instead of scaling them.
        deep = np.asarray(image).astype(np.float64) / 257.0
        image = Image.fromarray(np.clip(deep, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _PILLOW_ERRORS:
        # A tag that cannot be read turns nothing; the picture itself is sound.
        return 1


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    method = _TRANSPOSE.get(orientation)
    return image if method is None else image.transpose(method)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
