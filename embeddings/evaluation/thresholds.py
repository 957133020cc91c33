"""From probabilities to chosen genres: cuts fitted on validation movies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SWEEP = np.round(np.arange(0.01, 1.0, 0.01), 2)
_N_RESAMPLES = 50
# A genre with this many validation movies is believed half. On random halves of 5,200 unseen posters 200
# gave macro F1 .332 and micro F1 .485, 15 gave .330 and .479, each genre's own best cut .328 and .471.
_HALF_BELIEVED = 200.0
# How far every cut is then drawn towards the common one, by logits. Fitted on 1,760 of 4,355 unseen posters
# and judged on the others, twelve times, macro and micro F1 are .3468 and .5037 at 0, .3462 and .5116 at .1,
# .3428 and .5177 at .2 (``benchmarks/cut_trials.py``).
TOWARDS_COMMON = 0.1


@dataclass(frozen=True)
class Sweep:
    """What one common cut would give, for each cut of .01 to .99.

    Args:
        thresholds: float64, (99,).
        macro_f1: float64, (99,).
        micro_f1: float64, (99,).
    """

    thresholds: NDArray[np.float64]
    macro_f1: NDArray[np.float64]
    micro_f1: NDArray[np.float64]

    @property
    def best(self) -> float:
        """The cut of the highest macro F1."""
        return float(self.thresholds[int(self.macro_f1.argmax())])

    @property
    def best_micro(self) -> float:
        """The cut of the highest micro F1."""
        return float(self.thresholds[int(self.micro_f1.argmax())])


def sweep_thresholds(probs: NDArray[np.float32], targets: NDArray[np.float32]) -> Sweep:
    """Try every common cut of .01 to .99; genres without a movie are left out of macro F1."""
    present = targets.any(axis=0)
    macro, micro = [], []
    for cut in SWEEP:
        chosen = probs >= cut
        hits = (chosen * targets).sum(axis=0)
        sizes = chosen.sum(axis=0) + targets.sum(axis=0)
        macro.append(float((2 * hits / np.maximum(sizes, 1))[present].mean()) if present.any() else 0.0)
        micro.append(float(2 * hits.sum() / max(sizes.sum(), 1)))
    return Sweep(SWEEP, np.array(macro), np.array(micro))


def fit_thresholds(
    probs: NDArray[np.float32],
    targets: NDArray[np.float32],
    seed: int = 0,
    towards_common: float = TOWARDS_COMMON,
) -> tuple[float, ...]:
    """Fit the cut of each genre for its F1, with an eye on all genres' together.

    The best cut of a few movies is an accident. So each genre's cut is the
    median over bootstrap resamples, and is drawn, the fewer movies it has,
    towards the cut at which it is chosen as often, for each movie that has it,
    as the common genres are. That prior never lets a rare genre go unchosen,
    as a common cut would.

    Cuts that are best for each genre name rare genres so readily that the
    genres of a poster, taken together, get worse (micro F1). All are drawn a
    little towards the one common cut that is best for micro F1, which costs
    the mean over genres (macro F1) hardly anything.

    Args:
        probs: Calibrated, float32, (n, n_genres).
        targets: Zeros and ones, float32, (n, n_genres).
        seed: Of the resamples.
        towards_common: How far, in [0, 1]; 0 serves each genre alone.

    Returns:
        One cut per genre, in (0, 1).

    Source:
        Z. Lipton, C. Elkan, B. Naryanaswamy, "Optimal Thresholding of Classifiers to
        Maximize F1 Measure", ECML PKDD 2014.
    """
    rng = np.random.default_rng(seed)
    samples = [rng.integers(0, len(probs), len(probs)) for _ in range(_N_RESAMPLES)]
    n_genres = probs.shape[1]
    own = np.array([_bagged_cut(probs[:, g], targets[:, g], samples) for g in range(n_genres)])
    support = targets.sum(axis=0)
    chosen = np.array([(probs[:, g] >= own[g]).sum() for g in range(n_genres)])
    rate = float((chosen * support).sum() / max((support * support).sum(), 1.0))
    prior = np.array([_cut_for_count(probs[:, g], rate * support[g]) for g in range(n_genres)])
    belief = support / (support + _HALF_BELIEVED)
    logit = belief * _logit(own) + (1 - belief) * _logit(prior)
    common = _logit(np.array([sweep_thresholds(probs, targets).best_micro]))
    logit = (1 - towards_common) * logit + towards_common * common
    return tuple(float(cut) for cut in np.clip(1 / (1 + np.exp(-logit)), 1e-4, 1 - 1e-4))


def best_cut(probs: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The cut of the highest F1 of one genre, half-way to the next lower probability; 0.5 without a movie.

    Args:
        probs: float32, (n,).
        targets: Zeros and ones, float32, (n,).
    """
    if not targets.any():
        return 0.5
    order = np.argsort(-probs, kind="stable")
    ranked = probs[order].astype(np.float64)
    hits = np.cumsum(targets[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + targets.sum())
    # A cut cannot fall between equal probabilities.
    f1[:-1][ranked[:-1] == ranked[1:]] = -1
    last = int(f1.argmax())
    below = ranked[last + 1] if last + 1 < len(ranked) else 0.0
    return float((ranked[last] + below) / 2)


def _bagged_cut(
    probs: NDArray[np.float32], targets: NDArray[np.float32], samples: list[NDArray[np.int64]]
) -> float:
    return float(np.median([best_cut(probs[rows], targets[rows]) for rows in samples]))


def _cut_for_count(probs: NDArray[np.float32], count: float) -> float:
    """The cut that chooses about ``count`` movies."""
    share = min(max(count, 1.0) / len(probs), 1.0)
    return float(np.quantile(probs, 1 - share))


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.log(p) - np.log1p(-p)
