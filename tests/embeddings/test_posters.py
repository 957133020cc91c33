from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from embeddings.errors import PosterError
from embeddings.posters import MAX_BYTES, MAX_PIXELS, poster_format, poster_size, read_poster

Encode = Callable[..., bytes]

# What each real edge case is: the size it is seen at, or the words of the sentence that refuses it.
EDGE_CASES = {
    "pillow__apng_delay.png": (128, 64),
    "pillow__exif_typeerror.jpg": (800, 531),
    "pillow__hopper.jpg": (128, 128),
    "pillow__hopper.webp": (128, 128),
    "pillow__hopper_16bit_qtables.jpg": (128, 128),
    "pillow__hopper_bad_exif.jpg": (500, 500),
    "pillow__hopper_idat_after_image_end.png": (128, 128),
    "pillow__hopper_orientation_3.jpg": (128, 128),
    "pillow__hopper_orientation_6.jpg": (128, 128),
    "pillow__hopper_orientation_6.webp": (128, 128),
    "pillow__hopper_orientation_8.jpg": (128, 128),
    "pillow__iss634.webp": (245, 245),
    "pillow__junk_jpeg_header.jpg": (1024, 768),
    "pillow__p_16.png": (128, 128),
    "pillow__pil_sample_cmyk.jpg": (100, 100),
    "pillow__sugarshack.mpo": (640, 480),
    "pillow__sugarshack_bad_mpo_header.jpg": (640, 480),
    "pillow__tRNS_null_1x1.png": (1, 1),
    "pillow__transparent.webp": (200, 150),
    "pillow__truncated_app14.jpg": (100, 100),
    "pillow__xmp_tags_orientation.png": (326, 268),
    "sharp__16-bit-grey-alpha.png": (109, 96),
    "sharp__Flag_of_the_Netherlands-16bit.png": (900, 600),
    "sharp__Portrait_8.jpg": (450, 600),
    "sharp__full-transparent.png": (300, 300),
    "sharp__rotating-squares.webp": (80, 80),
    "pillow__broken.png": "is damaged",
    "pillow__broken_data_stream.png": "is damaged",
    "pillow__truncated_end_chunk.png": "is damaged",
    "pillow__truncated_jpeg.jpg": "is damaged",
    "pillow__unknown_compression_method.png": "is damaged",
    "sharp__corrupt-header.jpg": "is damaged",
    "sharp__truncated.png": "is damaged",
    "sharp__giant-image.jpg": "has 20000x14000 pixels",
    "sharp__65536-uint32-limit.png": "has 65536x65536 pixels",
}


@pytest.mark.real_data
def test_every_real_edge_case_is_a_picture_or_one_sentence(real_data: Path) -> None:
    files = sorted((real_data / "edgecases").iterdir())
    assert {path.name for path in files} > set(EDGE_CASES)
    for path in files:
        expected = EDGE_CASES.get(path.name, "is neither JPEG, PNG nor WebP")
        if isinstance(expected, tuple):
            image = read_poster(path)
            assert (image.mode, image.size) == ("RGB", expected), path
        else:
            with pytest.raises(PosterError, match=expected) as caught:
                read_poster(path)
            assert "\n" not in str(caught.value) and path.name in str(caught.value)


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["orientation_3.jpg", "orientation_6.jpg", "orientation_8.jpg", "orientation_6.webp"]
)
def test_turned_copies_of_a_real_photograph_all_stand_upright(real_data: Path, name: str) -> None:
    upright = np.asarray(read_poster(real_data / "edgecases" / "pillow__hopper.jpg")).astype(int)
    turned = np.asarray(read_poster(real_data / "edgecases" / f"pillow__hopper_{name}")).astype(int)
    assert np.abs(upright - turned).mean() < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_format_is_told_by_content_not_by_name(
    kind: str, picture: Image.Image, encode_image: Encode, tmp_path: Path
) -> None:
    path = tmp_path / "poster.gif"
    path.write_bytes(encode_image(picture, kind))
    assert read_poster(path).size == (60, 90)
    assert poster_format(path.read_bytes()) == kind
    assert poster_size(path) == (60, 90)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO"])
