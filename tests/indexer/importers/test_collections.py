"""Collections in every form that libraries and exports write them in, and in those nobody should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.catalog import Catalog
from indexer.importers import import_source
from indexer.importers.fields import parse_collection


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"id": 8091, "name": "Alien Collection", "poster_path": "/a.jpg"}, "Alien Collection"),
        ('{"id": 8091, "name": "Alien Collection"}', "Alien Collection"),
        ("{'id': 8091, 'name': 'Alien Collection', 'poster_path': None}", "Alien Collection"),
        ("Alien Collection", "Alien Collection"),
        ("  Alien\n\tCollection\x00 ", "Alien Collection"),
        ("#1 {odd}", "#1 {odd}"),
        ({"id": 8091, "name": None}, None),
        ({"id": 8091}, None),
        ({"name": "  "}, None),
        ("N/A", None),
        ("nan", None),
        ("\x00", None),
        ("", None),
        (None, None),
    ],
)
def test_a_collection_is_read_in_every_form(value: object, name: str | None) -> None:
    assert parse_collection(value) == name


@pytest.mark.parametrize(
    "value",
    [
        *(
            5,
            0.06,
            True,
            ["Alien Collection"],
            {"name": 5},
            {"name": ["a"]},
            "{",
            "{'name'}",
            "{5: 6}['name']",
        ),
        *("{'name': __import__('os').getcwd()}", "{" * 9_999, "{" * 99_999, "{'name': 'a'" + "[" * 5_000),
    ],
)
def test_a_collection_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="the collection"):
        parse_collection(value)


@pytest.mark.parametrize(
    ("xml", "name"),
    [
        ("<set>Alien Collection</set>", "Alien Collection"),
        (
            "<set>\n  <name>Alien Collection</name>\n  <overview>Ripley.</overview>\n</set>",
            "Alien Collection",
        ),
        ("<set tmdbcolid='8091'><name>Alien Collection</name></set>", "Alien Collection"),
        ("<set><tmdbcolid>8091</tmdbcolid><name> Alien\nCollection </name></set>", "Alien Collection"),
        ("<sets><set order='1'>Alien Collection</set></sets>", "Alien Collection"),
        ("<set/><set>Alien &amp; Predator</set><set>Other</set>", "Alien & Predator"),
        ("<set><![CDATA[<b>Bold</b>]]></set>", "<b>Bold</b>"),
        ("<set></set>", None),
        ("<set><name/><overview>Ripley.</overview></set>", None),
        ("<set><overview>Ripley.</overview></set>", None),
        ("<set><b><name>Too deep</name></b></set>", None),
        ("<actor><set>Pinewood</set></actor>", None),
        ("<set>{'name': 5}</set>", "{'name': 5}"),
        ("<set>N/A</set>", None),
        ("<set>&#160;</set>", None),
        ("", None),
    ],
)
def test_a_media_servers_set_is_the_movies_collection(
    catalog: Catalog, tmp_path: Path, xml: str, name: str | None
) -> None:
    (tmp_path / "movie.nfo").write_text(f"<movie><title>Aliens</title>{xml}</movie>", encoding="utf-8")
    report = import_source(catalog, tmp_path)
    assert (report.format, report.failed) == ("nfo", [])
    assert catalog.get_movie("aliens").collection == name


@pytest.mark.parametrize("form", ["list", "lines", "csv"])
def test_tmdbs_collections_come_in(catalog: Catalog, tmp_path: Path, form: str) -> None:
    told = {"id": 8091, "name": "Alien Collection", "poster_path": "/a.jpg", "backdrop_path": None}
    movies = [
        {"id": 348, "title": "Alien", "belongs_to_collection": told},
        {"id": 679, "title": "Aliens", "belongs_to_collection": told},
        {"id": 7, "title": "Other", "belongs_to_collection": None},
        {"id": 8, "title": "Odd", "belongs_to_collection": [told]},
    ]
    if form == "csv":
        path = tmp_path / "movies_metadata.csv"
        rows = [f'"{one["belongs_to_collection"] or ""}",{one["id"]},{one["title"]}' for one in movies[:3]]
        text = "\n".join(["belongs_to_collection,id,original_title", *rows, "\"{'name': 1}\",8,Odd"])
    elif form == "list":
        path, text = tmp_path / "movies.json", json.dumps(movies)
    else:
        path, text = tmp_path / "movies.jsonl", "\n".join(map(json.dumps, movies))
    path.write_text(text)
    report = import_source(catalog, path)
    assert report.format == "tmdb"
    assert ["the collection" in one.error for one in report.failed] == [True]
    found = catalog.find_movies(["tmdb-348", "tmdb-679", "tmdb-7", "tmdb-8"])
    assert {one: movie.collection for one, movie in found.items()} == {
        "tmdb-348": "Alien Collection",
        "tmdb-679": "Alien Collection",
        "tmdb-7": None,
    }


@pytest.mark.parametrize("column", ["collection", "Collection", "belongs_to_collection"])
def test_a_poster_table_may_name_collections(catalog: Catalog, tmp_path: Path, column: str) -> None:
    (tmp_path / "labels.csv").write_text(
        f"Id,Genre,{column}\ntt1,Horror,Alien Collection\ntt2,Horror,N/A\ntt3,Horror,\n"
        "tt4,Horror,\"{'name': 'Alien Collection'}\"\ntt5,Horror,{broken\n"
    )
    report = import_source(catalog, tmp_path / "labels.csv")
    assert (report.format, [one.where for one in report.failed]) == ("csv", ["labels.csv, line 6"])
    found = catalog.find_movies(["tt1", "tt2", "tt3", "tt4"]).values()
    assert [movie.collection for movie in found] == ["Alien Collection", None, None, "Alien Collection"]


def test_a_library_that_is_imported_again_tells_its_collections(catalog: Catalog, tmp_path: Path) -> None:
    nfo = tmp_path / "movie.nfo"
    nfo.write_text("<movie><title>Aliens</title></movie>")
    import_source(catalog, tmp_path)
    nfo.write_text("<movie><title>Aliens</title><set>Alien Collection</set></movie>")
    assert import_source(catalog, tmp_path).movies.updated == 1
    assert catalog.get_movie("aliens").collection == "Alien Collection"
    before = catalog.revision()
    assert import_source(catalog, tmp_path).movies.unchanged == 1
    assert catalog.revision() == before
