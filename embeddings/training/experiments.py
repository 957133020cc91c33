"""What ``compare`` runs: one run a line of the table; published comparisons by name.

A comparison in TOML::

    experiment = "batch_size"        # one of EXPERIMENTS, or leave it out
    [base]                           # settings that all runs share
    epochs = 5
    [grid]                           # every combination
    "model.arch" = ["custom_cnn", "resnet18"]
    "optim.lr" = [1e-3, 3e-4]
    [search]                         # only so many combinations, drawn at random
    trials = 3
    seed = 0
    [[run]]                          # one more, by a name of its own
    name = "wide"
    "model.width" = 224
    [[baseline]]
    classifier = "random_forest"
    features = "color_histogram"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from embeddings.errors import TrainingError
from embeddings.training.baselines import HISTOGRAM, Baseline
from embeddings.training.config import TrainConfig, parse_config


@dataclass(frozen=True)
class Run:
    """One line of the table.

    Args:
        name: Unique; names its folder.
        settings: Dotted settings that differ from the base.
        baseline: A classical rival instead of a net.
        group: Runs of one group are summed up as mean and spread; "" for none.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    baseline: Baseline | None = None
    group: str = ""


@dataclass(frozen=True)
class Comparison:
    """Runs under one protocol.

    Args:
        base: Settings that all share.
        runs: One for each line.
    """

    base: TrainConfig
    runs: tuple[Run, ...]


_CNN = {"model.arch": "custom_cnn", "model.init": "none"}
_FROZEN_NETS = ("vgg16", "resnet50", "densenet169")
_CLASSIFIERS = ("random_forest", "logistic_regression", "linear_svc")


def _cnn(name: str, group: str = "", **settings: Any) -> Run:
    return Run(name, _CNN | {key.replace("__", "."): value for key, value in settings.items()}, None, group)


EXPERIMENTS: Mapping[str, tuple[Run, ...]] = {
    "cnn_against_mlp": (_cnn("custom_cnn"), Run("mlp", _CNN | {"model.arch": "mlp"})),
    "batch_size": tuple(_cnn(f"batch {size}", batch_size=size) for size in (16, 32, 64, 128)),
    "dropout_batchnorm": tuple(
        _cnn(f"neck dropout {dropout} norm {norm}", model__dropout=dropout, model__norm=norm)
        for dropout, norm in product((0.0, 0.5), ("batch", "none"))
    ),
    "schedules": tuple(
        _cnn(name, optim__schedule=name)
        for name in ("constant", "step", "exponential", "cosine", "one_cycle", "plateau")
    ),
    "five_fold": tuple(
        _cnn(f"fold {fold + 1}", "five folds", data__folds=5, data__fold=fold) for fold in range(5)
    ),
    "frozen_features": tuple(
        Run(f"{features} {classifier}", {}, Baseline(classifier, features))
        for features, classifier in product((*_FROZEN_NETS, HISTOGRAM), _CLASSIFIERS)
    ),
    "soft_f1": (_cnn("bce", loss__name="bce"), _cnn("soft_f1", loss__name="soft_f1")),
    "losses": tuple(
        _cnn(name, loss__name=name)
        for name in ("bce", "weighted_bce", "focal", "asl", "soft_f1", "sigmoid_f1", "distribution_balanced")
    ),
    "samplers": tuple(_cnn(name, sampler=name) for name in ("none", "inverse_frequency", "compound_genres")),
}


def read_comparison(tree: Mapping[str, Any], archs: Sequence[str] = (), where: str = "compare") -> Comparison:
    """Make the runs of a comparison.

    Args:
        tree: The TOML file's content; empty runs the first published comparison.
        archs: Architectures, one run each, beside what the tree asks for.
        where: The file's name, for messages.

    Raises:
        TrainingError: A key, experiment or setting is unknown, or nothing is to be run.
    """
    unknown = set(tree) - set(_KINDS)
    if unknown:
        raise TrainingError(f"{where}: unknown key {min(unknown)!r}; expected {', '.join(_KINDS)}.")
    _check_kinds(tree, where)
    base = parse_config(tree.get("base", {}), where)
    runs = [Run(arch.replace("/", "_"), {"model.arch": arch}) for arch in archs]
    named = tree.get("experiment")
    if named is None and not runs and not any(tree.get(key) for key in ("grid", "run", "baseline")):
        named = "cnn_against_mlp"
    if named is not None:
        if named not in EXPERIMENTS:
            raise TrainingError(f"{where}: no experiment {named!r}; choose one of {', '.join(EXPERIMENTS)}.")
        runs += EXPERIMENTS[named]
    runs += _grid(tree.get("grid", {}), tree.get("search", {}), where)
    runs += [_own_run(entry, where) for entry in tree.get("run", ())]
    runs += [_baseline(entry, where) for entry in tree.get("baseline", ())]
    by_name: dict[str, Run] = {}
    for run in runs:
        base.with_values(run.settings)  # a bad setting is found before the first hour of training
        if by_name.setdefault(run.name, run) != run:
            raise TrainingError(f"{where}: two runs are called {run.name!r}; give each a name of its own.")
    return Comparison(base, tuple(by_name.values()))


_KINDS: Mapping[str, tuple[type, str]] = {
    "experiment": (str, "a name"),
    "base": (dict, "a table"),
    "grid": (dict, "a table"),
    "search": (dict, "a table"),
    "run": (list, "a list of tables, [[run]]"),
    "baseline": (list, "a list of tables, [[baseline]]"),
}


def _check_kinds(tree: Mapping[str, Any], where: str) -> None:
    for key, value in tree.items():
        kind, words = _KINDS[key]
        if not isinstance(value, kind):
            raise TrainingError(f"{where}: {key} is {words}, got {value!r}.")
    for key, value in tree.get("search", {}).items():
        least = 1 if key == "trials" else 0
        if type(value) is not int or value < least:
            raise TrainingError(f"{where}: search.{key} is a whole number of {least} or more, got {value!r}.")


def _grid(grid: Mapping[str, Any], search: Mapping[str, Any], where: str) -> list[Run]:
    if not all(isinstance(values, list) and values for values in grid.values()):
        raise TrainingError(f"{where}: each setting of [grid] needs a list of values.")
    if set(search) - {"trials", "seed"}:
        raise TrainingError(f"{where}: [search] knows trials and seed, got {sorted(search)}.")
    settings = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())] if grid else []
    if "trials" in search and search["trials"] < len(settings):
        rng = np.random.default_rng(search.get("seed", 0))
        settings = [settings[i] for i in sorted(rng.permutation(len(settings))[: search["trials"]])]
    return [Run(_name(values), values) for values in settings]


def _own_run(entry: Any, where: str) -> Run:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name.strip() or name.startswith("."):
        raise TrainingError(f"{where}: [[run]] needs a name that does not begin with a point, got {entry!r}.")
    return Run(name.replace("/", "_"), {key: value for key, value in entry.items() if key != "name"})


def _baseline(entry: Mapping[str, Any], where: str) -> Run:
    if not isinstance(entry, dict) or not all(
        isinstance(value, int if key == "seed" else str) for key, value in entry.items()
    ):
        raise TrainingError(f"{where}: [[baseline]] names classifier, features and init, got {entry!r}.")
    try:
        baseline = Baseline(**entry)
    except TypeError as error:
        raise TrainingError(
            f"{where}: [[baseline]]: {error}; give classifier, features, init, seed."
        ) from error
    return Run(f"{baseline.features} {baseline.classifier}", {}, baseline)


def _name(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in values.items()).replace("/", "_")
