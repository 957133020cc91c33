"""What posters show that can be measured: colours, how dark they are, whether there is any, a face."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import PosterError
from embeddings.posters import read_poster
from recommender.faces import FACE_SIZE, shows_face

_SIZE = (48, 72)
_GREY_CHROMA = 12.0
_COLOURLESS_SHARE = 0.95
_DARK, _BRIGHT = 28.0, 66.0
_LEAST_SHARE = 0.15
_NEUTRAL = ("black", "white", "grey")
# Where the hue circle (degrees) changes its English name.
_HUES = (
    (14, "red"),
    (42, "orange"),
    (68, "yellow"),
    (165, "green"),
    (258, "blue"),
    (300, "purple"),
    (342, "pink"),
    (360, "red"),
)
COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
"""Every colour term. Files hold their positions: a new one comes last."""
MOST_COLOURS = int(1 / _LEAST_SHARE)
"""As many as can each have the least share."""
# A dark orange or a dull red is called brown, a light red pink.
_BROWN_BELOW, _DULL_CHROMA, _PINK_ABOVE = 55.0, 35.0, 68.0


@dataclass(frozen=True)
class Picture:
    """What one poster shows.

    Args:
        colours: Share of the picture by colour term, largest first, terms below 15 % left out.
        lightness: Mean CIELAB lightness, 0 black to 100 white.
        colourless: Whether 95 % of it is black, white or grey.
        face: Whether a large frontal face is found with certainty; a small or turned one is not looked for.
    """

    colours: dict[str, float]
    lightness: float
    colourless: bool
    face: bool = False

    @property
    def tone(self) -> str | None:
        """``dark``, ``bright`` or None between them."""
        if self.lightness < _DARK:
            return "dark"
        return "bright" if self.lightness > _BRIGHT else None


def describe_picture(source: Path | bytes) -> Picture:
    """Measure one poster.

    Raises:
        PosterError: It cannot be read.
    """
    poster = read_poster(source, size=FACE_SIZE)
    image = poster.resize(_SIZE)
    lab = rgb_to_lab(np.asarray(image, dtype=np.float64).reshape(-1, 3) / 255)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    grey = chroma < _GREY_CHROMA
    hues = np.asarray(image.convert("HSV"), dtype=np.float64).reshape(-1, 3)[:, 0] * (360 / 255)
    lightness = float(lab[:, 0].mean())
    shares = {
        "black": float((grey & (lab[:, 0] < 25)).mean()),
        "white": float((grey & (lab[:, 0] > 80)).mean()),
    }
    shares["grey"] = float(grey.mean()) - shares["black"] - shares["white"]
    chromatic = _chromatic_counts(hues[~grey], chroma[~grey], lab[~grey, 0])
    shares |= {colour: n / len(lab) for colour, n in chromatic.items()}
    colours = {c: round(s, 3) for c, s in sorted(shares.items(), key=lambda x: -x[1]) if s >= _LEAST_SHARE}
    colourless = float(grey.mean()) >= _COLOURLESS_SHARE
    return Picture(colours, round(lightness, 1), colourless, shows_face(poster))


def shared_words(first: Picture, second: Picture) -> tuple[str, ...]:
    """Words that are true of both: a face, their tone, black-and-white or the colours both have 15 % of."""
    words = ["a face"] if first.face and second.face else []
    words += [first.tone] if first.tone and first.tone == second.tone else []
    if first.colourless and second.colourless:
        return (*words, "black-and-white")
    return (*words, *(c for c in first.colours if c in second.colours and c not in _NEUTRAL))


@functools.lru_cache(maxsize=20_000)
def find_picture(path: str, poster_hash: str | None) -> Picture | None:
    """Measure the poster of a movie once; None where it cannot be read.

    Args:
        path: Its file.
        poster_hash: SHA-256 of its bytes; new bytes are measured anew.
    """
    try:
        return describe_picture(Path(path))
    except PosterError:
        return None


def rgb_to_lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB in [0, 1] to CIELAB (D65), (n, 3).

    Source:
        IEC 61966-2-1:1999; CIE 15:2004, section 8.2.1.

    Example:
        >>> rgb_to_lab(np.array([[1.0, 1.0, 1.0]])).round(1)[0, 0].item()
        100.0
    """
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def _chromatic_counts(
    hues: NDArray[np.float64], chroma: NDArray[np.float64], lightness: NDArray[np.float64]
) -> dict[str, int]:
    names = np.array([name for _, name in _HUES])[np.searchsorted([end for end, _ in _HUES], hues)]
    dark_orange = (names == "orange") & (lightness < _BROWN_BELOW)
    dull_red = (names == "red") & (chroma < _DULL_CHROMA)
    names[(names == "red") & (lightness > _PINK_ABOVE)] = "pink"
    names[dark_orange | (dull_red & (lightness <= _PINK_ABOVE))] = "brown"
    terms, counts = np.unique(names, return_counts=True)
    return dict(zip(terms.tolist(), counts.tolist(), strict=True))
