"""Affinity as something that is judged: what it adds to a blend, for any movie that asks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from indexer.affinities import Affinities
from indexer.types import Rows
from recommender.affinity import lifts
from recommender.evaluation.scorers import InnerProduct, Scorer


class Lift:
    """What affinity adds to the scores of other movies.

    Args:
        rows: All movies.
        affinities: Fitted to the people who are learned from.
        askers: The same movies as they are known when they ask; None as when they answer.
    """

    def __init__(self, rows: Rows, affinities: Affinities, askers: Rows | None = None) -> None:
        self._strengths = strength_table(affinities, rows.movie_ids)
        self._genre = InnerProduct(rows.genre, None if askers is None else askers.genre)

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        asks = np.repeat(queries, candidates.shape[1])
        found = np.asarray(self._strengths[asks, candidates.ravel()]).reshape(candidates.shape)
        return lifts(found, self._genre.pairs(queries, candidates))

    def others(self, queries: NDArray[np.int64]) -> NDArray[np.int64]:
        """Movies with an affinity to each query, (m, most that any has), -1 where there are no more."""
        table = self._strengths[queries]
        counts = np.diff(table.indptr)
        found = np.full((len(queries), int(counts.max(initial=0))), -1, dtype=np.int64)
        found[np.arange(found.shape[1]) < counts[:, None]] = table.indices
        return found

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return lifts(self._strengths[queries].toarray(), self._genre.everything(queries))


class Lifted:
    """A scorer whose scores are lifted.

    Args:
        scorer: What would rank without.
        lift: What is added.
    """

    def __init__(self, scorer: Scorer, lift: Lift) -> None:
        self._scorer = scorer
        self._lift = lift

    def pairs(self, queries: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return self._scorer.pairs(queries, candidates) + self._lift.pairs(queries, candidates)

    def everything(self, queries: NDArray[np.int64]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        return self._scorer.everything(queries) + self._lift.everything(queries)


def strength_table(affinities: Affinities, movie_ids: tuple[str, ...]) -> csr_matrix:
    """Strengths as a table of the movies of a catalog, row asks, column answers; 0 without affinity."""
    place = {movie_id: i for i, movie_id in enumerate(movie_ids)}
    found = [
        (i, place[other], agreement.strength)
        for i, movie_id in enumerate(movie_ids)
        for other, agreement in affinities.of(movie_id).items()
    ]
    rows, columns, strengths = zip(*found, strict=True) if found else ((), (), ())
    return csr_matrix((strengths, (rows, columns)), shape=(len(movie_ids),) * 2, dtype=np.float64)
