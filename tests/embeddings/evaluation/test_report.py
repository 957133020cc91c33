"""A report that travels alone, and the command that writes it."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from embeddings.evaluation.document import JudgedPosters, evaluation_document
from embeddings.evaluation.figures import extreme_cells
from embeddings.evaluation.report import write_report
from embeddings.genres import GenreVocabulary
from webui.cli import main

SECTIONS = [
    "Learning curves",
    "Genres, best first",
    "All figures",
    "Chosen genres by true genre",
    "Reliability",
    "F1 by one common cut",
    "Precision and recall",
    "Movies of each genre",
    "Surest hits",
    "Surest misses",
]


@pytest.fixture
def judged() -> JudgedPosters:
    rng = np.random.default_rng(0)
    targets = (rng.random((40, 3)) < 0.4).astype(np.float32)
    probs = np.clip(targets * 0.5 + rng.random((40, 3)) * 0.5, 0, 1).astype(np.float32)
    ids = tuple(f"tt{number}<b>" for number in range(40))
    return JudgedPosters(
        ids, GenreVocabulary(("Comedy", "Drama", "War")), targets, probs, np.full(3, 0.5, "f4")
    )


def test_the_page_holds_everything_and_asks_the_network_for_nothing(
    judged: JudgedPosters, tmp_path: Path
) -> None:
    poster = tmp_path / "poster.jpg"
    Image.new("RGB", (60, 90), "red").save(poster)
    history = [
        {"epoch": 1.0, "train_loss": 1.0, "val_loss": 1.1, "mean_average_precision": 0.2, "macro_f1": 0.2,
         "micro_f1": 0.3},
    ]  # fmt: skip
    posters = dict.fromkeys(judged.movie_ids[:20], poster)
    page = write_report(tmp_path / "report", judged, evaluation_document(judged), posters, history)
    text = page.read_text()
    assert [title for title in SECTIONS if f"<h2>{title}</h2>" not in text] == []
    assert set(re.findall(r'src="(data:image/\w+;base64)', text)) == {
        "data:image/png;base64",
        "data:image/jpeg;base64",
    }
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "tt1<b>" not in text, "ids are escaped"
    assert text.count("<figure>") == 24


def test_genres_may_have_any_name(judged: JudgedPosters, tmp_path: Path) -> None:
    names = ("$\\frac$", '<b>Sci-Fi & "Fantasy"</b>', "Drôle, $5$|%s{}")
    odd = replace(judged, genres=GenreVocabulary(names))
    page = write_report(tmp_path / "report", odd, evaluation_document(odd), {}).read_text()
    assert "<b>Sci-Fi" not in page and "&lt;b&gt;Sci-Fi &amp;" in page
    with (tmp_path / "report" / "per_genre.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(row["genre"] for row in rows) == names


def test_the_tables_hold_the_same_figures(judged: JudgedPosters, tmp_path: Path) -> None:
    document = evaluation_document(judged)
    write_report(tmp_path, judged, document, {})
    assert json.loads((tmp_path / "metrics.json").read_text())["macro_f1"] == document["macro_f1"]
    with (tmp_path / "per_genre.csv").open() as file:
        rows = {row["genre"]: row for row in csv.DictReader(file)}
    assert float(rows["War"]["f1"]) == document["per_genre"]["War"]["f1"]
    with (tmp_path / "predictions.csv").open() as file:
        predictions = list(csv.DictReader(file))
    assert len(predictions) == 40
    assert float(predictions[3]["Drama"]) == pytest.approx(judged.probs[3, 1], abs=1e-5)


def test_the_surest_hits_and_misses_are_the_surest(judged: JudgedPosters) -> None:
    hits, misses = extreme_cells(judged, 5)
    hit_probs = judged.probs[hits[:, 0], hits[:, 1]]
    assert (judged.targets[hits[:, 0], hits[:, 1]] == 1).all()
    assert (judged.targets[misses[:, 0], misses[:, 1]] == 0).all()
    assert hit_probs[0] == judged.probs[judged.targets == 1].max()
    assert (np.diff(hit_probs) <= 0).all()
    assert len(set(hits[:, 0])) == 5


@pytest.fixture
def labels_and_posters(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    posters = tmp_path / "posters"
    posters.mkdir()
    lines = ["Id,Genre"]
    for number in range(8):
        pixels = rng.integers(0, 255, (72, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(posters / f"tt{number}.jpg")
        lines.append(f"tt{number},{'Comedy|Opera' if number % 2 else 'Drama'}")
    (posters / "tt0.jpg").write_bytes(b"broken")
    (tmp_path / "labels.csv").write_text("\n".join([*lines, "tt99,Drama"]))
    return tmp_path / "labels.csv", posters


def test_evaluate_prints_one_document_names_bad_posters_and_writes_the_report(
    tiny_checkpoint: Path, labels_and_posters: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = [
        "evaluate",
        *map(str, labels_and_posters),
        "--model",
        str(tiny_checkpoint),
        "--device",
        "cpu",
    ]
    result = CliRunner().invoke(main, [*arguments, "--json", "--report", str(tmp_path / "report")])
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["n"] == 7
    assert document["labels"] == ["Comedy", "Drama"], "genres that both the file and the checkpoint know"
    assert document["per_genre"]["Comedy"]["threshold"] == pytest.approx(0.4), "the checkpoint's own"
    assert "tt0.jpg" in result.stderr
    assert (tmp_path / "report" / "report.html").is_file()


def test_evaluate_without_json_prints_a_table_beside_the_trivial_predictors(
    tiny_checkpoint: Path, labels_and_posters: tuple[Path, Path]
) -> None:
    arguments = [
        "evaluate",
        *map(str, labels_and_posters),
        "--model",
        str(tiny_checkpoint),
        "--device",
        "cpu",
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    for row in ("this checkpoint", "all_negative", "all_positive", "most_frequent", "Comedy", "Drama"):
        assert row in result.stdout


def test_evaluate_with_flip_gives_pictures_and_mirror_images_the_same_figures(
    tiny_checkpoint: Path, labels_and_posters: tuple[Path, Path], tmp_path: Path
) -> None:
    labels, posters = labels_and_posters
    (tmp_path / "mirrored").mkdir()
    for path in posters.glob("*.jpg"):
        if path.name != "tt0.jpg":
            with Image.open(path) as poster:
                mirror_image = poster.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mirror_image.save(tmp_path / "mirrored" / path.with_suffix(".png").name)
    briers = {}
    for folder in (posters, tmp_path / "mirrored"):
        for options in ([], ["--flip"]):
            arguments = ["evaluate", str(labels), str(folder), "--model", str(tiny_checkpoint), "--json"]
            result = CliRunner().invoke(main, [*arguments, *options])
            assert result.exit_code == 0, result.stderr
            briers[folder, bool(options)] = json.loads(result.stdout)["brier_skill"]
    straight, mirrored = posters, tmp_path / "mirrored"
    assert briers[straight, True] == pytest.approx(briers[mirrored, True], abs=1e-5)
    assert briers[straight, False] != pytest.approx(briers[mirrored, False], abs=1e-5)


def test_evaluate_on_a_folder_without_labelled_posters_says_so(tiny_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("Id,Genre\ntt1,Drama\n")
    arguments = ["evaluate", str(tmp_path / "labels.csv"), str(tmp_path), "--model", str(tiny_checkpoint)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "none of the 1 movies has both genres and a poster" in result.stderr
