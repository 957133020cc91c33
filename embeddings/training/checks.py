"""Looking the data over before training: sizes, classes, repeated and unreadable posters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from embeddings.errors import PosterError
from embeddings.posters import read_poster
from embeddings.training.artwork import ArtworkHashes, artwork_groups, hash_artwork
from embeddings.training.labels import Labels, find_labelled_posters

_FEW = 50
_SMALLEST_SIDE = 100
Sizes = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class DataCheck:
    """What a look at labels and posters found.

    Args:
        n_movies: Movies in the labels file.
        n_repeated: Rows merged into an earlier row of the same id.
        n_unlabelled: Movies without a genre.
        n_without_poster: Labelled movies without a poster file.
        unreadable: Posters that cannot be read: (movie id, reason).
        sizes: Smallest, median and largest (width, height) in pixels; None where no poster can be read.
        n_small: Posters with a side below 100 pixels.
        n_unusual: Posters whose width is not 0.55 to 0.8 of their height.
        support: Movies with a poster of each genre, the commonest first.
        mean_genres: Genres of a movie, on average.
        n_same_artwork: Posters whose artwork another movie has too.
        conflicts: Pairs of movies with the same artwork and different genres.
    """

    n_movies: int
    n_repeated: int
    n_unlabelled: int
    n_without_poster: int
    unreadable: tuple[tuple[str, str], ...]
    sizes: Sizes | None
    n_small: int
    n_unusual: int
    support: dict[str, int]
    mean_genres: float
    n_same_artwork: int
    conflicts: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """The findings as lines for people."""
        few = [f"{genre} {n}" for genre, n in self.support.items() if n < _FEW]
        common = ", ".join(f"{genre} {n}" for genre, n in self.support.items())
        found = [
            f"{self.n_movies} movies; {self.n_repeated} repeated rows merged, "
            f"{self.n_unlabelled} without genres, {self.n_without_poster} without a poster",
            self._size_line(),
            f"{self.mean_genres:.2f} genres a movie: {common}",
        ]
        if few:
            found.append(f"genres with fewer than {_FEW} movies: {', '.join(few)}")
        if self.n_same_artwork:
            found.append(
                f"{self.n_same_artwork} posters share their artwork with another movie; "
                f"{len(self.conflicts)} such pairs have different genres"
                + "".join(f"; {a} and {b}" for a, b in self.conflicts[:3])
            )
        found += [f"unreadable: {movie_id}: {reason}" for movie_id, reason in self.unreadable]
        return found

    def _size_line(self) -> str:
        if self.sizes is None:
            return "no poster can be read"
        small, middle, large = (f"{w}x{h}" for w, h in self.sizes)
        return (
            f"posters {small} to {large}, median {middle}; "
            f"{self.n_small} smaller than {_SMALLEST_SIDE} pixels, {self.n_unusual} of unusual shape"
        )


def check_data(labels: Labels, posters_dir: Path, hashes: ArtworkHashes | None = None) -> DataCheck:
    """Look labels and posters over; every poster is read once.

    Args:
        labels: Movies and their genres.
        posters_dir: Folder of posters.
        hashes: Artwork hashes of the labelled movies with a poster, in their order; None computes them.

    Raises:
        LabelsError: ``posters_dir`` is not a folder, or no movie has both genres and a poster.
    """
    labelled = labels.labelled()
    posters = find_labelled_posters(labels, posters_dir)
    usable = labelled.select(posters)
    hashes = hashes or hash_artwork(list(posters.values()))
    broken = [path for path, fine in zip(posters.items(), hashes.readable, strict=True) if not fine]
    sizes = _sizes(path for path, fine in zip(posters.values(), hashes.readable, strict=True) if fine)
    groups = artwork_groups(hashes)
    shared = Counter(groups.tolist())
    return DataCheck(
        n_movies=len(labels),
        n_repeated=labels.n_repeated,
        n_unlabelled=len(labels) - len(labelled),
        n_without_poster=len(labelled) - len(usable),
        unreadable=tuple((movie_id, _reason(path)) for movie_id, path in broken),
        sizes=_spread(sizes),
        n_small=sum(min(size) < _SMALLEST_SIDE for size in sizes),
        n_unusual=sum(not 0.55 <= w / h <= 0.8 for w, h in sizes),
        support=dict(usable.support().most_common()),
        mean_genres=float(np.mean([len(names) for names in usable.genres])),
        n_same_artwork=sum(n for n in shared.values() if n > 1),
        conflicts=_conflicts(usable, groups.tolist()),
    )


def _sizes(paths: Iterable[Path]) -> list[tuple[int, int]]:
    """Sizes from the headers; the pictures themselves were read before."""

    def size(path: Path) -> tuple[int, int]:
        with Image.open(path) as image:
            return image.size

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(size, paths))


def _spread(sizes: list[tuple[int, int]]) -> Sizes | None:
    ordered = sorted(sizes, key=lambda size: size[0] * size[1])
    return (ordered[0], ordered[len(ordered) // 2], ordered[-1]) if ordered else None


def _reason(path: Path) -> str:
    try:
        read_poster(path)
    except PosterError as error:
        return str(error)
    return "could not be read before, can be read now"


def _conflicts(labels: Labels, groups: list[int]) -> tuple[tuple[str, str], ...]:
    first: dict[int, int] = {}
    found = []
    for row, group in enumerate(groups):
        earlier = first.setdefault(group, row)
        if labels.genres[row] != labels.genres[earlier]:
            found.append((labels.movie_ids[earlier], labels.movie_ids[row]))
    return tuple(found)
