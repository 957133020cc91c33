from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from embeddings.errors import PosterError
from recommender.pictures import Picture, describe_picture, find_picture, rgb_to_lab, shared_words


def png(*colours: tuple[int, int, int]) -> bytes:
    """Vertical bars of equal width."""
    image = Image.new("RGB", (len(colours), 1))
    image.putdata(list(colours))
    file = io.BytesIO()
    image.resize((120, 180), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


RED, BLUE, GREEN, YELLOW = (190, 30, 35), (20, 60, 190), (20, 130, 50), (245, 215, 40)
BLACK, WHITE, GREY = (5, 5, 5), (250, 250, 250), (128, 128, 128)


@pytest.mark.parametrize(
    ("colour", "word"),
    [
        (RED, "red"),
        (BLUE, "blue"),
        (GREEN, "green"),
        (YELLOW, "yellow"),
        ((240, 130, 20), "orange"),
        ((110, 40, 140), "purple"),
        ((250, 170, 190), "pink"),
        ((90, 55, 25), "brown"),
        (BLACK, "black"),
        (WHITE, "white"),
        (GREY, "grey"),
    ],
)
def test_a_picture_of_one_colour_is_called_by_its_name(colour: tuple[int, int, int], word: str) -> None:
    assert describe_picture(png(colour)).colours == {word: 1.0}


def test_colours_come_largest_first_and_small_ones_are_left_out() -> None:
    picture = describe_picture(png(RED, RED, RED, BLUE, BLUE, RED, RED, RED, RED, GREEN))
    assert list(picture.colours) == ["red", "blue"]
    assert picture.colours["red"] == pytest.approx(0.7, abs=0.03)


def test_dark_bright_and_colourless_pictures_are_told_apart() -> None:
    assert describe_picture(png(BLACK, BLACK, RED)).tone == "dark"
    assert describe_picture(png(WHITE, WHITE, YELLOW)).tone == "bright"
    assert describe_picture(png(RED, GREY)).tone is None
    assert describe_picture(png(BLACK, GREY, WHITE)).colourless
    assert not describe_picture(png(BLACK, GREY, RED)).colourless


def test_only_what_both_pictures_show_is_said_of_both() -> None:
    assert shared_words(describe_picture(png(RED, BLUE)), describe_picture(png(BLUE, YELLOW))) == ("blue",)
    assert shared_words(describe_picture(png(RED)), describe_picture(png(GREEN))) == ()
    greys = describe_picture(png(BLACK, BLACK, GREY)), describe_picture(png(BLACK, BLACK, BLACK, GREY))
    assert shared_words(*greys) == ("dark", "black-and-white")
    assert shared_words(greys[0], describe_picture(png(BLACK, BLACK, RED))) == ("dark",)


def test_a_face_is_said_only_where_both_pictures_show_one() -> None:
    faced, faceless = Picture({}, 50.0, False, True), Picture({}, 50.0, False, False)
    assert shared_words(faced, faced) == ("a face",)
    assert shared_words(faced, faceless) == shared_words(faceless, faceless) == ()


def test_the_lab_values_of_the_primaries_are_those_of_the_standard() -> None:
    expected = [[53.2, 80.1, 67.2], [87.7, -86.2, 83.2], [32.3, 79.2, -107.9]]
    np.testing.assert_allclose(rgb_to_lab(np.eye(3)), expected, atol=0.15)


def test_a_picture_that_cannot_be_read_raises_and_a_file_of_the_catalog_is_passed_over(tmp_path) -> None:
    with pytest.raises(PosterError):
        describe_picture(b"nothing")
    assert find_picture(str(tmp_path / "absent.jpg"), None) is None


def test_new_bytes_are_measured_anew(tmp_path) -> None:
    path = tmp_path / "poster.png"
    path.write_bytes(png(RED))
    assert find_picture(str(path), "first") == Picture({"red": 1.0}, pytest.approx(41, abs=3), False)
    path.write_bytes(png(BLUE))
    assert list(find_picture(str(path), "first").colours) == ["red"]
    assert list(find_picture(str(path), "second").colours) == ["blue"]
