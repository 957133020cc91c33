"""Folders of posters, and media servers' folders with ``.nfo`` files."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.catalog import Catalog, Counts
from indexer.importers import import_new_files, import_source
from indexer.importers.folder import movie_of_name
from indexer.scan import scan_posters

NFO = """<?xml version="1.0" encoding="UTF-8"?>
<movie>
  <title>The Matrix</title><year>1999</year>
  <uniqueid type="tmdb">603</uniqueid><uniqueid type="imdb" default="true">tt0133093</uniqueid>
  <genre>Action</genre><genre>Science Fiction / Thriller</genre>
</movie>
https://www.themoviedb.org/movie/603
"""


def touch(path: Path, content: bytes = b"poster") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "movie_id", "title", "year"),
    [
        ("tt0133093", "tt0133093", None, None),
        ("The Matrix (1999)", "the-matrix-1999", "The Matrix", 1999),
        ("Matrix, The (1999)", "the-matrix-1999", "The Matrix", 1999),
        ("Amélie [2001]", "amelie-2001", "Amélie", 2001),
        ("Some film", "some-film", "Some film", None),
        ("千と千尋 (2001)", "千と千尋-2001", "千と千尋", 2001),
        ("a__b.c", "a__b.c", None, None),
    ],
)
def test_a_name_says_which_movie_it_is(name: str, movie_id: str, title: str | None, year: int | None) -> None:
    movie = movie_of_name(name)
    assert movie is not None
    assert (movie.movie_id, movie.title, movie.year) == (movie_id, title, year)


@pytest.mark.parametrize("name", ["", "!!!", "(1999) ... "])
def test_a_name_without_a_letter_or_digit_says_nothing(name: str) -> None:
    movie = movie_of_name(name)
    assert movie is None or movie.movie_id == "1999"


def test_a_folder_of_posters_comes_in(catalog: Catalog, tmp_path: Path) -> None:
    source = tmp_path / "posters"
    matrix = touch(source / "The Matrix (1999)" / "poster.jpg")
    touch(source / "The Matrix (1999)" / "fanart.jpg")
    alien = touch(source / "tt0078748.png")
    touch(source / "tt0078748.webp")
    only = touch(source / "Some film" / "anything.jpeg")
    touch(source / "notes.txt")
    touch(source / ".hidden.jpg")
    touch(source / "moving.gif")
    touch(source / "!!!.jpg")
    touch(source / "Two pictures" / "a.jpg")
    touch(source / "Two pictures" / "b.jpg")
    report = import_source(catalog, source)
    assert (report.format, report.movies, report.posters) == ("folder", Counts(added=3), Counts(added=3))
    found = {
        movie_id: movie.poster
        for movie_id, movie in catalog.find_movies(["the-matrix-1999", "tt0078748", "some-film"]).items()
    }
    assert found == {"the-matrix-1999": str(matrix), "tt0078748": str(alien), "some-film": str(only)}
    assert [Path(failed.where).name for failed in report.failed] == ["!!!.jpg", "moving.gif"]
    assert catalog.poster_dirs() == {source: "folder"}


def test_a_folder_imported_again_changes_nothing_and_a_new_file_is_added(
    catalog: Catalog, tmp_path: Path
) -> None:
    touch(tmp_path / "p" / "tt1.jpg")
    import_source(catalog, tmp_path / "p")
    before = catalog.revision()
    assert import_source(catalog, tmp_path / "p").posters == Counts(unchanged=1)
    assert catalog.revision() == before
    touch(tmp_path / "p" / "tt2.jpg")
    assert import_source(catalog, tmp_path / "p").movies == Counts(added=1, unchanged=1)


def test_a_scan_takes_in_new_files_and_leaves_out_what_was_taken_out(
    catalog: Catalog, tmp_path: Path
) -> None:
    for name in ("tt1", "tt2", "tt3"):
        touch(tmp_path / "p" / f"{name}.jpg")
    import_source(catalog, tmp_path / "p")
    catalog.remove_movies(["tt1"])
    (tmp_path / "p" / "tt2.jpg").unlink()
    scan_posters(catalog)
    touch(tmp_path / "p" / "tt2.png")
    touch(tmp_path / "p" / "Alien (1979).jpg")
    scan_posters(catalog)
    assert sorted(poster.movie_id for poster in catalog.poster_files()) == ["alien-1979", "tt2", "tt3"]
    assert all(poster.sha256 for poster in catalog.poster_files())
    assert catalog.find_movies(["tt1"]) == {}
    before = catalog.revision()
    assert import_new_files(catalog) == 0
    assert catalog.revision() == before


def test_a_media_servers_folder_comes_in(catalog: Catalog, tmp_path: Path) -> None:
    source = tmp_path / "Movies"
    touch(source / "The Matrix (1999)" / "movie.nfo", NFO.encode())
    poster = touch(source / "The Matrix (1999)" / "poster.jpg")
    flat = b"<movie><title>Alien</title><premiered>1979-05-25</premiered><tmdbid>348</tmdbid></movie>"
    touch(source / "Alien.nfo", flat)
    own = touch(source / "Alien-poster.png")
    touch(source / "Untitled" / "x.nfo", "<movie><title>Amélie</title></movie>".encode())
    touch(source / "Show" / "tvshow.nfo", b"<tvshow><title>Show</title></tvshow>")
    report = import_source(catalog, source)
    assert (report.format, report.movies, report.posters) == ("nfo", Counts(added=3), Counts(added=2))
    movie = catalog.get_movie("tt0133093")
    assert (movie.title, movie.year, movie.poster) == ("The Matrix", 1999, str(poster))
    assert movie.genres == ("Action", "Sci-Fi", "Thriller")
    assert catalog.find_by_external_id("tmdb", "603") == "tt0133093"
    alien = catalog.get_movie("tmdb-348")
    assert (alien.title, alien.year, alien.poster) == ("Alien", 1979, str(own))
    assert catalog.get_movie("amelie").title == "Amélie"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an XML file"),
        (b"not xml", "not an XML file"),
        (b"<movie><title>cut", "not an XML file"),
        (b"<movie></movie>", "neither an IMDb or TMDB id nor a title"),
        (
            b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><movie><title>&b;</title></movie>',
            "safe to read",
        ),
        (
            b'<!DOCTYPE m [<!ENTITY f SYSTEM "file:///etc/passwd">]><movie><title>&f;</title></movie>',
            "safe to read",
        ),
        (b"<movie>" + b" " * 2_100_000 + b"</movie>", "larger than"),
    ],
)
def test_an_nfo_file_that_is_broken_or_hostile_is_named(
    catalog: Catalog, tmp_path: Path, content: bytes, said: str
) -> None:
    touch(tmp_path / "m" / "good.nfo", b"<movie><title>Good</title></movie>")
    bad = touch(tmp_path / "m" / "bad.nfo", content)
    report = import_source(catalog, tmp_path / "m")
    assert [(failed.where, said in failed.error) for failed in report.failed] == [(str(bad), True)]
    assert catalog.get_movie("good").title == "Good"
