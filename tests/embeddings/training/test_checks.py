"""What a look at the data finds before training."""

import shutil
from pathlib import Path

import pytest

from embeddings.errors import LabelsError
from embeddings.training.checks import check_data
from embeddings.training.labels import read_labels


def test_a_look_at_the_data_finds_what_is_wrong_with_it(
    poster_world: tuple[Path, Path], tmp_path: Path
) -> None:
    posters = tmp_path / "posters"
    posters.mkdir()
    for number in range(6):
        shutil.copy(poster_world[1] / f"tt{number}.png", posters)
    shutil.copy(posters / "tt0.png", posters / "twin.png")
    (posters / "broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    labels = tmp_path / "labels.csv"
    rows = [
        "Id,Genre",
        *(f"tt{n},Drama" for n in range(6)),
        "tt1,War",
        "twin,Horror",
        "broken,War",
        "lost,War",
    ]
    labels.write_text("\n".join([*rows, "blank,N/A"]) + "\n")
    found = check_data(read_labels(labels), posters)
    assert (found.n_movies, found.n_repeated, found.n_unlabelled, found.n_without_poster) == (10, 1, 1, 1)
    assert [movie_id for movie_id, _ in found.unreadable] == ["broken"]
    assert found.conflicts == (("tt0", "twin"),)
    assert found.n_same_artwork == 2
    assert found.sizes == ((32, 48), (32, 48), (32, 48))
    assert found.n_small == 7
    assert found.support == {"Drama": 6, "War": 2, "Horror": 1}
    text = "\n".join(found.lines())
    assert "genres with fewer than 50 movies: Drama 6, War 2, Horror 1" in text
    assert "unreadable: broken:" in text
    assert "tt0 and twin" in text


def test_a_folder_without_one_of_the_posters_is_refused_and_unreadable_ones_have_no_size(
    tmp_path: Path,
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("Id,Genre\ntt1,Drama\n")
    (tmp_path / "tt2.png").write_bytes(b"")
    with pytest.raises(LabelsError, match="none of the 1 movies has both genres and a poster"):
        check_data(read_labels(labels), tmp_path)
    (tmp_path / "tt1.png").write_bytes(b"no picture")
    found = check_data(read_labels(labels), tmp_path)
    assert found.sizes is None
    assert "no poster can be read" in found.lines()
