"""How good predicted genres are: every figure beside the definition that gives it.

Two cuts are in use, and each figure says which: ``chosen`` genres are those at
or above the checkpoint's own thresholds (they serve F1); ``halves`` are those
at calibrated probability 0.5, the cut of the fewest wrong decisions.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    precision_recall_fscore_support,
)

MIN_MACRO_SUPPORT = 5
N_BINS = 15
TOP_K = (1, 3, 5)


def average_precisions(targets: NDArray[np.float32], probs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Average precision of each genre, (n_genres,); NaN where no movie has it."""
    return np.array(
        [
            average_precision_score(targets[:, g], probs[:, g]) if targets[:, g].any() else np.nan
            for g in range(targets.shape[1])
        ]
    )


def macro_columns(targets: NDArray[np.float32], min_support: int = MIN_MACRO_SUPPORT) -> NDArray[np.int64]:
    """Columns of the genres with enough movies for a headline figure; all present ones if none has."""
    support = targets.sum(axis=0)
    enough = np.flatnonzero(support >= min_support)
    return enough if len(enough) else np.flatnonzero(support > 0)


def decision_metrics(
    targets: NDArray[np.float32], chosen: NDArray[np.bool_], columns: NDArray[np.int64]
) -> dict[str, Any]:
    """F1 family and Jaccard of chosen genres.

    Args:
        targets: Zeros and ones, float32, (n, n_genres).
        chosen: bool, (n, n_genres).
        columns: Genres that macro and weighted means go over.
    """
    truth = targets > 0.5
    figures: dict[str, Any] = {}
    for average in ("micro", "macro", "weighted", "samples"):
        wanted = columns if average in ("macro", "weighted") else np.arange(truth.shape[1])
        precision, recall, f1 = _prf(truth[:, wanted], chosen[:, wanted], average)
        figures |= {f"{average}_precision": precision, f"{average}_recall": recall, f"{average}_f1": f1}
    both, either = (truth & chosen).sum(axis=1), (truth | chosen).sum(axis=1)
    # Nothing true and nothing chosen is full agreement.
    figures["jaccard"] = float(np.where(either > 0, both / np.maximum(either, 1), 1.0).mean())
    return figures


def half_metrics(targets: NDArray[np.float32], halves: NDArray[np.bool_]) -> dict[str, float]:
    """Hamming loss, its skill, binary accuracy, subset accuracy of genres cut at probability 0.5.

    Skill is 1 - loss / loss of predicting nothing.
    """
    truth = targets > 0.5
    wrong, nothing = float((truth != halves).mean()), float(truth.mean())
    return {
        "hamming_loss": wrong,
        "hamming_skill": 1 - wrong / nothing if nothing else 0.0,
        "binary_accuracy": 1 - wrong,
        "subset_accuracy": float((truth == halves).all(axis=1).mean()),
    }


def probability_metrics(targets: NDArray[np.float32], probs: NDArray[np.float32]) -> dict[str, float]:
    """Calibration error and Brier score.

    Brier skill is 1 - score / score of predicting each genre's share of the
    judged movies: the best constant there is.
    """
    y, p = targets.astype(np.float64), probs.astype(np.float64)
    brier, constant = float(((p - y) ** 2).mean()), float((y.mean(axis=0) * (1 - y.mean(axis=0))).mean())
    per_genre = [adaptive_ece(y[:, g], p[:, g]) for g in range(y.shape[1])]
    return {
        "ece": adaptive_ece(y.ravel(), p.ravel()),
        "ece_macro": float(np.mean(per_genre)),
        "brier": brier,
        "brier_skill": 1 - brier / constant if constant else 0.0,
    }


def adaptive_ece(truth: NDArray[np.float64], probs: NDArray[np.float64], n_bins: int = N_BINS) -> float:
    """Mean gap between probability and frequency over bins of equally many predictions.

    Args:
        truth: Zeros and ones, (n,).
        probs: (n,).
        n_bins: Bins; fewer where there are fewer predictions.

    Source:
        J. Nixon et al., "Measuring Calibration in Deep Learning", CVPR workshops 2019.
    """
    order = np.argsort(probs, kind="stable")
    bins = np.array_split(order, min(n_bins, len(order)))
    return float(sum(abs(probs[rows].sum() - truth[rows].sum()) for rows in bins) / len(order))


def ranking_metrics(targets: NDArray[np.float32], probs: NDArray[np.float32]) -> dict[str, float]:
    """How well each movie's genres stand above the others, over movies that have one.

    ``top_k_accuracy_K``: share of movies with one of their genres among the K
    most probable. ``r_precision``: share of a movie's n genres among its n most
    probable. Genres of equal probability stand in any order: figures are means over all orders, so that
    a predictor that never looks does not gain by the alphabet.
    """
    labelled = targets.any(axis=1)
    truth, scores = targets[labelled] > 0.5, probs[labelled]
    if not len(truth):
        return {f"top_{k}_accuracy": 0.0 for k in TOP_K} | {
            "label_ranking_average_precision": 0.0,
            "r_precision": 0.0,
        }
    n_true, n_genres = truth.sum(axis=1), truth.shape[1]
    figures = {}
    for k in TOP_K:
        above, slots, tied, tied_true = _first(truth, scores, np.full(len(truth), min(k, n_genres)))
        none = np.where(above > 0, 0.0, hypergeom.pmf(0, tied, tied_true, slots))
        figures[f"top_{k}_accuracy"] = float(1 - none.mean())
    above, slots, tied, tied_true = _first(truth, scores, n_true)
    return figures | {
        "label_ranking_average_precision": float(label_ranking_average_precision_score(truth, scores)),
        "r_precision": float(((above + slots * tied_true / tied) / n_true).mean()),
    }


def _first(
    truth: NDArray[np.bool_], scores: NDArray[np.float32], k: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The k most probable genres of each movie, where equal ones may stand in any order.

    Returns:
        True genres that are surely among them; places left for those at the border; how many genres
        stand at the border; how many of these are true.
    """
    border = np.take_along_axis(-np.sort(-scores, axis=1), k[:, None] - 1, axis=1)
    above, tied = scores > border, scores == border
    return (truth & above).sum(axis=1), k - above.sum(axis=1), tied.sum(axis=1), (truth & tied).sum(axis=1)


def per_genre_figures(targets: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Precision, recall and F1 of each genre, (n_genres, 3)."""
    truth = targets > 0.5
    hits = (truth & chosen).sum(axis=0)
    precision = hits / np.maximum(chosen.sum(axis=0), 1)
    recall = hits / np.maximum(truth.sum(axis=0), 1)
    f1 = 2 * hits / np.maximum(chosen.sum(axis=0) + truth.sum(axis=0), 1)
    return np.stack([precision, recall, f1], axis=1)


def _prf(truth: NDArray[np.bool_], chosen: NDArray[np.bool_], average: str) -> tuple[float, float, float]:
    if truth.shape[1] == 1:
        # scikit-learn takes one column for a question whose "no" counts too; beside a genre that no movie
        # has it is a genre, and the mean by support is its own figure.
        truth, chosen = (np.pad(one, ((0, 0), (0, 1))) for one in (truth, chosen))
        average = "weighted" if average == "macro" else average
    with warnings.catch_warnings():
        # A movie without a genre has no recall; scikit-learn counts it as 0 either way.
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, chosen, average=average, zero_division=0
        )
    return float(precision), float(recall), float(f1)
