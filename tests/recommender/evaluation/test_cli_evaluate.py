from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.settings import Settings
from webui.cli import main


def run(settings: Settings, *arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(main, ["--home", str(settings.home), "evaluate-similar", *arguments])
    return found.exit_code, found.stdout, found.stderr


def test_json_is_one_document_and_the_report_holds_it_with_a_table_and_a_plot(
    judged_settings: Settings, tmp_path: Path
) -> None:
    code, out, _ = run(judged_settings, "--repeats", "1", "--json", "--report", str(tmp_path / "report"))
    assert code == 0
    document = json.loads(out)
    assert document["protocol"] == "warm"
    assert document["rows"]["blend_default"]["matched_ndcg_at_10"] > 0
    assert json.loads((tmp_path / "report" / "warm.json").read_text()) == document
    assert "`blend_default` over `taste`" in (tmp_path / "report" / "warm.md").read_text()
    assert (tmp_path / "report" / "warm-deciles.svg").read_text().startswith("<?xml")


def test_genres_are_judged_by_a_labels_file(judged_settings: Settings, tmp_path: Path) -> None:
    lines = [f"tt{i:07d},\"['{'Comedy' if i % 2 == 0 else 'Drama'}']\"" for i in range(50)]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["Id,Genre", *lines, "tt0000099,N/A"]), encoding="utf-8")
    code, out, _ = run(
        judged_settings, "--protocol", "genre", "--labels", str(labels), "--repeats", "1", "--json"
    )
    assert code == 0
    document = json.loads(out)
    assert document["n_queries"] == 40  # four fifths in each split
    assert document["rows"]["oracle"]["jaccard_at_10"] == 1.0


def test_only_the_test_side_of_a_split_is_judged_and_without_one_that_is_said(
    judged_settings: Settings, tmp_path: Path
) -> None:
    split = tmp_path / "split.json"
    sides = {"train": ["tt0000001"], "validation": [], "test": [f"tt{i:07d}" for i in range(100, 150)]}
    split.write_text(json.dumps(sides), encoding="utf-8")
    arguments = ["--protocol", "genre", "--repeats", "1", "--json"]
    code, out, err = run(judged_settings, *arguments, "--split", str(split))
    assert (code, json.loads(out)["n_movies"], err) == (0, 50, "")
    code, out, err = run(judged_settings, *arguments)
    assert (code, json.loads(out)["n_movies"]) == (0, 260)
    assert "also those that the encoder may have learned from" in err
    split.write_text("[]", encoding="utf-8")
    code, out, err = run(judged_settings, *arguments, "--split", str(split))
    assert (code, out) == (1, "")
    assert "is not a split" in err


def test_an_option_that_a_protocol_does_not_look_at_is_named(
    judged_settings: Settings, tmp_path: Path
) -> None:
    ratings = tmp_path / "people.csv"
    ratings.write_text("userId,Id,rating,timestamp\n", encoding="utf-8")
    code, _, err = run(judged_settings, "--protocol", "genre", "--repeats", "1", "--ratings", str(ratings))
    assert code == 0
    assert "--ratings is not looked at under --protocol genre" in err


def test_people_of_a_file_are_judged_by(judged_settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "others.csv"
    rows = [f"{p},tt{m:07d},{5 if p % 2 == m % 2 else 1},0" for p in range(8) for m in range(p, 200, 3)]
    file.write_text("\n".join(["userId,Id,rating,timestamp", *rows]), encoding="utf-8")
    code, out, _ = run(judged_settings, "--ratings", str(file), "--repeats", "1", "--json")
    assert code == 0
    assert json.loads(out)["n_users"] == 8


@pytest.mark.parametrize("text", ["nonsense", "Id,Genre\ntt0000001,['Drama\n"])
def test_a_labels_file_that_cannot_be_read_is_one_sentence(
    judged_settings: Settings, tmp_path: Path, text: str
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(text, encoding="utf-8")
    code, out, err = run(judged_settings, "--protocol", "genre", "--labels", str(labels))
    assert (code, out) == (1, "")
    assert str(labels) in err
    assert "Traceback" not in err


def test_help_does_not_load_torch() -> None:
    script = (
        "import sys; from webui.cli import main\n"
        "try: main(['evaluate-similar', '--help'])\n"
        "except SystemExit: print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.endswith("False\n")
