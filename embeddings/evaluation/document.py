"""The figures of one checkpoint on one set of movies, beside the trivial predictors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import TrainingError
from embeddings.evaluation.metrics import (
    N_BINS,
    average_precisions,
    decision_metrics,
    half_metrics,
    macro_columns,
    per_genre_figures,
    probability_metrics,
    ranking_metrics,
)
from embeddings.evaluation.thresholds import sweep_thresholds
from embeddings.genres import GenreVocabulary

CUTS = {
    "macro_f1, micro_f1, per_genre, jaccard and their kin": "the checkpoint's thresholds",
    "hamming_loss, hamming_skill, binary_accuracy, subset_accuracy": "calibrated probability 0.5",
}


@dataclass(frozen=True)
class JudgedPosters:
    """Predictions for movies, and the truth about them.

    Args:
        movie_ids: n ids, in the order of the rows.
        genres: The checkpoint's genres, in column order.
        targets: Zeros and ones, float32, (n, n_genres).
        probs: Calibrated, float32, (n, n_genres).
        thresholds: One cut per genre, float32, (n_genres,).
    """

    movie_ids: tuple[str, ...]
    genres: GenreVocabulary
    targets: NDArray[np.float32]
    probs: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = (len(self.movie_ids), len(self.genres))
        if self.targets.shape != shape or self.probs.shape != shape:
            raise ValueError(
                f"expected {shape} targets and probs, got {self.targets.shape}, {self.probs.shape}"
            )

    def present(self) -> JudgedPosters:
        """The same without the genres that no judged movie has."""
        columns = np.flatnonzero(self.targets.any(axis=0))
        return JudgedPosters(
            self.movie_ids,
            GenreVocabulary(tuple(self.genres.genres[c] for c in columns)),
            self.targets[:, columns],
            self.probs[:, columns],
            self.thresholds[columns],
        )

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Genres at or above their thresholds, bool, (n, n_genres)."""
        return self.probs >= self.thresholds


def evaluation_document(judged: JudgedPosters) -> dict[str, Any]:
    """Work out every figure; the keys are those of ``onesheet evaluate --json``.

    Raises:
        TrainingError: No movie has a genre that the checkpoint knows.
    """
    judged = judged.present()
    if not len(judged.genres):
        raise TrainingError(
            f"none of the {len(judged.movie_ids)} judged movies has a readable poster and a genre that the "
            "checkpoint knows; give labels with genres of its vocabulary, and their posters."
        )
    columns = macro_columns(judged.targets)
    figures = _figures(judged.targets, judged.probs, judged.chosen, judged.probs >= 0.5, columns)
    return {
        "n": len(judged.movie_ids),
        "labels": list(judged.genres),
        "macro_labels": [judged.genres.genres[c] for c in columns],
        **figures,
        "cuts": CUTS,
        "per_genre": _per_genre(judged),
        "reliability": reliability_bins(judged),
        "trivial": trivial_rows(judged.targets, columns),
    }


def at_common_cuts(fitted_on: JudgedPosters, judged: JudgedPosters) -> dict[str, dict[str, float]]:
    """F1 at the one cut for all genres that is best where cuts are fitted.

    Args:
        fitted_on: Predictions of the validation side; the cuts of .01 to .99 are tried there.
        judged: Predictions that the chosen cuts are judged on.

    Returns:
        For ``macro_f1`` and for ``micro_f1``: the cut that is best for it, and both figures at that cut.
    """
    tried = sweep_thresholds(fitted_on.probs, fitted_on.targets)
    reached = sweep_thresholds(judged.probs, judged.targets)
    found = {}
    for name, values in (("macro_f1", tried.macro_f1), ("micro_f1", tried.micro_f1)):
        at = int(values.argmax())
        found[name] = {
            "threshold": float(tried.thresholds[at]),
            "macro_f1": float(reached.macro_f1[at]),
            "micro_f1": float(reached.micro_f1[at]),
        }
    return found


def reliability_bins(judged: JudgedPosters) -> list[dict[str, float]]:
    """What was said against what came true, in bins of equally many predictions, rising.

    Returns:
        For each bin the mean probability ``predicted``, the share ``observed`` and the ``count``.
    """
    probs, truth = judged.probs.ravel(), judged.targets.ravel()
    bins = np.array_split(np.argsort(probs, kind="stable"), min(N_BINS, probs.size))
    return [
        {
            "predicted": float(probs[rows].mean()),
            "observed": float(truth[rows].mean()),
            "count": len(rows),
        }
        for rows in bins
    ]


def trivial_rows(targets: NDArray[np.float32], columns: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """The figures of three predictors that never look at a poster.

    ``most_frequent`` always chooses as many of the commonest genres as a movie
    has on average. Each is judged by what it chooses at both cuts alike.
    """
    n_common = max(1, round(float(targets.sum(axis=1).mean())))
    common = np.zeros(targets.shape[1], dtype=bool)
    common[np.argsort(-targets.sum(axis=0), kind="stable")[:n_common]] = True
    rows = {
        "all_negative": np.zeros(targets.shape[1], dtype=bool),
        "all_positive": np.ones(targets.shape[1], dtype=bool),
        "most_frequent": common,
    }
    return {
        name: _figures(
            targets,
            np.broadcast_to(row.astype(np.float32), targets.shape),
            np.broadcast_to(row, targets.shape),
            np.broadcast_to(row, targets.shape),
            columns,
        )
        for name, row in rows.items()
    }


def _figures(
    targets: NDArray[np.float32],
    probs: NDArray[np.float32],
    chosen: NDArray[np.bool_],
    halves: NDArray[np.bool_],
    columns: NDArray[np.int64],
) -> dict[str, Any]:
    precisions = average_precisions(targets, probs)
    return {
        **decision_metrics(targets, chosen, columns),
        "mean_average_precision": float(precisions[columns].mean()),
        **half_metrics(targets, halves),
        **probability_metrics(targets, probs),
        **ranking_metrics(targets, probs),
    }


def _per_genre(judged: JudgedPosters) -> dict[str, dict[str, float]]:
    figures = per_genre_figures(judged.targets, judged.chosen)
    precisions = average_precisions(judged.targets, judged.probs)
    return {
        genre: {
            "precision": float(figures[g, 0]),
            "recall": float(figures[g, 1]),
            "f1": float(figures[g, 2]),
            "average_precision": float(precisions[g]),
            "support": int(judged.targets[:, g].sum()),
            "threshold": float(judged.thresholds[g]),
        }
        for g, genre in enumerate(judged.genres)
    }
