from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.picture_store import PictureStore, find_row, load_pictures, refresh_pictures
from recommender.pictures import COLOURS, describe_picture


@pytest.fixture
def stored(own_home) -> Path:
    path = own_home.settings.cache_dir / "pictures.npy"
    refresh_pictures(own_home.catalog, path)
    return path


def test_a_kept_picture_is_the_measured_one_to_the_last_digit(own_home, stored: Path) -> None:
    rows = load_pictures(stored)
    files = own_home.catalog.poster_files()
    assert len(files) == 59
    for file in files:
        kept, measured = find_row(rows, file.sha256), describe_picture(Path(file.path))
        assert kept == measured
        assert list(kept.colours) == list(measured.colours)


def test_posters_are_measured_once_and_forgotten_with_their_movies(own_home, stored: Path) -> None:
    assert len(load_pictures(stored)) == 58  # two movies share one file's bytes
    assert refresh_pictures(own_home.catalog, stored) == 0
    gone = own_home.catalog.get_movie("tt0000003")
    own_home.catalog.remove_movies(["tt0000003"])
    assert refresh_pictures(own_home.catalog, stored) == 0
    assert len(load_pictures(stored)) == 57
    assert find_row(load_pictures(stored), gone.poster_hash) is None


def test_a_file_that_changed_since_it_was_hashed_is_not_kept_under_its_old_hash(own_home, stored) -> None:
    movie, other = own_home.catalog.get_movie("tt0000004"), own_home.catalog.get_movie("tt0000005")
    stored.unlink()
    Path(movie.poster).write_bytes(Path(other.poster).read_bytes())
    refresh_pictures(own_home.catalog, stored)
    assert find_row(load_pictures(stored), movie.poster_hash) is None


def test_kept_pictures_need_no_poster_file_and_missing_ones_are_measured(own_home, stored: Path) -> None:
    movie, other = own_home.catalog.get_movie("tt0000004"), own_home.catalog.get_movie("tt0000005")
    measured = describe_picture(Path(movie.poster))
    Path(movie.poster).unlink()
    assert PictureStore(stored).find(movie) == measured
    assert PictureStore(stored.with_name("absent.npy")).find(other) == describe_picture(Path(other.poster))
    assert PictureStore(None).find(own_home.catalog.get_movie("tt0000008")) is None


def test_pictures_of_a_later_reindex_are_taken_up(own_home, tmp_path: Path) -> None:
    path = tmp_path / "pictures.npy"
    store = PictureStore(path)
    assert store.find(own_home.catalog.get_movie("tt0000005")) is not None
    movie = own_home.catalog.get_movie("tt0000004")
    refresh_pictures(own_home.catalog, path)
    Path(movie.poster).unlink()
    assert store.find(movie) is not None


@pytest.mark.parametrize("damage", [b"", b"not an array", None])
def test_a_damaged_file_counts_as_none_and_is_made_anew(own_home, stored: Path, damage: bytes | None) -> None:
    if damage is None:
        np.save(stored, np.zeros(3))
    else:
        stored.write_bytes(damage)
    assert len(load_pictures(stored)) == 0
    assert refresh_pictures(own_home.catalog, stored) == 58


def test_a_hash_that_ends_in_zeros_is_found() -> None:
    rows = load_pictures(Path("absent"))
    row = (bytes(31) + b"\1", [1] + [0] * 5, [500] + [0] * 5, 123, False, True)
    zeros = (b"\2" + bytes(31), [4] + [0] * 5, [1000] + [0] * 5, 0, False, False)
    rows = np.array([row, zeros], dtype=rows.dtype)
    assert find_row(rows, "00" * 31 + "01").colours == {COLOURS[0]: 0.5}
    assert find_row(rows, "00" * 31 + "01").face
    assert find_row(rows, "02" + "00" * 31).colours == {"red": 1.0}
    assert not find_row(rows, "02" + "00" * 31).face
