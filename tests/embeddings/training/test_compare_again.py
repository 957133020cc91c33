"""What a comparison says to other labels, broken rows and runs that cannot be run."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import embeddings.training.compare as module
from embeddings.errors import TrainingError
from embeddings.training.baselines import CLASSIFIERS, Baseline, FeatureReader, FittedBaseline
from embeddings.training.compare import compare
from embeddings.training.compare_page import text_table
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData, deal_sides, load_data
from embeddings.training.experiments import Comparison, Run
from embeddings.training.labels import Labels
from embeddings.training.splits import Split

World = tuple[Path, Path]
COLOURS = Run("colours", {}, Baseline("linear_svc", "color_histogram"))


@pytest.fixture
def colours(small_config: TrainConfig) -> Comparison:
    return Comparison(small_config, (COLOURS,))


def data_of(world: World, labels: Labels, config: TrainConfig, folder: Path) -> TrainingData:
    return load_data(labels, world[1], config, deal_sides(labels, world[1], config.data), folder)


def test_a_comparison_with_other_labels_is_refused_and_leaves_its_table(
    poster_world: World, world_labels: Labels, colours: Comparison, tmp_path: Path
) -> None:
    compare(world_labels, poster_world[1], tmp_path, colours)
    table = (tmp_path / "table.csv").read_bytes()
    other = replace(world_labels, genres=(("War",), *world_labels.genres[1:]))
    with pytest.raises(TrainingError, match="was made with other labels"):
        compare(other, poster_world[1], tmp_path, colours)
    assert (tmp_path / "table.csv").read_bytes() == table


def test_a_comparison_with_other_sides_is_refused(
    poster_world: World, world_labels: Labels, colours: Comparison, tmp_path: Path
) -> None:
    split = deal_sides(world_labels, poster_world[1], colours.base.data)
    path = tmp_path / "mine.json"
    split.save(path)
    mine = replace(colours, base=colours.base.with_values({"data.split_file": path}))
    rows = compare(world_labels, poster_world[1], tmp_path / "out", mine)
    assert compare(world_labels, poster_world[1], tmp_path / "out", mine) == rows
    Split(split.train[1:], split.validation, split.test).save(path)
    with pytest.raises(TrainingError, match="other sides than"):
        compare(world_labels, poster_world[1], tmp_path / "out", mine)


def test_a_row_of_before_digests_were_kept_is_read_again_and_an_empty_one_is_made_anew(
    poster_world: World, world_labels: Labels, colours: Comparison, tmp_path: Path
) -> None:
    rows = compare(world_labels, poster_world[1], tmp_path, colours)
    path = tmp_path / "runs" / "colours" / "row.json"
    known = json.loads(path.read_text())
    known["asked"] = {name: known["asked"][name] for name in ("settings", "baseline")}
    path.write_text(json.dumps(known))
    assert compare(world_labels, poster_world[1], tmp_path, colours) == rows
    path.write_text("")
    again = compare(world_labels, poster_world[1], tmp_path, colours)
    assert again[0]["macro_f1"] == rows[0]["macro_f1"]
    assert json.loads(path.read_text())["row"] == again[0]


def test_a_relative_and_an_absolute_folder_are_one_comparison(
    poster_world: World,
    world_labels: Labels,
    colours: Comparison,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = (COLOURS, Run("net"))
    both = Comparison(colours.base.with_values({"epochs": 1}), runs)
    rows = compare(world_labels, poster_world[1], Path("out"), both)
    assert compare(world_labels, poster_world[1], tmp_path / "out", both) == rows
    (tmp_path / "out" / "runs" / "net" / "row.json").unlink()
    lines: list[str] = []
    again = compare(world_labels, poster_world[1], tmp_path / "out", both, lines.append)
    assert "error" not in again[1]
    assert not [line for line in lines if line.startswith("epoch")], "the net goes on from its state"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Run("bad", {"model.arch": "resnet1001"}), "run bad: there is no architecture"),
        (Run("bad", {"loss.name": "hinge"}), "run bad: .*hinge"),
        (Run("bad", {"sampler": "dice"}), "run bad: .*dice"),
        (Run("bad", {"optim.schedule": "lunar"}), "run bad: .*lunar"),
        (Run("bad", {}, Baseline("oracle", "color_histogram")), "run bad: there is no classifier"),
        (Run("bad", {}, Baseline("linear_svc", "resnet1001")), "run bad: there is no architecture"),
    ],
)
def test_a_name_that_does_not_exist_is_found_before_the_first_run(
    bad: Run, words: str, poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=words):
        compare(world_labels, poster_world[1], tmp_path, Comparison(small_config, (COLOURS, bad)))
    assert not (tmp_path / "runs").exists()


def test_a_baseline_without_features_fails_alone(
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fit(baseline: Baseline, *rest: object) -> object:
        if baseline.features == "custom_cnn":
            raise RuntimeError("Output size is too small")
        return FittedBaseline(baseline, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "FittedBaseline", fit)
    runs = (Run("small", {}, Baseline("linear_svc", "custom_cnn", "none")), COLOURS)
    rows = compare(world_labels, poster_world[1], tmp_path, Comparison(small_config, runs))
    assert rows[0]["error"] == "RuntimeError: Output size is too small"
    assert rows[1]["macro_f1"] > 0.5


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_a_single_genre_can_be_judged(
    classifier: str, poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    data = data_of(
        poster_world, world_labels, small_config.with_values({"data.genres": ("Horror",)}), tmp_path
    )
    judged = FittedBaseline(Baseline(classifier, "color_histogram"), data, torch.device("cpu")).judge(data)
    assert judged.probs.shape == (len(data.test), 1)
    horror = data.hard[data.test][:, 0] > 0.5
    assert judged.probs[horror].mean() > judged.probs[~horror].mean()


def test_a_forest_does_not_believe_in_a_genre_that_it_never_saw(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    split = deal_sides(world_labels, poster_world[1], small_config.data)
    genres = [
        (*names, "Opera") if movie_id == split.test[0] else names
        for movie_id, names in zip(world_labels.movie_ids, world_labels.genres, strict=True)
    ]
    labels = replace(world_labels, genres=tuple(genres))
    config = small_config.with_values({"data.genres": ("Horror", "Opera")})
    data = load_data(labels, poster_world[1], config, split, tmp_path)
    judged = FittedBaseline(Baseline("random_forest", "color_histogram"), data, torch.device("cpu")).judge(
        data
    )
    assert judged.probs[:, 1].max() < 0.1


def test_drawn_weights_of_a_baseline_are_those_of_its_seed(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    data = data_of(poster_world, world_labels, small_config, tmp_path)
    device = torch.device("cpu")
    one, same, other = (
        FeatureReader(Baseline("linear_svc", "custom_cnn", "none", seed), 4, device)(
            data.cache.pixels, data.train
        )
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_tables_carry_the_intervals(
    poster_world: World, world_labels: Labels, colours: Comparison, tmp_path: Path
) -> None:
    rows = compare(world_labels, poster_world[1], tmp_path, colours)
    with (tmp_path / "table.csv").open() as file:
        first = next(csv.DictReader(file))
    low, high = rows[0]["ci95"]["macro_f1"]
    assert (float(first["macro_f1_low"]), float(first["macro_f1_high"])) == (low, high)
    names = list(first)
    assert names.index("macro_f1_low") == names.index("macro_f1") + 1
    row = {"name": "a", "macro_f1": 0.311, "ci95": {"macro_f1": [0.295, 0.33]}}
    assert "0.311 (.295-.330)" in text_table([row])


def test_parts_of_a_comparison_learn_the_same_genres(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    runs = tuple(
        Run(f"fold {fold}", {"data.folds": 2, "data.fold": fold}, COLOURS.baseline) for fold in range(2)
    )
    compare(world_labels, poster_world[1], tmp_path, Comparison(small_config, runs))
    for run in runs:
        known = json.loads((tmp_path / "runs" / run.name / "row.json").read_text())
        assert known["asked"]["settings"]["data"]["genres"] == ["Comedy", "Drama", "Horror", "War"]
