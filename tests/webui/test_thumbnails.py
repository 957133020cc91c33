"""Thumbnails are JPEG files of a width on offer."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from embeddings.errors import PosterError
from webui.thumbnails import make_thumbnail, nearest_width


def drawn(path: Path, size: tuple[int, int], **options: object) -> Path:
    Image.new("RGB", size, (200, 30, 60)).save(path, **options)
    return path


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_poster_is_shrunk_to_the_width_with_its_shape(tmp_path: Path) -> None:
    image = opened(make_thumbnail(drawn(tmp_path / "a.png", (600, 900)), 160))
    assert image.format == "JPEG"
    assert image.size == (160, 240)


def test_a_narrow_poster_is_not_blown_up(tmp_path: Path) -> None:
    assert opened(make_thumbnail(drawn(tmp_path / "a.jpg", (100, 150)), 480)).size == (100, 150)


def test_a_turned_poster_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(make_thumbnail(drawn(tmp_path / "a.jpg", (900, 600), exif=exif), 80)).size == (80, 120)


def test_a_file_that_is_no_poster_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not a picture")
    with pytest.raises(PosterError):
        make_thumbnail(tmp_path / "a.jpg", 80)


@pytest.mark.parametrize(("asked", "given"), [(1, 80), (80, 80), (81, 160), (480, 480), (10_000, 720)])
def test_the_next_width_on_offer_is_taken(asked: int, given: int) -> None:
    assert nearest_width(asked) == given
