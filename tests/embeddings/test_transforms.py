from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from embeddings.transforms import Preprocessing, read_pixels


def test_stretch_keeps_every_part_of_the_picture(picture: Image.Image) -> None:
    pixels = Preprocessing(16, 16, "stretch").apply(picture)
    assert pixels.shape == (16, 16, 3) and pixels.dtype == np.uint8
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[15, 0]) == (255, 0, 0)
    assert tuple(pixels[15, 15]) == (0, 0, 255)


def test_pad_puts_grey_beside_and_keeps_the_aspect(picture: Image.Image) -> None:
    pixels = Preprocessing(90, 90, "pad").apply(picture)
    assert tuple(pixels[45, 0]) == tuple(pixels[45, 89]) == (128, 128, 128)
    assert tuple(pixels[80, 20]) == (255, 0, 0)
    assert tuple(pixels[80, 70]) == (0, 0, 255)


def test_crop_takes_the_middle(picture: Image.Image) -> None:
    pixels = Preprocessing(30, 30, "crop").apply(picture)
    # Rows 15 to 75 of 90 remain, so the white band of 20 rows shrinks to 5 of 60.
    assert (pixels[:2] == 255).all()
    assert not (pixels[4:] == 255).all(axis=2).any()
    assert tuple(pixels[20, 2]) == (255, 0, 0)


def test_an_image_of_the_right_size_is_not_touched(picture: Image.Image) -> None:
    for fit in ("stretch", "pad", "crop"):
        assert np.array_equal(Preprocessing(60, 90, fit).apply(picture), np.asarray(picture))


def test_a_turned_jpeg_that_is_decoded_smaller_still_fills_the_input(
    encode_image: Callable[..., bytes],
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("RGB", (2000, 500), "orange")
    data = encode_image(wide, "JPEG", exif=exif, quality=95)
    pixels = read_pixels(data, Preprocessing(100, 400))
    assert pixels.shape == (400, 100, 3)
    assert np.abs(pixels.astype(int) - (255, 165, 0)).max() <= 3


def test_decoding_smaller_changes_a_picture_by_little(encode_image: Callable[..., bytes]) -> None:
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 255, (30, 20, 3), dtype=np.uint8))
    data = encode_image(coarse.resize((1600, 2400), Image.Resampling.BICUBIC), "JPEG", quality=92)
    preprocessing = Preprocessing(160, 240)
    whole = np.asarray(Image.open(io.BytesIO(data)).resize((160, 240), Image.Resampling.BILINEAR))
    difference = np.abs(read_pixels(data, preprocessing).astype(int) - whole.astype(int))
    assert difference.mean() < 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"width": 7}, "8 to 2048"),
        ({"height": 2049}, "8 to 2048"),
        ({"fit": "squash"}, "stretch, pad or crop"),
        ({"interpolation": "magic"}, "bilinear"),
    ],
)
def test_a_value_outside_what_is_allowed_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Preprocessing(**arguments)
