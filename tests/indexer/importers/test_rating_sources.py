"""MovieLens, MovieTweetings and TMDB."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from embeddings.errors import LabelsError
from indexer.catalog import Catalog, Counts, MovieFacts, open_catalog
from indexer.importers import import_source
from indexer.settings import load_settings


@pytest.fixture
def movielens(tmp_path: Path) -> Path:
    """A small MovieLens release; movie 3 has no link, and one rating is broken."""
    directory = tmp_path / "ml"
    directory.mkdir()
    (directory / "links.csv").write_text("movieId,imdbId,tmdbId\n1,114709,862.0\n2,0113497,\n4,,1\n")
    (directory / "movies.csv").write_text(
        'movieId,title,genres\n1,Toy Story (1995),Animation|Children\n2,"Matrix, The (1999)",IMAX|Sci-Fi\n'
        "3,Lost (1990),Drama\n"
    )
    (directory / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,1,4.0,10\n1,2,5.0,11\n2,1,0.5,12\n2,3,3.0,13\n2,2,9.0,14\n"
    )
    return directory


def test_movielens_joins_by_imdb_id(catalog: Catalog, movielens: Path) -> None:
    catalog.upsert_movies([MovieFacts("tt0114709", genres=("Comedy",)), MovieFacts("tt0113497")], "csv")
    report = import_source(catalog, movielens)
    assert (report.format, report.movies, report.ratings) == ("movielens", Counts(updated=2), Counts(added=3))
    toy_story, matrix = catalog.get_movie("tt0114709"), catalog.get_movie("tt0113497")
    assert (toy_story.title, toy_story.year, toy_story.genres) == ("Toy Story", 1995, ("Comedy",))
    assert (matrix.title, matrix.genres, matrix.n_ratings) == ("The Matrix", ("Sci-Fi",), 1)
    assert catalog.ratings().user_ids.tolist() == ["movielens:1", "movielens:1", "movielens:2"]
    assert catalog.find_by_external_id("movielens", "1") == "tt0114709"
    assert catalog.find_by_external_id("tmdb", "862") == "tt0114709"
    assert [failed.where for failed in report.failed] == [
        "links.csv, line 4",
        "movies.csv, line 4",
        "ratings.csv, line 6",
        "ratings.csv",
    ]


def test_imports_in_any_order_give_the_same_catalog(tmp_path: Path, movielens: Path) -> None:
    csv = tmp_path / "labels.csv"
    csv.write_text("Id,Genre,title\ntt0114709,Comedy,\ntt0113497,N/A,The Matrix!\n")
    tweets = tmp_path / "tweets"
    tweets.mkdir()
    (tweets / "movies.dat").write_text("0114709::Toy (1994)::Short\n")
    (tweets / "ratings.dat").write_text("1::0114709::10::5\n1::0113497::0::6\n")
    seen = []
    for number, order in enumerate(permutations([csv, movielens, tweets])):
        catalog = open_catalog(load_settings(tmp_path / f"home{number}", {}))
        for source in (*order, order[0]):
            import_source(catalog, source)
        ratings = catalog.ratings()
        movies = catalog.find_movies(["tt0114709", "tt0113497"]).values()
        facts = [(one.movie_id, one.title, one.year, one.genres, one.n_ratings) for one in movies]
        seen.append((facts, ratings.user_ids.tolist(), ratings.values.tolist()))
        catalog.close()
    assert all(one == seen[0] for one in seen)
    assert seen[0][0] == [
        ("tt0114709", "Toy Story", 1995, ("Comedy",), 3),
        ("tt0113497", "The Matrix!", 1999, ("Sci-Fi",), 2),
    ]


def test_movielens_without_links_is_refused(catalog: Catalog, movielens: Path) -> None:
    (movielens / "links.csv").unlink()
    with pytest.raises(LabelsError, match=r"links\.csv"):
        import_source(catalog, movielens, "movielens")


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"userId,movieId\n1,1\n", b'userId,movieId,rating\n"1,1,4\n'],
)
def test_ratings_that_are_no_table_are_refused(catalog: Catalog, movielens: Path, content: bytes) -> None:
    (movielens / "ratings.csv").write_bytes(content)
    with pytest.raises(LabelsError, match=r"ratings\.csv"):
        import_source(catalog, movielens)


def test_tweeted_ratings_are_halved(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text(
        "1::0114709::9::5\n2::114709::0::6\nx::1::2::3\n3::1::11::4\n4::1\n"
    )
    report = import_source(catalog, tmp_path)
    assert (report.format, report.ratings) == ("movietweetings", Counts(added=2))
    assert catalog.ratings().values.tolist() == [4.5, 0.5]
    assert catalog.ratings().user_ids.tolist() == ["movietweetings:1", "movietweetings:2"]
    assert [failed.where for failed in report.failed] == [f"ratings.dat, line {n}" for n in (3, 4, 5)]


MATRIX = {
    "id": 603,
    "imdb_id": "tt0133093",
    "title": "The Matrix",
    "release_date": "1999-03-31",
    "genres": [{"id": 28, "name": "Action"}, {"id": 878, "name": "Science Fiction"}],
    "poster_path": "/matrix.jpg",
}
OTHER = {"id": 7, "imdb_id": None, "title": "Other", "release_date": "", "genres": [], "poster_path": None}


def tmdb_file(tmp_path: Path, form: str) -> Path:
    movies = [MATRIX, OTHER]
    if form == "list":
        path, text = tmp_path / "movies.json", json.dumps(movies)
    elif form == "answer":
        path, text = tmp_path / "movies.json", json.dumps({"page": 1, "results": movies})
    elif form == "lines":
        path, text = tmp_path / "movies.jsonl", "\n".join(json.dumps(one) for one in movies)
    else:
        path = tmp_path / "movies.csv"
        text = (
            "id,title,vote_average,release_date,imdb_id,genres,poster_path\n"
            '603,The Matrix,8.2,1999-03-31,tt0133093,"Action, Science Fiction",/matrix.jpg\n'
            "7,Other,,,,[],\n"
        )
    path.write_text(text)
    return path


@pytest.mark.parametrize("form", ["list", "answer", "lines", "csv"])
def test_tmdb_exports_come_in(catalog: Catalog, tmp_path: Path, form: str) -> None:
    report = import_source(catalog, tmdb_file(tmp_path, form))
    assert (report.format, report.movies, report.failed) == ("tmdb", Counts(added=2), [])
    movie = catalog.get_movie("tt0133093")
    assert (movie.title, movie.year, movie.genres) == ("The Matrix", 1999, ("Action", "Sci-Fi"))
    assert catalog.find_by_external_id("tmdb", "603") == "tt0133093"
    assert catalog.get_movie("tmdb-7").title == "Other"
    assert catalog.posters_to_download() == {"tt0133093": "https://image.tmdb.org/t/p/w342/matrix.jpg"}


def test_tmdb_records_that_are_none_are_named(catalog: Catalog, tmp_path: Path) -> None:
    lines = [json.dumps(MATRIX), "{", "[1]", '{"title": "no id"}', '{"id": 5, "genres": 3}', "[" * 9000]
    (tmp_path / "movies.jsonl").write_text("\n".join(lines))
    report = import_source(catalog, tmp_path / "movies.jsonl")
    assert [failed.where for failed in report.failed] == [f"movies.jsonl, line {n}" for n in (2, 3, 4, 5, 6)]
    assert catalog.n_movies() == 1


@pytest.mark.parametrize("text", ["", "{", "3", '"text"', "[" * 100_000])
def test_json_that_holds_no_movies_is_refused(catalog: Catalog, tmp_path: Path, text: str) -> None:
    (tmp_path / "movies.json").write_text(text)
    with pytest.raises(LabelsError, match=r"movies\.json"):
        import_source(catalog, tmp_path / "movies.json")
