"""Teachers' probabilities on disk, averaged, and from folds."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import TrainingError
from embeddings.genres import GenreVocabulary
from embeddings.training.config import TrainConfig
from embeddings.training.folds import train_folds
from embeddings.training.labels import Labels
from embeddings.training.soft_labels import (
    SoftLabels,
    average_soft_labels,
    read_soft_labels,
    write_soft_labels,
)
from embeddings.training.splits import Split

GENRES = GenreVocabulary(("Drama", "War"))


def soft(ids: str, *rows: list[float]) -> SoftLabels:
    return SoftLabels(tuple(ids), GENRES, np.array(rows, dtype=np.float32))


def test_soft_labels_come_back_from_their_file(tmp_path: Path) -> None:
    written = soft("ab", [0.1, 0.9], [0.5, 0.25])
    write_soft_labels(tmp_path / "soft.npz", written)
    read = read_soft_labels(tmp_path / "soft.npz")
    assert (read.movie_ids, read.genres) == (written.movie_ids, written.genres)
    assert np.array_equal(read.probs, written.probs)


def test_a_file_that_would_have_to_be_unpickled_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "soft.npz"
    np.savez(
        path, movie_ids=np.array([object()], dtype=object), genres=np.array(["a"]), probs=np.zeros((1, 1))
    )
    with pytest.raises(TrainingError, match="holds no soft labels"):
        read_soft_labels(path)
    path.write_bytes(b"something else")
    with pytest.raises(TrainingError, match="holds no soft labels"):
        read_soft_labels(path)


def test_teachers_are_averaged_over_the_movies_all_of_them_know() -> None:
    mean = average_soft_labels([soft("ab", [0.0, 1.0], [0.5, 0.5]), soft("ba", [0.1, 0.1], [1.0, 0.0])])
    assert mean.movie_ids == ("a", "b")
    assert mean.probs == pytest.approx(np.array([[0.5, 0.5], [0.3, 0.3]]))
    weighted = average_soft_labels([soft("a", [0.0, 1.0]), soft("a", [1.0, 0.0])], weights=[3, 1])
    assert weighted.probs == pytest.approx(np.array([[0.25, 0.75]]))
    with pytest.raises(TrainingError, match="no movie is known to all"):
        average_soft_labels([soft("a", [0.0, 1.0]), soft("b", [1.0, 0.0])])


def test_columns_follow_the_students_genres() -> None:
    assert soft("a", [0.1, 0.9]).columns_for(GenreVocabulary(("War",))) == pytest.approx(np.array([[0.9]]))


def test_probabilities_outside_their_range_are_refused() -> None:
    with pytest.raises(ValueError, match="must lie in"):
        soft("a", [0.1, 1.5])


def test_folds_give_a_spread_and_probabilities_of_nets_that_never_saw_the_movie(
    poster_world: tuple[Path, Path], world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    config = small_config.with_values({"epochs": 2, "data.folds": 2})
    folds = train_folds(world_labels, poster_world[1], tmp_path, config)
    assert set(folds.mean) == set(folds.spread) >= {"macro_f1", "mean_average_precision"}
    first, second = (Split.load(tmp_path / f"fold-{fold}" / "split.json") for fold in (0, 1))
    assert set(first.validation) == set(second.train)
    assert first.test == second.test
    taught = read_soft_labels(folds.soft_labels)
    unlabelled = {f"tt{number}" for number in range(120, 128)}
    assert set(taught.movie_ids) == set(first.train) | set(first.validation) | unlabelled
    assert not set(taught.movie_ids) & set(first.test)
