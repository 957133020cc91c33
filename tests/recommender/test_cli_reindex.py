from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from embeddings.encoder import Encoder
from indexer.catalog import open_catalog
from indexer.catalog.records import MovieFacts
from indexer.settings import load_settings
from webui.cli import main


@pytest.fixture
def posters(tmp_path: Path, colour_encoder, drawn, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with three movies; their posters are drawn, one of them is not a picture."""
    monkeypatch.setattr(Encoder, "load", lambda *_args, **_kwargs: colour_encoder)
    catalog = open_catalog(load_settings(tmp_path, environ={}))
    catalog.upsert_movies([MovieFacts(f"tt{i}", f"Film {i}") for i in range(3)], "csv")
    folder = tmp_path / "posters-in"
    folder.mkdir()
    for i in range(2):
        (folder / f"tt{i}.jpg").write_bytes(drawn([(200, 40 * i, 30)] * 4))
    (folder / "tt2.jpg").write_bytes(b"not a picture")
    catalog.set_posters({path.stem: path for path in folder.iterdir()})
    catalog.close()
    return folder


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), "reindex", *arguments])


def test_json_has_the_keys_of_the_contract_and_names_each_failure(posters: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    keys = {"embedded", "unchanged", "removed", "failed", "posters_per_second", "snapshot"}
    assert set(document) == keys
    assert (document["embedded"], document["unchanged"], document["removed"]) == (2, 0, 0)
    [failed] = document["failed"]
    assert set(failed) == {"movie_id", "poster", "error"}
    assert failed["movie_id"] == "tt2"
    assert "tt2: " in result.stderr


def test_a_second_run_embeds_nothing_and_all_embeds_everything(posters: Path, tmp_path: Path) -> None:
    first = json.loads(run(tmp_path, "--json").stdout)
    second = json.loads(run(tmp_path, "--json").stdout)
    assert (second["embedded"], second["unchanged"]) == (0, 2)
    assert second["snapshot"] == first["snapshot"]
    again = json.loads(run(tmp_path, "--all", "--batch-size", "1", "--workers", "1", "--json").stdout)
    assert again["embedded"] == 2


def test_new_leaves_known_files_for_a_whole_run(posters: Path, tmp_path: Path, drawn) -> None:
    run(tmp_path)
    (posters / "tt0.jpg").write_bytes(drawn([(10, 240, 30)] * 4))
    assert json.loads(run(tmp_path, "--new", "--json").stdout)["embedded"] == 0
    assert json.loads(run(tmp_path, "--json").stdout)["embedded"] == 1


@pytest.mark.parametrize("other", ["--all", "--watch"])
def test_new_goes_with_no_option_that_needs_every_file(tmp_path: Path, other: str) -> None:
    result = run(tmp_path, "--new", other)
    assert result.exit_code == 2
    assert f"--new looks at no file that is known, which {other} asks for" in result.stderr


def test_without_json_it_is_one_readable_line(posters: Path, tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.stdout.startswith("2 posters embedded (")
    assert "1 failed" in result.stdout
    assert result.stdout.count("\n") == 1


def test_watching_without_a_poster_directory_says_what_to_do(
    tmp_path: Path, colour_encoder, monkeypatch
) -> None:
    monkeypatch.setattr(Encoder, "load", lambda *_args, **_kwargs: colour_encoder)
    open_catalog(load_settings(tmp_path, environ={})).close()
    result = run(tmp_path, "--watch")
    assert result.exit_code == 1
    assert "no directory to watch" in result.stderr


def test_the_smallest_catalogs_are_answered_from(posters: Path, tmp_path: Path) -> None:
    def similar() -> Result:
        return CliRunner().invoke(main, ["--home", str(tmp_path), "similar", "tt0", "--json"])

    run(tmp_path)
    two = json.loads(similar().stdout)
    assert [result["movie_id"] for result in two["results"]] == ["tt1"]
    assert two["weights"]["taste"] == 0
    CliRunner().invoke(main, ["--home", str(tmp_path), "remove", "tt1"])
    alone = similar()
    assert alone.exit_code == 0, alone.stderr
    assert json.loads(alone.stdout)["results"] == []
    run(tmp_path)
    assert json.loads(similar().stdout)["results"] == []
