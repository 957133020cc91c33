"""The poster tables and IMDb's: every form a stranger may write them in."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from embeddings.errors import InvalidRequestError, LabelsError
from indexer.catalog import Catalog, Counts
from indexer.importers import import_source
from indexer.importers.fields import as_imdb, parse_genres, parse_imdb_id, parse_year


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("['Comedy', 'Drama']", ("Comedy", "Drama")),
        ('["Drama", "Comedy"]', ("Comedy", "Drama")),
        ("Comedy|Drama", ("Comedy", "Drama")),
        ("Comedy, Drama", ("Comedy", "Drama")),
        ("Comedy,  Comedy", ("Comedy",)),
        ('[{"id": 18, "name": "Drama"}]', ("Drama",)),
        ("[{'id': 18, 'name': 'Drama'}]", ("Drama",)),
        ("['N/A']", ()),
        ("N/A", ()),
        ("\\N", ()),
        ("(no genres listed)", ()),
        ("", ()),
        ("[]", ()),
    ],
)
def test_genres_are_read_in_every_form(text: str, genres: tuple[str, ...]) -> None:
    assert parse_genres(text) == genres


@pytest.mark.parametrize(
    "text", ["[", "[1, 2]", "['a', 3]", "[__import__('os')]", "['a'" + "[" * 5000, "[" * 9999, "[" * 99999]
)
def test_a_list_of_genres_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="genre"):
        parse_genres(text)


def test_other_services_genres_get_imdbs_names() -> None:
    found = as_imdb(("Children", "IMAX", "Science Fiction", "TV Movie", "Drama"))
    assert found == ("Drama", "Family", "Sci-Fi")


@pytest.mark.parametrize(
    ("text", "movie_id"),
    [("114709", "tt0114709"), ("tt0114709", "tt0114709"), ("10872600", "tt10872600"), ("1.0", "tt0000001")]
    + [(bad, None) for bad in ("", "0", "tt", "-5", "ttx", "12345678901", "１２３")],
)
def test_imdb_numbers_become_ids(text: str, movie_id: str | None) -> None:
    if text == "１２３":
        movie_id = "tt0000123"  # full-width digits are digits
    assert parse_imdb_id(text) == movie_id


@pytest.mark.parametrize(
    ("text", "year"), [("1999", 1999), ("1999.0", 1999), ("1999-3-31", 1999), ("", None)]
)
def test_years_are_read_in_every_form(text: str, year: int | None) -> None:
    assert parse_year(text) == year


@pytest.mark.parametrize("text", ["99", "0000", "19990", "soon", "1999x"])
def test_what_is_no_year_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a year"):
        parse_year(text)


def test_the_public_csv_comes_in_with_its_quirks(catalog: Catalog, tmp_path: Path) -> None:
    source = write(
        tmp_path / "train.csv",
        "Id,Genre,Action,Comedy\n"
        "tt0000001,\"['Comedy', 'Drama']\",0,1\n"
        "tt0000002,['N/A'],0,0\n"
        "tt0000001,\"['Comedy', 'Romance']\",0,1\n",
    )
    report = import_source(catalog, source)
    assert (report.format, report.movies, report.failed) == ("csv", Counts(added=2), [])
    assert catalog.get_movie("tt0000001").genres == ("Comedy", "Drama", "Romance")
    assert catalog.get_movie("tt0000002").genres == ()


def test_the_same_import_again_changes_nothing(catalog: Catalog, tmp_path: Path) -> None:
    source = write(tmp_path / "labels.csv", "Id,Genre,title,year\ntt1,Drama,One,1999\ntt2,N/A,Two,\n")
    (tmp_path / "tt1.jpg").write_bytes(b"x")
    import_source(catalog, source, posters_dir=tmp_path)
    before = catalog.revision()
    report = import_source(catalog, source, posters_dir=tmp_path)
    assert (report.movies, report.posters) == (Counts(unchanged=2), Counts(unchanged=1))
    assert catalog.revision() == before
    assert catalog.poster_dirs() == {tmp_path: "by_id"}


def test_bad_rows_are_named_by_line_and_the_others_come_in(catalog: Catalog, tmp_path: Path) -> None:
    source = write(
        tmp_path / "labels.csv",
        "Id,Genre,title,year\n"
        "tt1,Drama,One,1999\n"
        "tt2,Drama,Two\n"
        ",Drama,Three,1999\n"
        "../etc/passwd,Drama,Four,1999\n"
        "tt5,['Drama,Five,1999\n"
        "tt6,Drama,Six,MCMXCIX\n"
        "\n"
        'tt7,Drama,"Seven, and\nmore",1999\n'
        "tt8,Drama,Ei\x00ght,1999\n",
    )
    report = import_source(catalog, source)
    assert [failed.where for failed in report.failed] == [f"labels.csv, line {n}" for n in (3, 4, 5, 6, 7)]
    assert sorted(catalog.find_movies(["tt1", "tt7", "tt8"])) == ["tt1", "tt7", "tt8"]
    assert catalog.get_movie("tt7").title == "Seven, and more"
    assert catalog.n_movies() == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_common_encoding_is_read(catalog: Catalog, tmp_path: Path, encoding: str) -> None:
    import_source(catalog, write(tmp_path / "a.csv", "Id,Genre,title\ntt1,Drama,Amélie\n", encoding))
    assert catalog.get_movie("tt1").title == "Amélie"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_common_delimiter_is_read(catalog: Catalog, tmp_path: Path, delimiter: str) -> None:
    text = "Id,Genre,title\ntt1,Drama,One\n".replace(",", delimiter)
    import_source(catalog, write(tmp_path / "a.csv", text))
    assert catalog.get_movie("tt1").genres == ("Drama",)


def test_a_table_of_imdb_numbers_and_titles_with_years_comes_in(catalog: Catalog, tmp_path: Path) -> None:
    text = "imdbId,Title,Genre,Poster\n114709,Toy Story (1995),Animation|Comedy,https://a.example/1.jpg\n"
    import_source(catalog, write(tmp_path / "MovieGenre.csv", text, "cp1252"))
    movie = catalog.get_movie("tt0114709")
    assert (movie.title, movie.year) == ("Toy Story", 1995)
    assert catalog.posters_to_download() == {"tt0114709": "https://a.example/1.jpg"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b,c\n1,2,3\n", "a column Id"),
        (b"Id,colour\ntt1,red\n", "Genre or title"),
        (b"\xff\xd8\xff\xe0 JFIF \x00\x01", "a column Id"),
        (b"Id,Genre\n" + b"x" * 1_200_000, "longer than"),
        (b"," * 20_000 + b"\n", "20001 columns"),
        (b"PK\x03\x04" + bytes(range(256)) * 50, "a column Id"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_one_sentence(
    catalog: Catalog, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(LabelsError, match=said):
        import_source(catalog, tmp_path / "a.csv", "csv")


def test_a_huge_field_spoils_its_row_alone(catalog: Catalog, tmp_path: Path) -> None:
    text = f"Id,Genre,title\ntt1,Drama,{'x' * 200_000}\ntt2,Drama,Two\n"
    report = import_source(catalog, write(tmp_path / "a.csv", text))
    assert [failed.where for failed in report.failed] == ["a.csv, line 2"]
    assert catalog.n_movies() == 1


def test_what_is_not_there_or_of_no_known_kind_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="There is no"):
        import_source(catalog, tmp_path / "absent.csv")
    with pytest.raises(LabelsError, match="none of the known formats"):
        import_source(catalog, write(tmp_path / "letter.txt", "Dear aunt"))
    with pytest.raises(LabelsError, match="not a folder"):
        import_source(catalog, write(tmp_path / "a.csv", "Id,Genre\n"), posters_dir=tmp_path / "absent")
    with pytest.raises(InvalidRequestError, match="expected auto or one of"):
        import_source(catalog, tmp_path, "netflix")


IMDB = (
    "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres\n"
    'tt0000001\tmovie\t"Quoted\tx\t0\t1999\t\\N\t1\tDrama,Sci-Fi\n'
    "tt0000002\ttvEpisode\tEpisode\tx\t0\t1999\t\\N\t1\tDrama\n"
    "tt0000003\tmovie\tAdult\tx\t1\t1999\t\\N\t1\tDrama\n"
    "tt0000004\tshort\tUnknown year\tx\t0\t\\N\t\\N\t1\t\\N\n"
)


@pytest.mark.parametrize("name", ["title.basics.tsv", "title.basics.tsv.gz"])
def test_imdbs_table_completes_the_movies_of_the_catalog(catalog: Catalog, tmp_path: Path, name: str) -> None:
    data = IMDB.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    import_source(catalog, write(tmp_path / "a.csv", "Id,Genre\ntt0000001,Comedy\n"))
    report = import_source(catalog, tmp_path / name)
    assert (report.format, report.movies, report.waiting) == ("imdb", Counts(updated=1), 1)
    movie = catalog.get_movie("tt0000001")
    assert (movie.title, movie.year, movie.genres) == ('"Quoted', 1999, ("Drama", "Sci-Fi"))
    assert catalog.n_movies() == 1
    import_source(catalog, tmp_path / name, add=True)
    assert sorted(catalog.known_ids([f"tt000000{i}" for i in range(9)])) == ["tt0000001", "tt0000004"]


def test_a_damaged_archive_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "title.basics.tsv.gz").write_bytes(gzip.compress(IMDB.encode())[:60])
    with pytest.raises(LabelsError, match="cannot be read"):
        import_source(catalog, tmp_path / "title.basics.tsv.gz")