def test_other_formats_are_refused_even_under_a_jpeg_name(
    kind: str, picture: Image.Image, encode_image: Encode, tmp_path: Path
) -> None:
    path = tmp_path / "poster.jpg"
    path.write_bytes(encode_image(picture, kind))
    with pytest.raises(PosterError, match=r"poster\.jpg is neither JPEG, PNG nor WebP"):
        read_poster(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_undone(
    orientation: int, picture: Image.Image, encode_image: Encode
) -> None:
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture.transpose(inverse[orientation]) if orientation > 1 else picture
    read = read_poster(encode_image(stored, "PNG", exif=exif))
    assert np.array_equal(np.asarray(read), np.asarray(picture))


# One entry: the orientation, as the text "abc".
TEXT_ORIENTATION = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHI4sI", 0x0112, 2, 4, b"abc\0", 0)


@pytest.mark.parametrize(
    "tags",
    [b"II*\0", b"MM\0*\xff\xff\xff\xff", b"\xff" * 64, b"junk", TEXT_ORIENTATION],
    ids=["cut short", "points outside", "ones", "junk", "text"],
)
def test_hostile_exif_turns_nothing_and_raises_nothing(
    tags: bytes, picture: Image.Image, encode_image: Encode
) -> None:
    data, exif = encode_image(picture, "JPEG"), b"Exif\0\0" + tags
    tagged = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    assert np.array_equal(np.asarray(read_poster(tagged)), np.asarray(read_poster(data)))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGBA", (4, 4), (0, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 128)), (255, 127, 127)),
        (Image.new("LA", (4, 4), (0, 0)), (255, 255, 255)),
        (Image.new("L", (4, 4), 77), (77, 77, 77)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("RGB", (4, 4), "lime").quantize(4), (0, 255, 0)),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 128 * 257, np.uint16)), (128, 128, 128)),
    ],
    ids=["clear", "half clear", "clear grey", "grey", "bilevel", "palette", "16-bit white", "16-bit grey"],
)
def test_every_kind_of_pixel_becomes_the_colour_that_is_seen(
    image: Image.Image, expected: tuple[int, ...], encode_image: Encode
) -> None:
    read = read_poster(encode_image(image, "PNG"))
    assert read.mode == "RGB"
    assert read.getpixel((1, 1)) == expected


def test_a_transparent_palette_colour_lies_on_white(encode_image: Encode) -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert read_poster(encode_image(image, "PNG", transparency=0)).getpixel((0, 0)) == (255, 255, 255)


def test_cmyk_becomes_rgb(encode_image: Encode) -> None:
    read = read_poster(encode_image(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    red, green, blue = read.getpixel((8, 8))
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind: str, encode_image: Encode) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    data = encode_image(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert read_poster(data).getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_a_truncated_picture_is_an_error_at_any_length(kind: str, share: float, encode_image: Encode) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 64, 3), dtype=np.uint8)
    data = encode_image(Image.fromarray(noise), kind)
    with pytest.raises(PosterError):
        read_poster(data[: int(len(data) * share)])


def test_no_bytes_and_no_file_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    for source in (b"", tmp_path / "empty.jpg"):
        with pytest.raises(PosterError, match="is empty"):
            read_poster(source)
    for absent in (tmp_path / "absent.jpg", tmp_path):
        with pytest.raises(PosterError, match="there is no poster file"):
            read_poster(absent)


def test_a_pipe_is_no_poster_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PosterError, match="there is no poster file"):
        read_poster(tmp_path / "pipe.jpg")


def test_a_file_of_more_than_twenty_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(PosterError, match=r"has 20\.0 MB, at most 20"):
        read_poster(path)
    with pytest.raises(PosterError, match="at most 20"):
        read_poster(b"\xff\xd8\xff" + bytes(MAX_BYTES))


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header promises a size, and whose pixels are 16 bytes of nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(16))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def webp_header(kind: bytes, width: int, height: int) -> bytes:
    """A WebP file whose header promises a size, and nothing behind it."""
    body = {
        b"VP8X": bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
        b"VP8L": b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + bytes(5),
        b"VP8 ": b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }[kind]
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


@pytest.mark.parametrize(
    "data",
    [png_header(100_000, 251), *(webp_header(kind, 16_000, 1_600) for kind in (b"VP8X", b"VP8L", b"VP8 "))],
    ids=["PNG", "VP8X", "VP8L", "VP8"],
)
def test_a_header_that_promises_too_many_pixels_is_refused_before_decoding(data: bytes) -> None:
    with pytest.raises(PosterError, match="at most 25 million are read"):
        read_poster(data)
    with pytest.raises(PosterError, match="at most 25 million are read"):
        poster_size(data)


def test_exactly_the_allowed_number_of_pixels_is_read(encode_image: Encode) -> None:
    assert MAX_PIXELS == 5000 * 5000
    assert read_poster(encode_image(Image.new("1", (5000, 5000)), "PNG")).size == (5000, 5000)


def test_a_jpeg_of_endless_scans_is_refused(encode_image: Encode) -> None:
    data = encode_image(Image.new("RGB", (2000, 2000), "navy"), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    assert read_poster(data).size == (2000, 2000)
    with pytest.raises(PosterError, match="scans"):
        read_poster(data[:-2] + last_scan * 2000 + data[-2:])


def test_a_large_jpeg_is_decoded_smaller_but_never_below_what_is_wanted(encode_image: Encode) -> None:
    data = encode_image(Image.new("RGB", (1600, 2400), "teal"), "JPEG")
    assert read_poster(data).size == (1600, 2400)
    assert read_poster(data, (160, 240)).size == (400, 600)
    assert read_poster(data, (1600, 2400)).size == (1600, 2400)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_a_picture_or_a_poster_error(data: st.DataObject, picture: Image.Image) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    damaged = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert read_poster(bytes(damaged)).mode == "RGB"
    except PosterError as error:
        assert "this image" in str(error)
