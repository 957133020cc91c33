"""Which movies people rate alike: a file of a snapshot, carried from one to the next.

It is fitted to ratings by the reindex that learns from them, and names movies
by id, so that a snapshot with other rows can carry it as it is.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.types import Ratings

AFFINITIES_FILE = "affinities.npz"
BELIEVED_HALF = 200.0
"""People at which half of a correlation is believed: between two movies it is seldom more than .1."""


class Agreement(NamedTuple):
    """How alike the people who rated two movies rated them.

    Args:
        correlation: Of what neither person nor movie explains of a rating, in [-1, 1].
        n_people: Who rated both.
    """

    correlation: float
    n_people: int

    @property
    def strength(self) -> float:
        """The correlation as far as so many people can be believed."""
        return self.correlation * self.n_people / (self.n_people + BELIEVED_HALF)


@dataclass(frozen=True)
class Affinities:
    """For each movie those that people rate most like it.

    Args:
        movie_ids: UTF-8 bytes, numpy kind ``S``, (m,), sorted.
        ends: int64, (m + 1,): those of movie i stand from ``ends[i]`` to ``ends[i + 1]``.
        others: int32, (t,), positions in ``movie_ids``, strongest first.
        correlations: float32, (t,).
        n_people: int32, (t,).
        source: Names the ratings and the method that they come from.
    """

    movie_ids: NDArray[np.bytes_]
    ends: NDArray[np.int64]
    others: NDArray[np.int32]
    correlations: NDArray[np.float32]
    n_people: NDArray[np.int32]
    source: str = ""

    def of(self, movie_id: str) -> dict[str, Agreement]:
        """The movies that people rate like this one, strongest first; empty where none is known."""
        part = self._part(movie_id)
        pairs = zip(self.correlations[part].tolist(), self.n_people[part].tolist(), strict=True)
        return dict(zip(self._names(part), map(Agreement._make, pairs), strict=True))

    def strengths(self, movie_id: str) -> dict[str, float]:
        """How strong each of those agreements is, in the same order."""
        part = self._part(movie_id)
        n = self.n_people[part]
        found = self.correlations[part] * (n / (n + BELIEVED_HALF))
        return dict(zip(self._names(part), found.tolist(), strict=True))

    def _part(self, movie_id: str) -> slice:
        """Where the agreements of a movie stand."""
        key = movie_id.encode("utf-8", "surrogatepass")
        # numpy would copy the column wider to compare it with a longer id.
        if not len(self.movie_ids) or len(key) > self.movie_ids.itemsize:
            return slice(0)
        at = int(np.searchsorted(self.movie_ids, np.array(key, dtype=self.movie_ids.dtype)))
        if at == len(self.movie_ids) or self.movie_ids[at] != key:
            return slice(0)
        return slice(self.ends[at], self.ends[at + 1])

    def _names(self, part: slice) -> list[str]:
        return [one.decode("utf-8", "surrogatepass") for one in self.movie_ids[self.others[part]].tolist()]


class AffinityFitter(Protocol):
    """Finds out which movies people rate alike."""

    @property
    def identity(self) -> str:
        """Names the method, its version and its settings."""
        ...

    def fit(self, ratings: Ratings, movie_ids: tuple[str, ...]) -> Affinities:
        """Affinities of these movies; of no movie where too little is rated."""
        ...


def update_affinities(
    before: Affinities | None,
    fitter: AffinityFitter | None,
    learned_from: str,
    ratings: Callable[[], Ratings],
    movie_ids: tuple[str, ...],
) -> Affinities | None:
    """What was known as it is, or fitted anew where it comes from other ratings.

    Args:
        before: Affinities of the snapshot before.
        fitter: None carries on what was known.
        learned_from: Names the ratings and rows as they are.
        ratings: Reads them.
        movie_ids: Every movie of the index.
    """
    if fitter is None:
        return before
    source = source_of(fitter, learned_from)
    if before is not None and before.source == source:
        return before
    return replace(fitter.fit(ratings(), movie_ids), source=source)


def source_of(fitter: AffinityFitter, learned_from: str) -> str:
    """What affinities are named by: the same ratings, rows and method give the same."""
    return f"{learned_from} {fitter.identity}"


def affinities_bytes(affinities: Affinities) -> bytes:
    """Affinities as a file of numpy arrays."""
    out = io.BytesIO()
    np.savez(
        out,
        movie_ids=affinities.movie_ids,
        ends=affinities.ends,
        others=affinities.others,
        correlations=affinities.correlations,
        n_people=affinities.n_people,
        source=np.array([affinities.source.encode()], dtype=np.bytes_),
    )
    return out.getvalue()


def parse_affinities(data: bytes) -> Affinities:
    """The opposite of ``affinities_bytes``.

    Raises:
        SnapshotError: The bytes are no affinities.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            found = Affinities(
                movie_ids=file["movie_ids"],
                ends=file["ends"],
                others=file["others"],
                correlations=file["correlations"],
                n_people=file["n_people"],
                source=file["source"][0].decode(),
            )
    except (KeyError, IndexError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SnapshotError(
            f"{AFFINITIES_FILE} has no affinities ({error}); run `onesheet reindex`."
        ) from error
    n = {len(found.others), len(found.correlations), len(found.n_people)}
    if len(found.ends) != len(found.movie_ids) + 1 or n != {int(found.ends[-1])}:
        raise SnapshotError(
            f"{AFFINITIES_FILE} has {len(found.ends)} ends for {len(found.movie_ids)} movies and columns of "
            f"{sorted(n)} pairs; run `onesheet reindex`."
        )
    return found
