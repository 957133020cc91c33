from __future__ import annotations

import csv
import json
import math
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from embeddings.checkpoint import CheckpointManifest
from embeddings.eras import EraModel
from webui.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two posters, one of them in a folder below; a broken one; a text that is none of our business."""
    folder = tmp_path / "posters"
    (folder / "below").mkdir(parents=True)
    Image.new("RGB", (60, 90), "navy").save(folder / "a.jpg")
    Image.new("RGB", (60, 90), "gold").save(folder / "below" / "b.PNG")
    (folder / "broken.webp").write_bytes(b"RIFF\0\0\0\0WEBP")
    (folder / "notes.txt").write_text("not a poster")
    return folder


@pytest.fixture
def predict(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs ``onesheet predict`` with the small checkpoint, named as a user names it."""
    monkeypatch.setenv("ONESHEET_MODEL", str(tiny_checkpoint))

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, ["predict", *map(str, arguments)])

    return run


def test_json_names_every_poster_and_every_failure(predict, folder: Path) -> None:
    result = predict(folder, "--json", "--device", "cpu")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [Path(p["poster"]).name for p in document["posters"]] == ["a.jpg", "b.PNG"]
    assert [Path(p["poster"]).name for p in document["failed"]] == ["broken.webp"]
    assert set(document["posters"][0]["genre_probs"]) == {"Action", "Comedy", "Drama", "Horror", "Romance"}
    thresholds = dict(
        zip(("Action", "Comedy", "Drama", "Horror", "Romance"), (0.3, 0.4, 0.5, 0.6, 0.7), strict=True)
    )
    for poster in document["posters"]:
        expected = [genre for genre, cut in thresholds.items() if poster["genre_probs"][genre] >= cut]
        assert poster["genres"] == expected
    assert "broken.webp" in result.stderr and "Traceback" not in result.stderr


def test_people_get_one_line_per_poster(predict, folder: Path) -> None:
    result = predict(folder / "a.jpg", folder / "below")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{folder / 'a.jpg'}: ")


def test_the_table_has_the_columns_of_the_contract(predict, folder: Path, tmp_path: Path) -> None:
    result = predict(folder, "--csv", tmp_path / "out.csv", "--json")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "predicted_labels", "raw_probs"]
    for row, poster in zip(rows, json.loads(result.stdout)["posters"], strict=True):
        assert row["file"] == poster["poster"]
        assert row["predicted_labels"] == "|".join(poster["genres"])
        assert json.loads(row["raw_probs"]) == poster["genre_probs"]


def test_strict_turns_one_bad_poster_into_exit_code_one(predict, folder: Path) -> None:
    assert predict(folder, "--strict").exit_code == 1
    assert predict(folder / "a.jpg", "--strict").exit_code == 0


def test_if_nothing_could_be_read_the_exit_code_is_one(predict, folder: Path) -> None:
    for sources in ([folder / "broken.webp"], [folder / "absent.jpg"]):
        result = predict(*sources, "--json")
        assert result.exit_code == 1
        assert len(json.loads(result.stdout)["failed"]) == 1


def test_an_empty_folder_is_one_sentence(predict, tmp_path: Path) -> None:
    result = predict(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1 and "holds no poster" in result.stderr


def test_a_model_that_is_no_checkpoint_is_one_sentence(predict, folder: Path, tmp_path: Path) -> None:
    result = predict(folder, "--model", tmp_path / "none")
    assert result.exit_code == 1
    assert result.stderr.startswith("onesheet: ") and "is no checkpoint" in result.stderr


def test_without_a_poster_the_usage_is_wrong(predict) -> None:
    assert predict().exit_code == 2


def test_a_table_that_cannot_be_written_is_one_sentence(predict, folder: Path, tmp_path: Path) -> None:
    result = predict(folder, "--csv", tmp_path / "absent" / "out.csv")
    assert result.exit_code == 1 and "cannot be written" in result.stderr
    assert not result.stdout, "posters were looked at first"


def test_without_an_era_model_the_cure_is_named(predict, folder: Path) -> None:
    result = predict(folder, "--eras")
    assert result.exit_code == 1
    assert "knows no eras: fit it with `python -m embeddings.eras" in result.stderr


def test_eras_are_said_in_every_form_of_answer(
    predict, folder: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_checkpoint, model)
    fingerprint = CheckpointManifest.read(model).fingerprint
    # No weights and one bias: every poster looks like the seventies.
    eras = EraModel(fingerprint, ["1960s", "1970s"], [[0.0, 0.0]] * 32, [0.0, math.log(3.0)])
    (model / "eras.json").write_text(json.dumps(asdict(eras)))
    result = predict(folder / "a.jpg", "--eras", "--json", "--model", model, "--csv", tmp_path / "out.csv")
    (poster,) = json.loads(result.stdout)["posters"]
    assert poster["era"] == "1970s"
    assert poster["era_probs"] == pytest.approx({"1960s": 0.25, "1970s": 0.75})
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["predicted_era"] for row in csv.DictReader(file)] == ["1970s"]
    assert "(looks like 1970s)" in predict(folder / "a.jpg", "--eras", "--model", model).stdout
