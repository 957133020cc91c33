"""Which weights are in force, and the one query row that stands for them.

A movie is a row x = [v | g | c] of unit blocks. With the query row
q = [w_v/s_v v | w_g/s_g g | w_c/s_c c] one inner product q.x is the blend of
three cosines, each on the scale of its spread s among random pairs of the
catalog: the weights are chosen when the question is asked, the index never
changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.taste_map import unit_rows
from indexer.types import Rows
from recommender.types import Weights

UNLIKE_SHARE = 0.5
"""How much movies that somebody names as unliked count beside the liked ones."""
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Scale:
    """How the cosines of random pairs of a catalog are spread, in the order visual, genre, taste.

    Args:
        means: float64, (3,), mean cosine; 0 where a signal is unknown to the whole catalog.
        spreads: float64, (3,), standard deviation, never 0.
    """

    means: NDArray[np.float64]
    spreads: NDArray[np.float64]

    @classmethod
    def of_pairs(cls, pairs: NDArray[np.float32], spreads: tuple[float, ...] | None = None) -> Scale:
        """Measure the scale of random pairs.

        Args:
            pairs: Cosines, (m, 3), NaN where a signal does not know the pair.
            spreads: Standard deviations measured elsewhere (the manifest's); None measures them here.
        """
        known = ~np.isnan(pairs)
        counts = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, pairs, 0).sum(axis=0, dtype=np.float64) / counts
        if spreads is None:
            squares = np.where(known, pairs - means, 0) ** 2
            measured = np.sqrt(squares.sum(axis=0, dtype=np.float64) / counts)
        else:
            measured = np.asarray(spreads, dtype=np.float64)
        # A signal that is the same for every pair tells nothing; 1 keeps its (constant) share finite.
        return cls(means, np.where(measured > _LEAST_SPREAD, measured, 1.0))


def weights_in_force(wanted: Weights, known: NDArray[np.bool_], default: Weights) -> Weights:
    """Give the weight of each signal that the query lacks to the others, and make the sum 1.

    The others share it in proportion to their own weights; where all of those
    are 0, in proportion to ``default``, and failing that equally.

    Args:
        wanted: Weights asked for, any sum above 0.
        known: bool, (3,), which signals the query has.
        default: The catalog's own weights.

    Returns:
        Weights that sum to 1, 0 for every signal the query lacks.

    Raises:
        InvalidRequestError: A weight is negative or not finite, all are 0, or the query has no signal.

    Example:
        >>> weights_in_force(Weights(2, 1, 1), np.array([True, True, False]), Weights(1, 1, 1))
        Weights(visual=0.6666666666666666, genre=0.3333333333333333, taste=0.0)
    """
    shares = np.asarray(wanted.as_tuple(), dtype=np.float64)
    if not np.isfinite(shares).all() or (shares < 0).any() or not shares.any():
        raise InvalidRequestError(
            f"weights must be numbers >= 0 with at least one above 0, got visual {wanted.visual}, "
            f"genre {wanted.genre}, taste {wanted.taste}.",
            field="weights",
        )
    if not known.any():
        raise InvalidRequestError(
            "the query has no poster, genre or rating to compare by; add a poster or genres "
            "and run `onesheet reindex`."
        )
    for candidate in (shares, np.asarray(default.as_tuple(), dtype=np.float64), np.ones(3)):
        kept = np.where(known, candidate, 0.0)
        if kept.any():
            break
    # The sum of large ones would be infinite, and of the smallest inexact; a power of two rounds nothing.
    kept = np.ldexp(kept, -np.frexp(kept.max())[1])
    visual, genre, taste = (kept / kept.sum()).tolist()
    return Weights(visual, genre, taste)


def known_signals(rows: Rows) -> NDArray[np.bool_]:
    """Signals that at least one of the movies has: bool, (3,)."""
    return np.asarray(rows.known.any(axis=0))


def query_row(
    like: Rows, unlike: Rows | None, weights: Weights, scale: Scale, unlike_share: float = UNLIKE_SHARE
) -> NDArray[np.float32]:
    """Build the row whose inner product with a movie is the blended score.

    The score is the mean similarity to the liked movies less a share of the
    mean similarity to the unliked ones; each signal is averaged over the
    movies that have it.

    Args:
        like: Movies (or one poster) to be similar to, at least one.
        unlike: Movies to be dissimilar to; None or empty for none.
        weights: Weights in force.
        scale: Spreads of the catalog.
        unlike_share: How much the unliked movies count beside the liked ones.

    Returns:
        float32, (visual_dim + n_genres + taste_dim,).

    Source:
        J. J. Rocchio, "Relevance Feedback in Information Retrieval", 1971.
    """
    blocks = []
    for i, (share, block) in enumerate(zip(weights.as_tuple(), blocks_of(like), strict=True)):
        row = _mean_of_known(block, like.known[:, i])
        if unlike is not None and len(unlike):
            row = row - unlike_share * _mean_of_known(blocks_of(unlike)[i], unlike.known[:, i])
        blocks.append(row * (share / scale.spreads[i]))
    return np.concatenate(blocks).astype(np.float32)


def cosines(like: Rows, candidates: Rows) -> NDArray[np.float32]:
    """Mean inner product of each candidate with the liked movies, by signal.

    Returns:
        float32, (n_candidates, 3), in [-1, 1]; NaN where a signal does not know the pair.
    """
    columns = np.full((len(candidates), 3), np.nan, dtype=np.float32)
    all_known = candidates.known.all()
    for i, (mine, theirs) in enumerate(zip(blocks_of(like), blocks_of(candidates), strict=True)):
        if like.known[:, i].any():
            row = _mean_of_known(mine, like.known[:, i]).astype(np.float32)
            if all_known:
                columns[:, i] = theirs @ row
            else:
                known = candidates.known[:, i]
                columns[known, i] = theirs[known] @ row
    return np.clip(columns, -1.0, 1.0, out=columns)


def shown_cosines(
    like: Rows, candidates: Rows, columns: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """The same for people to read: true cosines, also where rows are shorter than 1.

    A taste row is as long as liking carries; that ranks, but it is not how alike two movies are.

    Args:
        like: The liked movies.
        candidates: The others.
        columns: ``cosines`` of both, where they are at hand.

    Returns:
        float32, (n_candidates, 3), in [-1, 1]; NaN where a signal does not know the pair.
    """
    if columns is not None and len(like) == 1:
        lengths = _lengths(candidates) * _lengths(like)
        return np.clip(columns / np.where(lengths > 0, lengths, 1), -1.0, 1.0)
    unit = [tuple(unit_rows(block) for block in blocks_of(rows)) for rows in (like, candidates)]
    mine, theirs = (
        replace(r, visual=v, genre=g, taste=c) for r, (v, g, c) in zip((like, candidates), unit, strict=True)
    )
    return cosines(mine, theirs)


def identical_score(weights: Weights, scale: Scale) -> float:
    """The score of a movie with itself: every cosine is 1."""
    return float((np.asarray(weights.as_tuple()) / scale.spreads).sum())


def blend(columns: NDArray[np.floating], weights: Weights, scale: Scale) -> NDArray[np.float64]:
    """Mix cosines into one score each, on the scale of the inner product.

    A signal that does not know a pair counts as its mean among random pairs:
    the others keep their shares, so a missing poster or rating moves a movie
    neither up nor down.

    Args:
        columns: Cosines, (n, 3), NaN where unknown.
        weights: Weights in force.
        scale: Means and spreads of the catalog.

    Returns:
        float64, (n,); NaN where no signal with a weight above 0 knows the pair.
    """
    shares = np.asarray(weights.as_tuple(), dtype=np.float64)
    missing = np.isnan(columns)
    if not missing.any():
        whole: NDArray[np.float64] = columns @ (shares / scale.spreads)
        return whole
    scores = np.where(missing, scale.means, columns) @ (shares / scale.spreads)
    return np.where(missing[:, shares > 0].all(axis=1), np.nan, scores)


def blocks_of(rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The blocks in the order of the signals."""
    return rows.visual, rows.genre, rows.taste


def _lengths(rows: Rows) -> NDArray[np.float32]:
    """Lengths of the blocks of some movies, (n, 3)."""
    squares = [np.einsum("ij,ij->i", block, block) for block in blocks_of(rows)]
    lengths: NDArray[np.float32] = np.sqrt(np.stack(squares, axis=1))
    return lengths


def _mean_of_known(block: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    chosen = block[known].astype(np.float64)
    if len(chosen) == 1:
        return chosen.reshape(-1)  # as the mean would be, without its cost
    return chosen.mean(axis=0) if len(chosen) else np.zeros(block.shape[1])
