from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFont

from embeddings.checkpoint import BUNDLED, CheckpointManifest
from embeddings.encoded import Poster
from embeddings.encoder import Encoder
from embeddings.errors import CheckpointError, LabelsError
from embeddings.lettering import (
    LETTERING_NAME,
    LetteringModel,
    find_lettering,
    fit_lettering,
    main,
    read_grades,
)

GRADES = Path(__file__).parents[2] / "benchmarks" / "lettering_labels.csv"
# Looked at, and not among those that were fitted on.
LETTERED = ("tt0032637", "tt0034012", "tt0036260", "tt0039677")
PICTURES = ("tt0211915", "tt0266543", "tt0137523", "tt0372784")
WORDS = ["THE", "MOST", "HORRIFYING", "STORY", "EVER", "TOLD", "ABOUT", "A", "LOST", "WORLD", "OF", "TERROR"]


@pytest.fixture(scope="module")
def model() -> LetteringModel:
    """Fitted where the first number of an embedding tells how much lettering there is."""
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 3, 600)
    embeddings = rng.normal(size=(600, 8)).astype(np.float32)
    embeddings[:, 0] = grades * 6 - 4
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return fit_lettering(embeddings, grades, "abc")


def lettered(paper: str, ink: str) -> Image.Image:
    """A poster whose words fill it, line below line."""
    picture = Image.new("RGB", (300, 450), paper)
    for line, word in enumerate(WORDS[:8]):
        font = ImageFont.load_default(44)
        ImageDraw.Draw(picture).text((150, 12 + 52 * line), word, ink, font, anchor="ma")
    return picture


def moonlight() -> Image.Image:
    grey = np.repeat(np.linspace(20, 120, 450, dtype=np.uint8)[:, None], 300, axis=1)
    picture = Image.fromarray(grey).convert("RGB")
    ImageDraw.Draw(picture).ellipse((100, 60, 200, 160), "lightyellow")
    return picture


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_much_lettering_is_said_where_it_is_certain_and_nowhere_else(model: LetteringModel) -> None:
    towards, across = np.eye(8, dtype=np.float32)[:2]
    rows = np.stack([towards, across, -towards, np.zeros(8, np.float32)])
    assert model.shows_much(rows).tolist() == [True, False, False, False]
    probs = model.probs(rows)
    assert probs.dtype == np.float32
    assert probs[0] > 0.95 > probs[1] > 0.05 > probs[2]


def test_figures_are_of_posters_that_were_not_fitted_on(model: LetteringModel) -> None:
    assert model.metrics["n"] == 600
    assert model.metrics["precision"] > 0.95
    rng = np.random.default_rng(1)
    chance = fit_lettering(rng.normal(size=(200, 150)).astype(np.float32), rng.integers(0, 2, 200), "abc")
    assert chance.metrics["n_said"] > 0
    assert chance.metrics["precision"] < 0.75


def test_too_few_posters_of_a_kind_are_refused() -> None:
    with pytest.raises(LabelsError, match="of 30 posters 5 have much lettering: at least 10 with"):
        fit_lettering(np.ones((30, 4), np.float32), np.array([2] * 5 + [0] * 25), "abc")


def test_a_reading_is_found_for_its_own_encoder_only(model: LetteringModel, tmp_path: Path) -> None:
    assert find_lettering(tmp_path, "abc") is None
    assert find_lettering(Path(__file__), "abc") is None
    path = tmp_path / LETTERING_NAME
    path.write_text(json.dumps(asdict(model)))
    assert find_lettering(tmp_path, "abc") == model
    assert find_lettering(tmp_path, "abd") is None
    path.write_text(json.dumps(asdict(model) | {"fingerprint": "abd"}))
    os.utime(path, ns=(1, 1))
    assert find_lettering(tmp_path, "abc") is None
    assert find_lettering(tmp_path, "abd") is not None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"fingerprint": "a", "weight": [[1]], "bias": 0}',
        '{"fingerprint": "a", "weight": [1], "bias": [0]}',
    ],
)
def test_a_damaged_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / LETTERING_NAME).write_text(content)
    with pytest.raises(CheckpointError, match=r"is damaged .*: fit it with .*, or delete it"):
        find_lettering(tmp_path, "a")


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("Id\ntt1\n", "without Id"),
        ("Id,lettering\ntt1,some\n", "without Id"),
        ("Id,lettering\ntt1,3\n", "as 3"),
    ],
)
def test_grades_that_are_none_are_refused(content: str, wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text(content)
    with pytest.raises(LabelsError, match=wrong):
        read_grades(path)


def test_the_command_fits_the_reading_of_a_checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    shutil.copytree(tiny_checkpoint, checkpoint)
    lines = ["Id,lettering"]
    for i in range(24):
        much = i % 2 == 0
        picture = Image.new("RGB", (60, 90), (240, 230 - i, 40) if much else (10, 20 + i, 90))
        (tmp_path / f"tt{i}.png").write_bytes(png(picture))
        lines.append(f"tt{i},{int(much)}")
    grades = tmp_path / "grades.csv"
    grades.write_text("\n".join(lines))
    result = CliRunner().invoke(main, [str(grades), str(tmp_path), "--model", str(checkpoint)])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["n_much"] == 12
    fingerprint = CheckpointManifest.read(checkpoint).fingerprint
    assert find_lettering(checkpoint, fingerprint) is not None


@pytest.fixture(scope="module")
def bundled() -> tuple[Encoder, LetteringModel]:
    encoder = Encoder.load(BUNDLED, "cpu")
    found = find_lettering(BUNDLED, encoder.fingerprint)
    assert found is not None, "fit it with `python -m embeddings.lettering` after a new training"
    return encoder, found


def test_drawn_letters_are_told_from_drawn_pictures(bundled: tuple[Encoder, LetteringModel]) -> None:
    encoder, reading = bundled
    drawn = [
        lettered("white", "darkred"),
        lettered("black", "gold"),
        moonlight(),
        Image.new("RGB", (200, 300)),
    ]
    encoded = encoder.encode([Poster(str(i), png(picture)) for i, picture in enumerate(drawn)])
    probs = reading.probs(encoded.embeddings)
    assert probs[:2].min() > 0.5
    assert probs[2:].max() < 0.2


def test_real_posters_full_of_letters_are_told_from_pictures(
    bundled: tuple[Encoder, LetteringModel], real_data: Path
) -> None:
    assert not set(LETTERED) & read_grades(GRADES).keys()
    encoder, reading = bundled
    encoded = encoder.encode(
        [Poster(one, real_data / "posters" / f"{one}.jpg") for one in LETTERED + PICTURES]
    )
    assert reading.shows_much(encoded.embeddings).tolist() == [True] * 4 + [False] * 4
    assert reading.probs(encoded.embeddings)[4:].max() < 0.5
