from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from indexer import database
from indexer.models import SCHEMA_HEAD
from webui.cli import main

QUERY = "tt0000004"


def run(home, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home.settings.home), "similar", *arguments])


def test_json_is_one_document_with_the_keys_of_the_contract(home) -> None:
    result = run(home, QUERY, "-k", "4", "--less", "tt0000009", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert {"query", "weights", "k", "filters", "results", "snapshot", "took_ms"} <= set(document)
    assert document["query"] == {"movie_ids": [QUERY], "less": ["tt0000009"]}
    assert sum(document["weights"].values()) == pytest.approx(1)
    assert set(document["weights"]) == {"visual", "genre", "taste"}
    assert document["k"] == len(document["results"]) == 4
    keys = {"movie_id", "title", "year", "genres", "score", "percentile", "signals", "reasons", "poster_url"}
    for movie in document["results"]:
        assert set(movie) == keys
        assert set(movie["signals"]) == {"visual", "genre", "taste"}
        assert all({"kind", "text"} <= set(reason) for reason in movie["reasons"])


def test_every_option_reaches_the_answer(home) -> None:
    options = ["--visual", "2", "--genre", "1", "--filter-genre", "Drama", "--years", "1960-1990"]
    options += [
        "--exclude",
        "tt0000011",
        "--min-score",
        "0.01",
        "--diversity",
        "0.2",
        "--collapse-duplicates",
    ]
    result = run(home, QUERY, "-k", "6", *options, "--series", "hide", "--json")
    document = json.loads(result.stdout)
    assert document["weights"] == pytest.approx({"visual": 2 / 3, "genre": 1 / 3, "taste": 0})
    assert document["filters"] == {
        "genres": ["Drama"],
        "year_min": 1960,
        "year_max": 1990,
        "exclude": ["tt0000011"],
        "min_score": 0.01,
    }
    assert (document["diversity"], document["collapse_duplicates"], document["series"]) == (0.2, True, "hide")
    assert all(1960 <= movie["year"] <= 1990 and "Drama" in movie["genres"] for movie in document["results"])


def test_a_home_of_the_first_schema_is_refused_upgraded_and_answers_as_before(own_home) -> None:
    before = json.loads(run(own_home, QUERY, "--json").stdout)
    own_home.catalog.close()
    engine = database.make_engine(own_home.settings.database_url)
    database.downgrade(engine, "0001")
    engine.dispose()
    refused = run(own_home, QUERY)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "run `onesheet db upgrade`" in refused.stderr
    assert refused.stderr.count("\n") == 1
    upgraded = CliRunner().invoke(main, ["--home", str(own_home.settings.home), "db", "upgrade"])
    assert (upgraded.exit_code, upgraded.stdout) == (0, f"schema 0001 -> {SCHEMA_HEAD}\n")
    after = json.loads(run(own_home, QUERY, "--json").stdout)
    assert {**after, "took_ms": 0} == {**before, "took_ms": 0}
    verified = CliRunner().invoke(main, ["--home", str(own_home.settings.home), "verify"])
    assert verified.exit_code == 0, verified.output


def test_series_of_a_collection_come_first_or_not_at_all(own_home) -> None:
    labels = own_home.settings.home / "named.csv"
    labels.write_text("Id,title,collection\ntt0000004,,Odd Pair\ntt0000033,,The Odd Pair Collection\n")
    arguments = ["--home", str(own_home.settings.home), "import", str(labels)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    first = json.loads(run(own_home, QUERY, "--series", "first", "--json").stdout)["results"]
    assert first[0]["movie_id"] == "tt0000033"
    assert first[0]["reasons"][0] == {
        "kind": "collection",
        "text": "Same collection: The Odd Pair Collection",
        "data": {"collections": ["Odd Pair", "The Odd Pair Collection"]},
    }
    assert "Same collection: The Odd Pair" in run(own_home, QUERY, "--series", "first").stdout
    hidden = json.loads(run(own_home, QUERY, "-k", "59", "--series", "hide", "--json").stdout)["results"]
    assert len(hidden) == 58
    assert "tt0000033" not in {one["movie_id"] for one in hidden}


def test_the_table_names_title_year_score_and_a_reason(home) -> None:
    result = run(home, "tt0000002", "-k", "59")
    assert result.exit_code == 0
    assert "More like Night Train 2" in result.stdout
    assert "[red] Alert (1964)" in result.stdout
    assert "Both Comedy, Romance" in result.stdout
    assert all(len(line) <= 120 for line in result.stdout.splitlines())


def test_a_title_names_a_movie_whatever_its_case_accents_and_article(home) -> None:
    by_id = json.loads(run(home, "tt0000011", "--json").stdout)
    by_title = json.loads(run(home, "chateau rouge", "--json").stdout)
    assert by_title["results"] == by_id["results"]
    assert by_title["query"] == by_id["query"]


def test_a_title_of_two_movies_is_refused_until_its_year_is_given(home) -> None:
    refused = run(home, "Lost")
    assert refused.exit_code == 1
    assert "tt0000012 Lost (1962), tt0000013 Lost (1963)" in refused.stderr
    assert json.loads(run(home, "Lost (1963)", "--json").stdout)["query"]["movie_ids"] == ["tt0000013"]


def test_an_unknown_movie_is_one_sentence_with_close_ones(home) -> None:
    result = run(home, "Nigth Train 2")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "there is no movie 'Nigth Train 2'" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "tt0000002 Night Train 2 (1952)" in run(home, "Night Trian 2").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (QUERY, "-k", "0"),
        (QUERY, "--years", "80-90"),
        (QUERY, "--min-score", "2"),
        (QUERY, "--visual", "-1"),
    ],
)
def test_wrong_usage_exits_with_two(home, arguments: tuple[str, ...]) -> None:
    assert run(home, *arguments).exit_code == 2


@pytest.mark.parametrize(
    ("text", "years"), [("1985", (1985, 1985)), ("1980-", (1980, None)), ("-1989", (None, 1989))]
)
def test_a_span_of_years_may_be_open(home, text: str, years: tuple[int | None, int | None]) -> None:
    filters = json.loads(run(home, QUERY, f"--years={text}", "--json").stdout)["filters"]
    assert (filters["year_min"], filters["year_max"]) == years


def test_an_impossible_request_exits_with_one_and_one_sentence(home) -> None:
    result = run(home, QUERY, "--filter-genre", "Opera")
    assert result.exit_code == 1
    assert "no genre is called 'Opera'" in result.stderr


def test_similar_by_id_never_imports_torch(home) -> None:
    code = (
        "import sys; from webui.cli import main\n"
        f"arguments = ['--home', {str(home.settings.home)!r}, 'similar', {QUERY!r}, '--json']\n"
        "main(arguments, standalone_mode=False)\n"
        "heavy = {'torch', 'torchvision', 'sklearn', 'implicit', 'flask'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"]
