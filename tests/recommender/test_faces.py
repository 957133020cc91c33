from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embeddings.posters import read_poster
from recommender.faces import FACE_SIZE, shows_face

FACED = ("tt0133952", "tt1131748", "tt1172049", "tt1257562", "tt1634121")
FACELESS = ("tt0024034", "tt0052556")


def text_poster() -> Image.Image:
    picture = Image.new("RGB", (180, 270), "white")
    draw = ImageDraw.Draw(picture)
    for line in range(12):
        draw.text((12, 15 + 20 * line), "THE QUICK BROWN FOX", fill="black")
    return picture


@pytest.mark.parametrize("seed", range(3))
def test_noise_plain_colour_and_letters_are_no_faces(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (270, 180, 3), dtype=np.uint8)
    assert not shows_face(Image.fromarray(noise))
    assert not shows_face(Image.new("RGB", (600, 900), (seed * 100, 40, 90)))
    assert not shows_face(text_poster())


def test_posters_with_a_face_are_told_from_those_without_in_every_thread(real_data: Path) -> None:
    posters = [read_poster(real_data / "posters" / f"{one}.jpg", size=FACE_SIZE) for one in FACED + FACELESS]
    expected = [True] * len(FACED) + [False] * len(FACELESS)
    assert [shows_face(poster) for poster in posters] == expected
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(shows_face, posters * 5)) == expected * 5


FIRST_FROM_ALL_SIDES = """
import time
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
from recommender.faces import shows_face
def ask(i):
    time.sleep(i / 500)  # some while OpenCV is being imported
    return shows_face(Image.new("RGB", (180, 270)))
with ThreadPoolExecutor(50) as threads:
    print(any(threads.map(ask, range(50))))
"""


def test_the_first_posters_may_be_measured_in_several_threads_at_once() -> None:
    """OpenCV is half imported for a moment; no thread may meet it so."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FROM_ALL_SIDES], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("False\n", 0), done.stderr
