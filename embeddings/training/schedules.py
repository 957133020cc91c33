"""Learning-rate schedules by name.

A schedule is a pure function of how far training has come, so that a resumed
run needs no state of it: share of the peak rate = schedule(progress).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from embeddings.errors import TrainingError


@dataclass(frozen=True)
class Progress:
    """How far training has come.

    Args:
        epoch: Epochs done, with their fraction, in [0, epochs].
        epochs: Epochs planned.
        figures: The monitored figure after each finished epoch, larger is better.
    """

    epoch: float
    epochs: int
    figures: Sequence[float] = ()

    @property
    def share(self) -> float:
        """Share of the training that is done, in [0, 1]."""
        return min(1.0, self.epoch / self.epochs)


Schedule = Callable[[Progress], float]


def constant() -> Schedule:
    """Always the peak rate."""
    return lambda progress: 1.0


def step(every: float = 5.0, factor: float = 0.5) -> Schedule:
    """``factor`` more after each ``every`` epochs."""
    return lambda progress: factor ** math.floor(progress.epoch / every)


def exponential(factor: float = 0.9) -> Schedule:
    """``factor`` more with each epoch, gliding."""
    return lambda progress: factor**progress.epoch


def cosine(floor: float = 0.01) -> Schedule:
    """Half a cosine from 1 down to ``floor``.

    Source:
        I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
    """
    return lambda progress: floor + (1 - floor) * (1 + math.cos(math.pi * progress.share)) / 2


def one_cycle(rise: float = 0.3, start: float = 0.04, end: float = 4e-6) -> Schedule:
    """Half a cosine up from ``start`` in the first ``rise`` of training, then one down to ``end``.

    Source:
        L. Smith, N. Topin, "Super-Convergence", 2018; the shape of torch's ``OneCycleLR``.
    """

    def schedule(progress: Progress) -> float:
        if progress.share < rise:
            low, high, part = start, 1.0, progress.share / rise
        else:
            low, high, part = 1.0, end, (progress.share - rise) / (1 - rise)
        return high + (low - high) * (1 + math.cos(math.pi * part)) / 2

    return schedule


def plateau(factor: float = 0.3, patience: float = 5, smallest_gain: float = 1e-4) -> Schedule:
    """``factor`` more whenever ``patience`` epochs in a row brought no better figure."""

    def schedule(progress: Progress) -> float:
        rate, best, waited = 1.0, -math.inf, 0
        for figure in progress.figures:
            if figure > best + smallest_gain:
                best, waited = figure, 0
            else:
                waited += 1
            if waited >= patience:
                rate, waited = rate * factor, 0
        return rate

    return schedule


SCHEDULES: Mapping[str, Callable[..., Schedule]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "plateau": plateau,
}


def make_schedule(
    name: str, warmup_epochs: float = 0.0, options: Mapping[str, float] | None = None
) -> Schedule:
    """Build a schedule by name, with a linear warm-up laid over its beginning.

    Raises:
        TrainingError: The name or an option is unknown, or the rate leaves [0, 1].
    """
    if name not in SCHEDULES:
        raise TrainingError(f"there is no schedule {name!r}; choose one of {', '.join(SCHEDULES)}.")
    try:
        base = SCHEDULES[name](**(options or {}))
    except TypeError as error:
        raise TrainingError(f"schedule {name}: {error}; see its function for its options.") from error
    if not _stays_between_0_and_1(base):
        raise TrainingError(
            f"schedule {name} with {dict(options or {})} gives no share of the peak rate, which lies "
            "between 0 and 1 throughout; see its function for what its options mean."
        )
    if warmup_epochs <= 0:
        return base
    return lambda progress: base(progress) * min(1.0, (progress.epoch + 1e-3) / warmup_epochs)


def _stays_between_0_and_1(schedule: Schedule) -> bool:
    """Whether a training of 20 epochs that never got better would go through without a rate out of bounds."""
    try:
        rates = [schedule(Progress(quarter / 4, 20, [0.0] * (quarter // 4))) for quarter in range(81)]
        return all(0.0 <= rate <= 1.0 for rate in rates)
    except (ArithmeticError, TypeError, ValueError):  # a negative factor gives complex powers
        return False
