from __future__ import annotations

from pathlib import Path

import pytest

from embeddings.errors import LabelsError
from recommender.evaluation.ratings_file import read_ratings_file


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_catalog_ids_are_taken_as_they_stand(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", "userId,Id,rating,timestamp\n7,tt0000001,4.5,99\n8,tt0000002,1,\n")
    found = read_ratings_file(file)
    assert found.user_ids.tolist() == ["file:7", "file:8"]
    assert found.movie_ids.tolist() == ["tt0000001", "tt0000002"]
    assert found.values.tolist() == [4.5, 1.0]
    assert found.rated_at.tolist() == [99, 0]


def test_movielens_ids_join_through_the_links_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path / "links.csv", "movieId,imdbId,tmdbId\n1,114709,862\n2,0113497,\n")
    file = write(tmp_path / "ratings.csv", "userId,movieId,rating\n1,1,5\n1,2,4\n1,99,3\n")
    assert read_ratings_file(file).movie_ids.tolist() == ["tt0114709", "tt0113497"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "expected userId, rating"),
        ("userId,rating\n1,4\n", "expected userId, rating"),
        ("userId,movieId,rating\n1,1,4\n", "links.csv"),
        ("userId,Id,rating\n1,tt1,eleven\n", "no rating between"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_of_ratings_is_refused_with_a_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(LabelsError, match=says):
        read_ratings_file(write(tmp_path / "r.csv", text))


def test_values_off_the_scale_are_left_out(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", "userId,Id,rating\n1,tt1,4\n1,tt2,0\n1,tt3,9\n1,,4\n")
    assert read_ratings_file(file).movie_ids.tolist() == ["tt1"]
