"""A poster-sized canvas: gradients, grain, fitted lettering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 480, 720
Colour = tuple[int, int, int]

# Faces that come with matplotlib, so that every machine draws the same letters.
FACES = {
    "sans": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "oblique": "DejaVuSans-BoldOblique.ttf",
    "serif": "DejaVuSerif.ttf",
    "serif-bold": "DejaVuSerif-Bold.ttf",
    "serif-italic": "DejaVuSerif-Italic.ttf",
    "mono": "DejaVuSansMono-Bold.ttf",
    "roman": "STIXGeneralBol.ttf",
    "script": "STIXGeneralItalic.ttf",
}


@dataclass
class Canvas:
    """An RGB image under work and the random numbers its composition takes."""

    image: Image.Image
    rng: np.random.Generator

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image, "RGBA")

    def between(self, low: float, high: float) -> float:
        """A number between ``low`` and ``high``."""
        return float(self.rng.uniform(low, high))

    def paste(self, layer: Image.Image, mask: Image.Image) -> None:
        """Lay ``layer`` over the image where ``mask`` (L) is bright."""
        self.image.paste(layer, (0, 0), mask)

    def glow(self, centre: tuple[float, float], radius: float, colour: Colour, strength: float = 0.8) -> None:
        """Add a soft light; ``strength`` in [0, 1]."""
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        distance = np.hypot(x - centre[0], y - centre[1]) / radius
        mask = (np.clip(1 - distance, 0, 1) ** 1.7 * 255 * strength).astype(np.uint8)
        self.paste(Image.new("RGB", self.image.size, colour), Image.fromarray(mask))


def blank(colours: Sequence[Colour], rng: np.random.Generator) -> Canvas:
    """A canvas filled with a vertical gradient through ``colours`` (one colour: flat)."""
    stops = np.linspace(0, 1, max(len(colours), 2))
    table = np.array(list(colours) * (2 if len(colours) == 1 else 1), dtype=np.float64)
    at = np.linspace(0, 1, HEIGHT)
    column = np.stack([np.interp(at, stops, table[:, i]) for i in range(3)], axis=1)
    pixels = np.repeat(column[:, None, :], WIDTH, axis=1).astype(np.uint8)
    return Canvas(Image.fromarray(pixels), rng)


def letter(canvas: Canvas, text: str, face: str, box: tuple[int, int, int, int], fill: Colour) -> None:
    """Set ``text`` as large as fits into ``box`` (left, top, right, bottom), centred, on 1 to 3 lines."""
    left, top, right, bottom = box
    lines, font = _fit(text, face, right - left, bottom - top)
    step = int(font.size * 1.12)
    y = top + (bottom - top - step * len(lines)) // 2
    shade = (0, 0, 0, 110) if sum(fill) > 380 else (255, 255, 255, 70)
    for line in lines:
        x = left + (right - left - font.getlength(line)) / 2
        canvas.pen.text((x + 2, y + 3), line, font=font, fill=shade)
        canvas.pen.text((x, y), line, font=font, fill=fill)
        y += step


def load_face(face: str, size: int) -> ImageFont.FreeTypeFont:
    """The face at ``size`` pixels."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / FACES[face]
    return ImageFont.truetype(str(path), size)


def _fit(text: str, face: str, width: int, height: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    for size in range(96, 13, -3):
        font = load_face(face, size)
        lines = _wrap(text, font, width)
        if lines is not None and len(lines) <= 3 and len(lines) * size * 1.12 <= height:
            return lines, font
    return [text], load_face(face, 14)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str] | None:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        elif font.getlength(word) <= width:
            lines.append(word)
        else:
            return None
    return lines


def age(canvas: Canvas, year: int) -> Image.Image:
    """Give the picture the print of its decade: sepia paper, faded dyes, neon, or today's grade."""
    image = canvas.image
    if year < 1960:
        image = _tint(image, (112, 66, 20), 0.45)
        framed = Image.new("RGB", image.size, (236, 222, 188))
        framed.paste(image.resize((WIDTH - 44, HEIGHT - 44), Image.Resampling.LANCZOS), (22, 22))
        return _grain(framed, canvas.rng, 14)
    if year < 1980:
        return _grain(_tint(image, (190, 120, 40), 0.2), canvas.rng, 10)
    if year < 1995:
        return _grain(_tint(image, (150, 30, 140), 0.12), canvas.rng, 6)
    vignette = Canvas(image, canvas.rng)
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    dark = (np.clip(x**2 + y**2 - 0.7, 0, 1) * 120).astype(np.uint8)
    vignette.paste(Image.new("RGB", image.size, (4, 12, 22)), Image.fromarray(dark))
    return _grain(vignette.image, canvas.rng, 3)


def _tint(image: Image.Image, colour: Colour, share: float) -> Image.Image:
    toned = ImageChops.multiply(image.convert("L").convert("RGB"), Image.new("RGB", image.size, colour))
    lifted = ImageChops.add(toned, image.convert("L").convert("RGB"), scale=1.6)
    return Image.blend(image, lifted, share)


def _grain(image: Image.Image, rng: np.random.Generator, amount: float) -> Image.Image:
    noise = rng.normal(0, amount, (HEIGHT, WIDTH, 1))
    pixels = np.clip(np.asarray(image, dtype=np.float64) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.6))
