from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import InvalidRequestError, LabelsError
from indexer.types import Ratings
from recommender.evaluation.data import CatalogData
from recommender.evaluation.people import People
from recommender.evaluation.protocol import JudgeOptions
from recommender.evaluation.ratings_file import read_people, read_ratings_file
from recommender.evaluation.warm import judge_warm


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
    slips = "".join(f"1,tt{i},4\n" for i in range(5, 105))
    file = write(tmp_path / "r.csv", f"userId,Id,rating\n1,tt1,4\n1,tt2,0\n1,tt3,9\n1,,4\n{slips}")
    found = read_ratings_file(file).movie_ids.tolist()
    assert found == ["tt1", *(f"tt{i}" for i in range(5, 105))]


def test_ratings_on_another_scale_are_refused_not_taken_for_low_ones(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", "userId,Id,rating\n1,tt1,4\n1,tt2,8\n1,tt3,10\n")
    with pytest.raises(LabelsError, match="ratings up to 10; expected"):
        read_ratings_file(file)


def test_a_file_that_rates_no_movie_of_the_catalog_is_refused_with_ids_of_both(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", "userId,Id,rating\n1,862,4\n1,863,5\n")
    with pytest.raises(LabelsError, match="such as 862, the catalog's such as tt0000001"):
        read_people(file, ("tt0000001", "tt0000002"))
    assert read_people(file, ("862",)).values.toarray().tolist() == [[4.0]]


def test_a_byte_order_mark_spaces_and_times_that_are_none_do_no_harm(tmp_path: Path) -> None:
    file = write(
        tmp_path / "r.csv", "\ufeffuserId, Id, rating, timestamp\n1, tt1 , 4, inf\n1, tt2, 5, soon\n"
    )
    found = read_ratings_file(file)
    assert found.movie_ids.tolist() == ["tt1", "tt2"]
    assert found.rated_at.tolist() == [0, 0]


@pytest.mark.filterwarnings("ignore:Length of header")
def test_a_trailing_comma_moves_no_column(tmp_path: Path) -> None:
    file = write(tmp_path / "r.csv", "userId,Id,rating\n7,tt1,4,\n8,tt2,5,\n")
    found = read_ratings_file(file)
    assert (found.user_ids.tolist(), found.movie_ids.tolist()) == (["file:7", "file:8"], ["tt1", "tt2"])


def test_people_of_whom_no_movie_is_known_are_named_as_the_reason(data: CatalogData) -> None:
    rows = [("file:1", f"nowhere{i}") for i in range(5)]
    users, movies = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
    strangers = Ratings(users, movies, np.full(5, 5, np.float32), np.zeros(5, np.int64))
    with pytest.raises(InvalidRequestError, match="0 people"):
        judge_warm(data, People.of_ratings(strangers, data.rows.movie_ids), JudgeOptions(repeats=1))
