"""The commands that fill the catalog, through the entry point."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indexer import database
from indexer.catalog import open_catalog
from indexer.models import SCHEMA_HEAD
from indexer.settings import load_settings
from webui.cli import main

Run = Callable[..., Result]


@pytest.fixture
def onesheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``onesheet --home HOME ...``."""
    for name in ("ONESHEET_DATABASE_URL", "ONESHEET_POSTER_HOSTS"):
        monkeypatch.delenv(name, raising=False)

    def run(*args: object) -> Result:
        return CliRunner().invoke(main, ["--home", str(tmp_path / "home"), *map(str, args)])

    return run


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A labels file of two movies, one bad row, and a poster of the first."""
    (tmp_path / "posters").mkdir()
    (tmp_path / "posters" / "tt1.jpg").write_bytes(b"poster")
    path = tmp_path / "labels.csv"
    path.write_text("Id,Genre,title,year\ntt1,Drama,One,1999\ntt2,Comedy,Two,\n../x,Drama,Bad,\n")
    return path


def document(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_an_import_prints_what_it_did_as_one_document(onesheet: Run, labels: Path) -> None:
    first = onesheet("import", labels, "--posters", labels.parent / "posters", "--json")
    assert first.exit_code == 0
    report = document(first)
    assert (report["source"], report["format"]) == (str(labels), "csv")
    assert report["movies"] == {"added": 2, "updated": 0, "unchanged": 0}
    assert report["posters"] == {"added": 1, "updated": 0, "unchanged": 0}
    assert report["ratings"] == {"added": 0, "updated": 0, "unchanged": 0}
    assert [failed["where"] for failed in report["failed"]] == ["labels.csv, line 4"]
    second = document(onesheet("import", labels, "--posters", labels.parent / "posters", "--json"))
    assert second["movies"] == {"added": 0, "updated": 0, "unchanged": 2}


def test_an_import_reads_well_without_json(onesheet: Run, labels: Path) -> None:
    result = onesheet("import", labels)
    assert result.stdout.splitlines()[0] == f"{labels} (csv)"
    assert "2 added" in result.stdout
    assert "labels.csv, line 4: '../x' is not a movie id" in result.stderr


def test_strict_fails_where_anything_was_left_out(onesheet: Run, labels: Path) -> None:
    assert onesheet("import", labels, "--strict").exit_code == 1
    labels.write_text("Id,Genre\ntt1,Drama\n")
    assert onesheet("import", labels, "--strict").exit_code == 0


def test_an_import_of_which_nothing_could_be_read_fails(onesheet: Run, labels: Path) -> None:
    labels.write_text("Id,Genre\n../x,Drama\n")
    assert onesheet("import", labels).exit_code == 1


@pytest.mark.parametrize("args", [["absent.csv"], ["{labels}", "--posters", "absent"]])
def test_what_is_not_there_is_one_sentence(onesheet: Run, labels: Path, args: list[str]) -> None:
    result = onesheet("import", *(str(labels) if one == "{labels}" else one for one in args))
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("onesheet: ")


def test_an_unknown_format_is_wrong_usage(onesheet: Run, labels: Path) -> None:
    assert onesheet("import", labels, "--format", "netflix").exit_code == 2


def test_posters_on_hosts_that_are_not_allowed_are_counted(onesheet: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Id,Genre,poster\ntt1,Drama,https://img.example/1.jpg\n")
    result = onesheet("import", tmp_path / "a.csv")
    assert result.exit_code == 0
    assert "1 posters were not downloaded: ONESHEET_POSTER_HOSTS does not allow img.example" in result.stderr


def test_removed_movies_are_named_and_unknown_ones_too(onesheet: Run, labels: Path) -> None:
    onesheet("import", labels)
    result = onesheet("remove", "tt1", "tt9", "--json")
    assert result.exit_code == 0
    assert document(result) == {"removed": ["tt1"], "unknown": ["tt9"]}
    again = onesheet("remove", "tt1")
    assert again.exit_code == 1
    assert "no movie 'tt1'" in again.stderr


def test_the_poster_file_of_a_removed_movie_goes_where_the_home_kept_it_and_stays_where_the_user_does(
    onesheet: Run, labels: Path, tmp_path: Path
) -> None:
    onesheet("import", labels, "--posters", tmp_path / "posters")
    own = tmp_path / "home" / "posters" / "tt2.png"
    own.parent.mkdir()
    own.write_bytes(b"poster")
    catalog = open_catalog(load_settings(tmp_path / "home", {}))
    catalog.set_posters({"tt2": own})
    catalog.close()
    assert document(onesheet("remove", "tt1", "tt2", "--json"))["removed"] == ["tt1", "tt2"]
    assert not own.exists()
    assert (tmp_path / "posters" / "tt1.jpg").exists()


def test_removing_from_no_catalog_says_what_to_do_first(onesheet: Run) -> None:
    result = onesheet("remove", "tt1")
    assert result.exit_code == 1
    assert "onesheet import" in result.stderr


def test_the_schema_is_printed_and_brought_up_to_date(onesheet: Run, tmp_path: Path) -> None:
    before = onesheet("db", "current", "--json")
    assert (before.exit_code, document(before)) == (1, {"current": None, "head": SCHEMA_HEAD})
    assert document(onesheet("db", "upgrade", "--json")) == {"before": None, "after": SCHEMA_HEAD}
    assert onesheet("db", "current").exit_code == 0
    assert "up to date" in onesheet("db", "upgrade").stdout


def test_an_old_schema_stops_the_commands_and_names_the_cure(
    onesheet: Run, labels: Path, tmp_path: Path
) -> None:
    onesheet("import", labels)
    engine = database.make_engine(f"sqlite:///{tmp_path / 'home' / 'catalog.db'}")
    database.downgrade(engine, "0001")
    engine.dispose()
    result = onesheet("import", labels)
    assert result.exit_code == 1
    assert "onesheet db upgrade" in result.stderr
