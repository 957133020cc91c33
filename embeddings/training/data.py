"""The movies of one run: which posters, which side, which targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.errors import TrainingError
from embeddings.genres import GenreVocabulary
from embeddings.training.cache import PosterCache, open_cache
from embeddings.training.config import DataConfig, TrainConfig
from embeddings.training.labels import Labels, find_posters
from embeddings.training.losses import GenreCounts
from embeddings.training.soft_labels import SoftLabels, average_soft_labels, read_soft_labels
from embeddings.training.splits import Split, assign_groups, group_movies, make_folds, make_splits
from embeddings.transforms import Preprocessing


@dataclass(frozen=True)
class TrainingData:
    """Decoded posters and their targets; row r of every array is row r of the cache.

    Args:
        genres: The vocabulary, in column order.
        cache: Decoded posters of all sides.
        split: Movie ids of each side, as they were dealt.
        train: Rows to learn from, int64; those that only teachers have labelled included.
        validation: Rows that pick the epoch and fit cuts and calibration.
        test: Rows that nothing is fitted on.
        hard: Known genres, float32, (n, n_genres); teachers' probabilities where none are known.
        soft: Teachers' probabilities, float32, (n, n_genres); known genres where there are none.
    """

    genres: GenreVocabulary
    cache: PosterCache
    split: Split
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    hard: NDArray[np.float32]
    soft: NDArray[np.float32]

    def counts(self) -> GenreCounts:
        """Genre counts of the rows to learn from."""
        return GenreCounts(torch.from_numpy(self.hard[self.train].sum(axis=0)), len(self.train))


def deal_sides(labels: Labels, posters_dir: Path, config: DataConfig) -> Split:
    """Deal the movies to train, validation and test as the settings say.

    With ``folds``, the movies outside the test side are cut into that many
    parts, and part ``fold`` is the validation side.

    Raises:
        TrainingError: There are too few movies, or the split file is none.
    """
    if config.limit:
        labels = _part(labels, posters_dir, config.limit, config.split_seed)
    if config.split_file is not None:
        split = Split.load(config.split_file)
    else:
        split = make_splits(labels, posters_dir, config.fractions, config.split_seed)
    if not config.folds:
        return split
    inner = labels.select(split.train + split.validation)
    parts = make_folds(inner, posters_dir, config.folds, config.split_seed)
    others = tuple(i for number, part in enumerate(parts) if number != config.fold for i in part)
    return Split(others, parts[config.fold], split.test)


def load_data(
    labels: Labels, posters_dir: Path, config: TrainConfig, split: Split, cache_dir: Path
) -> TrainingData:
    """Decode the posters of a split and line their targets up.

    Args:
        labels: Movies and their genres.
        posters_dir: Folder of posters.
        config: The run's settings.
        split: Which movie stands on which side.
        cache_dir: Folder for decoded posters.

    Raises:
        TrainingError: A side has no readable poster, no genre has enough movies, or the
            soft labels do not fit.
    """
    teachers = _teachers(config.loss.soft_labels)
    genres = _vocabulary(labels, split, config.data, teachers)
    wanted = split.train + split.validation + split.test
    extra = _only_taught(teachers, labels) if teachers and config.loss.use_unlabelled else ()
    model = config.model
    preprocessing = Preprocessing(model.width, model.height, model.fit, model.interpolation)
    # In one order whoever stands on which side: the parts of k-fold training share what is worked out.
    posters = find_posters(posters_dir, tuple(sorted(wanted + extra)))
    cache = open_cache(posters, preprocessing, cache_dir)
    hard, soft = _targets(labels, cache, genres, teachers)
    data = TrainingData(
        genres=genres,
        cache=cache,
        split=split,
        train=cache.rows(split.train + extra),
        validation=cache.rows(split.validation),
        test=cache.rows(split.test),
        hard=hard,
        soft=soft,
    )
    for name, rows in (("train", data.train), ("validation", data.validation)):
        if len(rows) < 2:
            raise TrainingError(
                f"the {name} side has {len(rows)} readable posters; give more labelled movies."
            )
    return data


def _vocabulary(
    labels: Labels, split: Split, config: DataConfig, teachers: SoftLabels | None
) -> GenreVocabulary:
    if config.genres:
        known = {*labels.support(), *(teachers.genres if teachers else ())}
        unknown = sorted(set(config.genres) - known)
        if unknown:
            raise TrainingError(
                f"data.genres names {', '.join(unknown)}, which no movie of the labels file has; known are "
                f"{', '.join(sorted(known))}."
            )
        return GenreVocabulary(config.genres)
    try:
        genres = labels.select(split.train).vocabulary(config.min_support)
    except KeyError as error:
        raise TrainingError(f"the split names movie {error}, which is not in the labels file.") from error
    if not len(genres):
        raise TrainingError(
            f"no genre has {config.min_support} training movies; lower data.min_support (--min-support)."
        )
    return genres


def _teachers(paths: tuple[Path, ...]) -> SoftLabels | None:
    return average_soft_labels([read_soft_labels(path) for path in paths]) if paths else None


def _only_taught(teachers: SoftLabels, labels: Labels) -> tuple[str, ...]:
    """Movies that only teachers know; labelled movies outside this split stay outside."""
    labelled = set(labels.labelled().movie_ids)
    return tuple(movie_id for movie_id in teachers.movie_ids if movie_id not in labelled)


def _targets(
    labels: Labels, cache: PosterCache, genres: GenreVocabulary, teachers: SoftLabels | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    known = dict(zip(labels.movie_ids, labels.genres, strict=True))
    hard = genres.multi_hot([known.get(movie_id, ()) for movie_id in cache.movie_ids])
    if teachers is None:
        return hard, hard
    believed = teachers.columns_for(genres)
    row_of = {movie_id: row for row, movie_id in enumerate(teachers.movie_ids)}
    soft = hard.copy()
    for row, movie_id in enumerate(cache.movie_ids):
        if movie_id in row_of:
            soft[row] = believed[row_of[movie_id]]
            if not known.get(movie_id):
                hard[row] = soft[row]
    return hard, soft


def _part(labels: Labels, posters_dir: Path, n: int, seed: int) -> Labels:
    """A stratified part of about ``n`` movies, whole films and artworks."""
    usable, groups = group_movies(labels, posters_dir)
    if n >= len(usable):
        return labels
    share = n / len(usable)
    side = assign_groups(usable, groups, [share, 1 - share], seed)
    return usable.select(np.array(usable.movie_ids)[side == 0].tolist())
