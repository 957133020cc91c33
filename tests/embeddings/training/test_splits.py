"""Splits by film and artwork, with every genre on each side."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from embeddings.errors import LabelsError, TrainingError
from embeddings.training.artwork import artwork_groups, hash_artwork
from embeddings.training.labels import Labels
from embeddings.training.splits import Split, label_share_error, make_folds, make_splits

GENRES = ("Comedy", "Drama", "Horror", "War")


def picture(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 255, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((80, 120), Image.Resampling.BICUBIC)


@pytest.fixture
def movies(tmp_path: Path) -> tuple[Labels, Path]:
    """120 movies with random genres; 0 and 1 are one film, 2 and 3 one artwork, 4 has no poster."""
    rng = np.random.default_rng(5)
    n = 120
    shares = np.array([0.5, 0.6, 0.2, 0.1])
    chosen = rng.random((n, 4)) < shares
    chosen[:, 1] |= ~chosen.any(axis=1)
    genres = tuple(tuple(g for g, yes in zip(GENRES, row, strict=True) if yes) for row in chosen)
    titles = ["The Same: Film", "the same film!", *(f"Movie {i}" for i in range(2, n))]
    for i in range(n):
        if i != 4:
            picture(2 if i == 3 else i).save(tmp_path / f"m{i}.jpg", quality=60 if i == 3 else 92)
    ids = tuple(f"m{i}" for i in range(n))
    return Labels(ids, genres, tuple(titles), (1999,) * n, (None,) * n), tmp_path


def side_of(split: Split) -> dict[str, int]:
    return {i: k for k, ids in enumerate((split.train, split.validation, split.test)) for i in ids}


def test_each_movie_with_genres_and_a_poster_stands_on_one_side(movies: tuple[Labels, Path]) -> None:
    split = make_splits(*movies)
    everyone = split.train + split.validation + split.test
    assert sorted(everyone) == sorted(set(movies[0].movie_ids) - {"m4"})
    assert abs(len(split.train) - 0.7 * 119) <= 4


@pytest.mark.parametrize("seed", range(8))
def test_one_film_and_one_artwork_are_never_torn_apart(movies: tuple[Labels, Path], seed: int) -> None:
    side = side_of(make_splits(*movies, seed=seed))
    assert side["m0"] == side["m1"]
    assert side["m2"] == side["m3"]


def test_the_same_seed_gives_the_same_split_and_another_seed_another(movies: tuple[Labels, Path]) -> None:
    assert make_splits(*movies, seed=3) == make_splits(*movies, seed=3)
    assert make_splits(*movies, seed=3) != make_splits(*movies, seed=4)


def test_genre_shares_are_kept_better_than_by_chance(movies: tuple[Labels, Path]) -> None:
    side = side_of(make_splits(*movies))
    labels = movies[0].select(side)
    targets = labels.targets(labels.vocabulary())
    ours = label_share_error(targets, np.array(list(side.values())))
    chance = [
        label_share_error(targets, np.random.default_rng(seed).permutation(np.array(list(side.values()))))
        for seed in range(20)
    ]
    assert ours[2] < np.mean([error[2] for error in chance]) / 2


def test_folds_are_about_equal_parts_of_all_movies(movies: tuple[Labels, Path]) -> None:
    folds = make_folds(*movies, n_folds=5)
    assert sorted(sum(folds, ())) == sorted(set(movies[0].movie_ids) - {"m4"})
    assert max(map(len, folds)) - min(map(len, folds)) <= 8


def test_a_split_comes_back_from_its_file(movies: tuple[Labels, Path], tmp_path: Path) -> None:
    split = make_splits(*movies)
    split.save(tmp_path / "split.json")
    assert Split.load(tmp_path / "split.json") == split
    (tmp_path / "split.json").write_text('{"train": []}')
    with pytest.raises(TrainingError, match="is not a split"):
        Split.load(tmp_path / "split.json")


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.5, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_shares_that_do_not_sum_to_one_are_refused(
    movies: tuple[Labels, Path], fractions: tuple[float, ...]
) -> None:
    with pytest.raises(TrainingError, match="three shares"):
        make_splits(*movies, fractions=fractions)


def test_a_folder_without_any_labelled_poster_is_refused(movies: tuple[Labels, Path]) -> None:
    empty = movies[1] / "empty"
    empty.mkdir()
    with pytest.raises(LabelsError, match="none of the 120 movies"):
        make_splits(movies[0], empty)


def test_artwork_is_known_through_size_brightness_and_compression_but_strangers_are_not(
    tmp_path: Path,
) -> None:
    original = picture(1)
    versions = {
        "original.png": original,
        "small.jpg": original.resize((50, 75)),
        "dark.jpg": ImageEnhance.Brightness(original).enhance(0.8),
        "stranger.jpg": picture(2),
        "mirror.jpg": original.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    }
    for name, image in versions.items():
        image.save(tmp_path / name)
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    (tmp_path / "broken too.jpg").write_bytes(b"not a picture either")
    (tmp_path / "copy of broken.jpg").write_bytes(b"not a picture")
    names = [*versions, "broken.jpg", "broken too.jpg", "copy of broken.jpg"]
    groups = artwork_groups(hash_artwork([tmp_path / name for name in names]))
    assert groups.tolist() == [0, 0, 0, 1, 2, 3, 4, 3]


@pytest.mark.real_data
def test_the_copies_among_the_real_posters_are_found(real_data: Path) -> None:
    ids = ("tt0402577", "tt0420286", "tt0960790", "tt1343755", "tt0847880", "tt1411236")
    groups = artwork_groups(hash_artwork([real_data / "posters" / f"{i}.jpg" for i in ids]))
    assert groups.tolist() == [0, 0, 1, 1, 2, 3]
