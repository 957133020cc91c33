"""Schedules against torch's own, and against values known by eye."""

import math
from collections.abc import Callable

import pytest
import torch
from torch.optim import lr_scheduler

from embeddings.errors import TrainingError
from embeddings.training.schedules import Progress, make_schedule


def torch_rates(make: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler], n: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(n):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def ours(name: str, n: int, epochs: int, **options: float) -> list[float]:
    schedule = make_schedule(name, options=options)
    return [schedule(Progress(float(epoch), epochs)) for epoch in range(n)]


def test_constant_stays() -> None:
    assert ours("constant", 5, 5) == [1.0] * 5


def test_step_is_torchs() -> None:
    expected = torch_rates(lambda o: lr_scheduler.StepLR(o, 3, gamma=0.5), 10)
    assert ours("step", 10, 10, every=3, factor=0.5) == pytest.approx(expected)


def test_exponential_is_torchs() -> None:
    expected = torch_rates(lambda o: lr_scheduler.ExponentialLR(o, 0.9), 8)
    assert ours("exponential", 8, 8, factor=0.9) == pytest.approx(expected)


def test_cosine_is_torchs() -> None:
    expected = torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 8, eta_min=0.01), 9)
    assert ours("cosine", 9, 8, floor=0.01) == pytest.approx(expected)


def test_one_cycle_starts_low_peaks_at_its_rise_and_ends_lowest() -> None:
    rates = ours("one_cycle", 11, 10, rise=0.3, start=0.04, end=1e-5)
    assert rates[0] == pytest.approx(0.04)
    assert rates[3] == pytest.approx(1.0)
    assert rates[10] == pytest.approx(1e-5)
    assert rates[5] == pytest.approx(1e-5 + (1 - 1e-5) * (1 + math.cos(math.pi * 2 / 7)) / 2)


def test_plateau_cuts_to_three_tenths_after_five_epochs_without_gain() -> None:
    schedule = make_schedule("plateau")
    figures = [0.1, 0.2, 0.2, 0.2, 0.2, 0.2]
    assert schedule(Progress(6, 20, figures)) == 1.0
    assert schedule(Progress(7, 20, [*figures, 0.2])) == pytest.approx(0.3)
    assert schedule(Progress(12, 20, [*figures, *[0.2] * 6])) == pytest.approx(0.09)
    assert schedule(Progress(12, 20, [*figures, 0.2, 0.5])) == pytest.approx(0.3)


def test_warm_up_rises_straight_to_the_schedule() -> None:
    schedule = make_schedule("constant", warmup_epochs=2.0)
    assert schedule(Progress(0.0, 10)) < 0.01
    assert schedule(Progress(1.0, 10)) == pytest.approx(0.5, abs=0.01)
    assert schedule(Progress(2.0, 10)) == 1.0


def test_unknown_schedules_and_options_are_refused_by_name() -> None:
    with pytest.raises(TrainingError, match="no schedule 'linear'"):
        make_schedule("linear")
    with pytest.raises(TrainingError, match="speed"):
        make_schedule("step", options={"speed": 1.0})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("step", {"every": 0.0}),
        ("step", {"factor": 2.0}),
        ("exponential", {"factor": -0.5}),
        ("cosine", {"floor": math.nan}),
        ("one_cycle", {"rise": 1.0}),
        ("plateau", {"factor": -1.0, "patience": 1}),
    ],
)
def test_options_that_give_no_share_of_a_rate_are_refused(name: str, options: dict[str, float]) -> None:
    with pytest.raises(TrainingError, match=f"schedule {name} with .*between 0 and 1"):
        make_schedule(name, options=options)
