"""Labels files as the public publishes them, quirks included."""

from pathlib import Path

import pytest

from embeddings.errors import LabelsError
from embeddings.training.labels import find_posters, read_labels


def write(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "genre", ["\"['Comedy', 'Drama']\"", "Comedy|Drama", '"Drama, Comedy"', "Drama|Comedy|Drama"]
)
def test_the_three_ways_to_write_genres_mean_the_same(tmp_path: Path, genre: str) -> None:
    labels = read_labels(write(tmp_path, f"Id,Genre\ntt1,{genre}\n"))
    assert labels.genres == (("Comedy", "Drama"),)


@pytest.mark.parametrize("genre", ["N/A", "['N/A']", "", "nan", "[]"])
def test_not_available_and_nothing_mean_unlabelled(tmp_path: Path, genre: str) -> None:
    labels = read_labels(write(tmp_path, f"Id,Genre\ntt1,{genre}\ntt2,Drama\n"))
    assert labels.genres == ((), ("Drama",))
    assert labels.labelled().movie_ids == ("tt2",)


def test_spellings_that_differ_in_capitals_are_one_genre(tmp_path: Path) -> None:
    text = "Id,Genre\ntt1,Sci-Fi|drama\ntt2,Sci-Fi\ntt3,SCI-FI|Drama\ntt4,sci-fi|Sci-Fi\n"
    labels = read_labels(write(tmp_path, text))
    # "Drama" and "drama" are as frequent: the first in the alphabet counts.
    assert labels.genres == (("Drama", "Sci-Fi"), ("Sci-Fi",), ("Drama", "Sci-Fi"), ("Sci-Fi",))


def test_rows_of_one_id_are_merged(tmp_path: Path) -> None:
    text = "Id,Genre,title,year\ntt1,Drama,,1999\ntt2,War,Two,\ntt1,Crime|Drama,One,2000\n"
    labels = read_labels(write(tmp_path, text))
    assert labels.movie_ids == ("tt1", "tt2")
    assert labels.genres == (("Crime", "Drama"), ("War",))
    assert labels.titles == ("One", "Two")
    assert labels.years == (1999, None)
    assert labels.n_repeated == 1


def test_one_hot_and_further_columns_are_ignored(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, "Id,Genre,Drama,War,plot\ntt1,['Drama'],0,1,x\n"))
    assert labels.genres == (("Drama",),)


def test_a_description_may_have_several_lines(tmp_path: Path) -> None:
    text = 'Id,Genre,plot\ntt1,War,"Two men, and\na dog, go on,\nhowever, they"\ntt2,Drama,x\n'
    assert read_labels(write(tmp_path, text)).movie_ids == ("tt1", "tt2")


def test_years_and_ratings_are_numbers_where_they_are_known(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, "Id,Genre,year,rating\ntt1,War,1999.0,7.4\ntt2,War,soon,inf\n"))
    assert labels.years == (1999, None)
    assert labels.ratings == (7.4, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("Id,Genres\ntt1,Drama\n", "no column Genre"),
        ("Id,Genre\n,Drama\n", "row 2: the Id is empty"),
        ("Id,Genre\ntt1,['Drama'\n", "row 2: the Genre"),
        ("Id,Genre\ntt1,Drama,1,2\ntt1,a,b,c,d,e\n", "cannot be read"),
        ("Id,Genre\ntt1,Comedy, Drama\ntt2,Horror, War\n", "more fields than its 2 columns"),
        ('Id,Genre\ntt1,"Drama\ntt2,War\n', "cannot be read"),
        ('Id,Genre\ntt1,"Drama\ntt2,War\ntt3,"Comedy"\n', "row 2: the Genre goes over 3 lines"),
        (
            'Id,Genre,plot\ntt1,War,x\ntt2,War,"A man\ntt3,War,y\ntt4,War,"A dog"\n',
            "row 3: the plot goes over",
        ),
    ],
)
def test_a_file_that_is_no_labels_file_is_refused_in_one_sentence(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(LabelsError, match=words):
        read_labels(write(tmp_path, text))


def test_a_binary_file_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(LabelsError, match="cannot be read"):
        read_labels(tmp_path / "labels.csv")
    with pytest.raises(LabelsError, match="No labels file"):
        read_labels(tmp_path / "absent.csv")


def test_the_vocabulary_keeps_genres_with_enough_movies_in_alphabetic_order(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, "Id,Genre\na,War|Drama\nb,Drama\nc,Drama|Crime\nd,Crime\n"))
    assert labels.vocabulary(2).genres == ("Crime", "Drama")
    assert labels.targets(labels.vocabulary(2)).tolist() == [[0, 1], [0, 1], [1, 1], [1, 0]]


def test_posters_are_found_by_id_whatever_the_suffix(tmp_path: Path) -> None:
    for name in ("a.JPEG", "b.png", "b.jpg", "c.webp", "d.gif"):
        (tmp_path / name).write_bytes(b"")
    found = find_posters(tmp_path, ("d", "c", "b", "a"))
    assert {movie_id: path.name for movie_id, path in found.items()} == {
        "c": "c.webp",
        "b": "b.jpg",
        "a": "a.JPEG",
    }


@pytest.mark.real_data
def test_the_public_table_has_its_known_size(real_data: Path) -> None:
    labels = read_labels(real_data / "kaggle_train.csv")
    assert (len(labels), len(labels.labelled()), labels.n_repeated) == (6160, 6151, 11)
    assert len(labels.vocabulary()) == 24
