"""Comparisons under one protocol, their classical rivals, and what resumes them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from embeddings.errors import TrainingError
from embeddings.evaluation.document import JudgedPosters, evaluation_document
from embeddings.genres import GenreVocabulary
from embeddings.models import build_model
from embeddings.training.baselines import CLASSIFIERS, Baseline, FittedBaseline, color_histogram
from embeddings.training.compare import bootstrap_intervals, compare
from embeddings.training.config import TrainConfig
from embeddings.training.data import deal_sides, load_data
from embeddings.training.experiments import EXPERIMENTS, Comparison, Run, read_comparison
from embeddings.training.labels import Labels
from webui.cli import main

World = tuple[Path, Path]


def test_runs_share_movies_and_sides_and_a_failing_one_stops_nothing(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    base = small_config.with_values({"epochs": 2})
    runs = (
        Run("bce"),
        Run("impossible", {"data.min_support": 10_000}),
        Run("forest", {}, Baseline("random_forest", "color_histogram")),
    )
    lines: list[str] = []
    rows = compare(world_labels, poster_world[1], tmp_path, Comparison(base, runs), lines.append)
    by_name = {row["name"]: row for row in rows}
    assert "no genre has 10000 training movies" in by_name["impossible"]["error"]
    assert by_name["bce"]["parameters"] > 500_000
    assert by_name["bce"]["cpu_ms_per_poster"] > 0
    assert by_name["forest"]["parameters"] > 1_000 and by_name["forest"]["cpu_ms_per_poster"] > 0
    low, high = by_name["forest"]["ci95"]["macro_f1"]
    assert low <= by_name["forest"]["macro_f1"] <= high
    with (tmp_path / "table.csv").open() as file:
        names = [row["name"] for row in csv.DictReader(file)]
    blind = ["all negative", "all positive", "most frequent"]
    assert names == ["bce", "impossible", "forest", *blind]
    assert by_name["all negative"]["macro_f1"] == 0 < by_name["all positive"]["macro_f1"]
    page = (tmp_path / "compare.html").read_text()
    assert "<meta name=viewport" in page and "<div tabindex=0><table>" in page
    assert "impossible" in page
    assert 'alt="mAP of each run against what it costs"' in page
    again: list[str] = []
    assert compare(world_labels, poster_world[1], tmp_path, Comparison(base, runs), again.append) == rows
    assert not [line for line in again if line.startswith("epoch")], "finished runs are not run again"
    with pytest.raises(TrainingError, match="other settings"):
        compare(world_labels, poster_world[1], tmp_path, Comparison(small_config, runs[:1]))


def test_folds_are_summed_up_as_mean_and_spread(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    base = small_config.with_values({"epochs": 1})
    runs = tuple(Run(f"fold {f}", {"data.folds": 2, "data.fold": f}, None, "folds") for f in range(2))
    rows = compare(world_labels, poster_world[1], tmp_path, Comparison(base, runs))
    assert [row["name"] for row in rows[2:4]] == ["folds: mean of 2", "folds: standard deviation of 2"]
    assert rows[2]["macro_f1"] == pytest.approx((rows[0]["macro_f1"] + rows[1]["macro_f1"]) / 2)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_every_classifier_learns_colour_from_histograms(
    classifier: str, poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    split = deal_sides(world_labels, poster_world[1], small_config.data)
    data = load_data(world_labels, poster_world[1], small_config, split, tmp_path)
    judged = FittedBaseline(Baseline(classifier, "color_histogram"), data, torch.device("cpu")).judge(data)
    document = evaluation_document(judged)
    assert document["per_genre"]["Horror"]["average_precision"] > 0.9
    assert document["per_genre"]["Comedy"]["average_precision"] > 0.9


@pytest.mark.parametrize(
    ("classifier", "expected"),
    [
        (
            "logistic_regression",
            2 * 144 + 4 * 145,
        ),  # mean and scale of each feature; weights and bias of each genre
        ("linear_svc", 2 * 144 + 4 * 145),
    ],
)
def test_a_baseline_counts_what_it_predicts_with(
    classifier: str,
    expected: int,
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path: Path,
) -> None:
    split = deal_sides(world_labels, poster_world[1], small_config.data)
    data = load_data(world_labels, poster_world[1], small_config, split, tmp_path)
    colours = FittedBaseline(Baseline(classifier, "color_histogram"), data, torch.device("cpu"))
    assert colours.n_parameters == expected
    net = FittedBaseline(Baseline(classifier, "custom_cnn", "none"), data, torch.device("cpu"))
    backbone = build_model("custom_cnn", 4).backbone
    n_backbone = sum(value.numel() for value in backbone.parameters())
    assert net.n_parameters == n_backbone + 2 * 512 + 4 * 513


def test_frozen_features_of_a_net_feed_a_classifier(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    split = deal_sides(world_labels, poster_world[1], small_config.data)
    data = load_data(world_labels, poster_world[1], small_config, split, tmp_path)
    judged = FittedBaseline(
        Baseline("logistic_regression", "custom_cnn", "none"), data, torch.device("cpu")
    ).judge(data)
    assert judged.probs.shape == (len(data.test), 4)
    with pytest.raises(TrainingError, match="no classifier 'oracle'"):
        FittedBaseline(Baseline("oracle", "color_histogram"), data, torch.device("cpu"))


def test_a_histogram_tells_where_which_colour_lies() -> None:
    pixels = np.zeros((6, 4, 3), dtype=np.uint8)
    pixels[:2, :2] = (255, 0, 100)
    histogram = color_histogram(pixels).reshape(6, 3, 8)
    assert histogram.sum(axis=2) == pytest.approx(np.ones((6, 3)))
    assert histogram[0, 0, 7] == histogram[0, 1, 0] == histogram[0, 2, 3] == 1
    assert histogram[1:, :, 0] == pytest.approx(np.ones((5, 3)))


def test_intervals_of_many_movies_are_narrower_than_of_few() -> None:
    rng = np.random.default_rng(0)

    def width(n: int) -> float:
        targets = (rng.random((n, 2)) < 0.4).astype(np.float32)
        probs = np.clip(targets * 0.3 + rng.random((n, 2)) * 0.7, 0, 1).astype(np.float32)
        ids = tuple(map(str, range(n)))
        judged = JudgedPosters(ids, GenreVocabulary(("a", "b")), targets, probs, np.full(2, 0.5, dtype="f4"))
        low, high = bootstrap_intervals(judged)["macro_f1"]
        return high - low

    assert width(1600) < width(100) / 2


def test_intervals_lie_nearer_the_average_precision_of_all_movies_than_few_movies_figures_do() -> None:
    rng = np.random.default_rng(0)

    def drawn(n: int) -> JudgedPosters:
        targets = (rng.random((n, 1)) < 0.1).astype(np.float32)
        probs = 1 / (1 + np.exp(2 - targets - rng.normal(size=(n, 1)))).astype(np.float32)
        ids = tuple(f"tt{number}" for number in range(n))
        return JudgedPosters(ids, GenreVocabulary(("War",)), targets, probs, np.full(1, 0.3, np.float32))

    def figure(judged: JudgedPosters) -> float:
        return float(evaluation_document(judged)["mean_average_precision"])

    truth, few = figure(drawn(40_000)), [drawn(400) for _ in range(12)]
    middle = np.mean([bootstrap_intervals(judged)["mean_average_precision"] for judged in few])
    assert truth - 0.01 < middle < np.mean([figure(judged) for judged in few]) - 0.01


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_published_comparison_has_settings_that_exist(name: str) -> None:
    comparison = read_comparison({"experiment": name})
    assert len({run.name for run in comparison.runs}) == len(comparison.runs) >= 2
    for run in comparison.runs:
        comparison.base.with_values(run.settings)


def test_a_grid_makes_every_combination_and_a_search_draws_some() -> None:
    grid = {"batch_size": [8, 16, 32], "optim.lr": [1e-3, 1e-4]}
    assert len(read_comparison({"grid": grid}).runs) == 6
    drawn = read_comparison({"grid": grid, "search": {"trials": 2, "seed": 1}}).runs
    assert len(drawn) == 2
    assert drawn == read_comparison({"grid": grid, "search": {"trials": 2, "seed": 1}}).runs
    assert {run.name for run in drawn} <= {run.name for run in read_comparison({"grid": grid}).runs}


def test_a_run_of_its_own_has_its_name_and_settings_beside_a_grid() -> None:
    own = {"name": "wide/crop", "model.width": 96, "model.fit": "crop"}
    runs = read_comparison({"grid": {"epochs": [1, 2]}, "run": [own]}).runs
    assert [run.name for run in runs] == ["epochs=1", "epochs=2", "wide_crop"]
    assert runs[2].settings == {"model.width": 96, "model.fit": "crop"}
    assert [run.name for run in read_comparison({"run": [own]}).runs] == ["wide_crop"]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"bases": {}}, "unknown key 'bases'"),
        ({"experiment": "everything"}, "no experiment 'everything'"),
        ({"grid": {"model.wings": [1]}}, "no training setting 'model.wings'"),
        ({"grid": {"epochs": 3}}, "needs a list"),
        ({"grid": {"epochs": [1]}, "search": {"tries": 3}}, "knows trials and seed"),
        ({"baseline": [{"classifier": "linear_svc"}]}, "give classifier, features"),
        ({"base": {"epochs": 0}}, "epochs"),
        ({"experiment": ["batch_size"]}, "experiment is a name"),
        ({"grid": 3}, "grid is a table"),
        ({"baseline": {"classifier": "linear_svc"}}, "baseline is a list of tables"),
        ({"baseline": ["linear_svc"]}, "names classifier, features and init"),
        ({"baseline": [{"classifier": 3, "features": "resnet18"}]}, "names classifier, features and init"),
        ({"grid": {"epochs": [1, 2]}, "search": {"trials": "all"}}, "search.trials is a whole number"),
        ({"grid": {"epochs": [1, 2]}, "search": {"trials": 0}}, "search.trials is a whole number of 1"),
        ({"grid": {"epochs": [1, 2]}, "search": {"seed": -1}}, "search.seed is a whole number"),
        ({"run": {"name": "a"}}, "run is a list of tables"),
        ({"run": [{"epochs": 1}]}, "needs a name"),
        ({"run": [{"name": "../a"}]}, "does not begin with a point"),
        ({"run": [{"name": "a", "model.wings": 1}]}, "no training setting 'model.wings'"),
        ({"run": [{"name": "a", "epochs": 1}, {"name": "a", "epochs": 2}]}, "two runs are called 'a'"),
    ],
)
def test_a_comparison_that_cannot_be_run_is_refused_before_it_starts(tree: dict, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(TrainingError, match=words):
        read_comparison(tree)


def test_compare_from_the_command_line(poster_world: World, tmp_path: Path) -> None:
    config = tmp_path / "compare.toml"
    config.write_text(
        '[base]\nepochs = 1\ndevice = "cpu"\nbatch_size = 16\n'
        '[base.model]\narch = "custom_cnn"\ninit = "none"\nwidth = 16\nheight = 24\n'
        '[base.data]\nmin_support = 5\n[grid]\n"loss.name" = ["bce", "asl"]\n'
    )
    arguments = ["compare", *map(str, poster_world), "--out", str(tmp_path / "out"), "--config", str(config)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "name=bce" in result.stdout
    as_json = CliRunner().invoke(main, [*arguments, "--json"])
    names = [row["name"] for row in json.loads(as_json.stdout)["rows"]]
    assert names == ["name=bce", "name=asl", "all negative", "all positive", "most frequent"]


def test_a_comparison_whose_runs_all_fail_exits_with_one(poster_world: World, tmp_path: Path) -> None:
    arguments = ["compare", *map(str, poster_world), "--out", str(tmp_path / "out"), "--arch", "custom_cnn"]
    config = tmp_path / "compare.toml"
    config.write_text("[base.data]\nmin_support = 5000\n")
    result = CliRunner().invoke(main, [*arguments, "--config", str(config)])
    assert result.exit_code == 1
    assert "no genre has 5000 training movies" in result.stdout
    assert "none of the 1 runs came to an end" in result.stderr


def test_an_architecture_that_does_not_exist_is_one_sentence(poster_world: World, tmp_path: Path) -> None:
    arguments = ["compare", *map(str, poster_world), "--out", str(tmp_path / "out"), "--arch", "resnet1001"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "run resnet1001: there is no architecture 'resnet1001'" in result.stderr
