"""Splitting movies so that no film and no artwork stands on two sides, and every genre on each.

The split of the shipped model::

    from pathlib import Path
    from embeddings.training.labels import read_labels
    from embeddings.training.splits import make_splits

    labels = read_labels(Path("../shared/data/labels.csv"))
    split = make_splits(labels, Path("../shared/data/posters"))   # 70/15/15, seed 0
    split.train, split.validation, split.test                     # movie ids
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from iterstrat.ml_stratifiers import IterativeStratification
from numpy.typing import NDArray

from embeddings.artwork import join_groups
from embeddings.errors import TrainingError
from embeddings.training.artwork import ArtworkHashes, artwork_groups, hash_artwork
from embeddings.training.labels import Labels, find_labelled_posters

FRACTIONS = (0.70, 0.15, 0.15)


@dataclass(frozen=True)
class Split:
    """Movie ids of the three sides; each id stands on one side."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write the split as JSON."""
        path.write_text(json.dumps(asdict(self), indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what ``save`` wrote.

        Raises:
            TrainingError: The file is missing or is not a split.
        """
        try:
            sides = json.loads(path.read_text(encoding="utf-8"))
            return cls(*(tuple(map(str, sides[name])) for name in ("train", "validation", "test")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} is not a split ({error!r}); expected JSON with the lists train, validation and test."
            ) from error


def make_splits(
    labels: Labels,
    posters_dir: Path,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
) -> Split:
    """Split the labelled movies that have a poster file into train, validation and test.

    Movies of one film (equal title and year) or of one artwork stay together.
    The same arguments give the same split.

    Args:
        labels: Movies and their genres; unlabelled movies are left out.
        posters_dir: Folder of ``<Id>.jpg`` and the like.
        fractions: Shares of train, validation and test; they sum to 1.
        seed: Which of the equally good splits.

    Raises:
        TrainingError: The fractions are not three shares of 1.
        LabelsError: No movie has both genres and a poster.
    """
    if len(fractions) != 3 or min(fractions) < 0 or not np.isclose(sum(fractions), 1.0):
        raise TrainingError(
            f"split fractions must be three shares that sum to 1, got {tuple(fractions)}; "
            "for instance 0.7, 0.15, 0.15."
        )
    usable, groups = group_movies(labels, posters_dir)
    side = assign_groups(usable, groups, fractions, seed)
    ids = np.array(usable.movie_ids)
    return Split(*(tuple(ids[side == number].tolist()) for number in range(3)))


def make_folds(labels: Labels, posters_dir: Path, n_folds: int, seed: int = 0) -> tuple[tuple[str, ...], ...]:
    """Cut the movies into ``n_folds`` about equal parts, by the rules of ``make_splits``.

    Raises:
        TrainingError: ``n_folds`` is below 2.
        LabelsError: No movie has both genres and a poster.
    """
    if n_folds < 2:
        raise TrainingError(f"k-fold needs at least 2 folds, got {n_folds}.")
    usable, groups = group_movies(labels, posters_dir)
    fold = assign_groups(usable, groups, [1 / n_folds] * n_folds, seed)
    ids = np.array(usable.movie_ids)
    return tuple(tuple(ids[fold == number].tolist()) for number in range(n_folds))


def group_movies(
    labels: Labels, posters_dir: Path, hashes: ArtworkHashes | None = None
) -> tuple[Labels, NDArray[np.int64]]:
    """Find the usable movies and number their groups of equal film or artwork.

    Args:
        labels: Movies and their genres.
        posters_dir: Folder of posters.
        hashes: Hashes of the usable movies' posters in their order; None computes them.

    Returns:
        The labelled movies that have a poster file, and int64, shape (their number,).

    Raises:
        LabelsError: No movie has both genres and a poster.
    """
    posters = find_labelled_posters(labels, posters_dir)
    usable = labels.select(posters)
    art = artwork_groups(hashes or hash_artwork(list(posters.values())))
    keys = [f"art {number}" for number in art] + [
        _film_key(title, year) or f"movie {movie_id}"
        for movie_id, title, year in zip(usable.movie_ids, usable.titles, usable.years, strict=True)
    ]
    number_of: dict[str, int] = {}
    nodes = np.array([number_of.setdefault(key, len(number_of)) for key in keys], dtype=np.int64)
    n = len(usable)
    joined = join_groups(len(number_of), np.stack([nodes[:n], nodes[n:]], axis=1))
    return usable, np.unique(joined[nodes[:n]], return_inverse=True)[1].astype(np.int64)


def assign_groups(
    labels: Labels, groups: NDArray[np.int64], shares: Sequence[float], seed: int
) -> NDArray[np.int64]:
    """Give each movie the number of its side, one side per group, genres spread evenly.

    A group counts as one item that has every genre of its members: nearly all
    groups have one member, and iterative stratification knows no groups.

    Returns:
        int64, shape (len(labels),), each in [0, len(shares)).

    Source:
        K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the Stratification of Multi-Label
        Data", ECML PKDD 2011.
    """
    targets = labels.targets(labels.vocabulary())
    united = np.zeros((int(groups.max()) + 1, targets.shape[1]), dtype=bool)
    np.logical_or.at(united, groups, targets > 0)
    rng = np.random.RandomState(seed)  # the library takes the old generator only
    order = rng.permutation(len(united))
    side = np.empty(len(united), dtype=np.int64)
    side[order] = IterativeStratification(united[order], np.asarray(shares, dtype=float), rng)
    return side[groups]


def label_share_error(targets: NDArray[np.float32], side: NDArray[np.int64]) -> Mapping[int, float]:
    """Mean relative miss of the genre shares of each side, against all movies together.

    Args:
        targets: float32, shape (n, n_genres); genres without a movie are left out.
        side: int64, shape (n,).

    Returns:
        For each side, the mean over genres of |share on the side / share overall - 1|.
    """
    present = targets[:, targets.any(axis=0)]
    overall = present.mean(axis=0)
    return {
        int(number): float(np.abs(present[side == number].mean(axis=0) / overall - 1).mean())
        for number in np.unique(side)
    }


def _film_key(title: str, year: int | None) -> str:
    """Name a film by its letters and year; "" where either is unknown."""
    letters = re.sub(r"\W+", "", title.casefold())
    return f"film {letters} {year}" if letters and year is not None else ""
