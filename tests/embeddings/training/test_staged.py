"""The last stages learnt from maps that are worked out once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData, deal_sides, load_data
from embeddings.training.labels import Labels
from embeddings.training.staged import StagedTrainer
from embeddings.training.start import build_net
from embeddings.training.train import train

World = tuple[Path, Path]
CPU = torch.device("cpu")


@pytest.fixture
def staged_config(small_config: TrainConfig) -> TrainConfig:
    return small_config.with_values(
        {"optim.frozen_views": 2, "optim.freeze_stages": 1, "augment.mixup": 0.4, "epochs": 4, "patience": 0}
    )


def data_of(world: World, labels: Labels, config: TrainConfig, folder: Path) -> TrainingData:
    return load_data(labels, world[1], config, deal_sides(labels, world[1], config.data), folder)


def test_a_staged_run_learns_all_but_its_first_stages(
    poster_world: World, world_labels: Labels, staged_config: TrainConfig, tmp_path: Path
) -> None:
    model = train(world_labels, poster_world[1], tmp_path, staged_config.with_values({"epochs": 8}))
    assert model is not None
    assert model.finished.test is not None
    assert model.finished.test["per_genre"]["Horror"]["average_precision"] > 0.9
    first = build_net(staged_config, 4).state_dict()
    learnt = load_file(tmp_path / "best.safetensors")
    frozen = build_net(staged_config, 4).backbone.stages()[:1]
    n_frozen = sum(len(list(stage.parameters())) for stage in frozen)
    same = [
        name
        for name in learnt
        if name.endswith(("weight", "bias")) and torch.equal(learnt[name], first[name])
    ]
    assert len(same) == n_frozen > 0


def test_what_the_trainer_says_from_maps_is_what_the_net_says_from_pixels(
    poster_world: World, world_labels: Labels, staged_config: TrainConfig, tmp_path: Path
) -> None:
    data = data_of(poster_world, world_labels, staged_config, tmp_path)
    trainer = StagedTrainer(build_net(staged_config, len(data.genres)), data, staged_config, CPU)
    trainer.run_epoch(0)
    said = trainer.predict(data.test)
    whole = build_net(staged_config, len(data.genres)).eval()
    whole.load_state_dict(trainer.judged_state())
    with torch.inference_mode():
        pixels = torch.from_numpy(np.asarray(data.cache.pixels[data.test])).permute(0, 3, 1, 2)
        logits = whole(pixels).logits.numpy()
    # The frozen stages run in the hardware's narrow format, as they do for users.
    assert np.abs(logits - said).max() < 0.1 * np.abs(logits).max()


def test_maps_are_worked_out_once(
    poster_world: World, world_labels: Labels, staged_config: TrainConfig, tmp_path: Path
) -> None:
    data = data_of(poster_world, world_labels, staged_config, tmp_path)
    StagedTrainer(build_net(staged_config, len(data.genres)), data, staged_config, CPU)
    files = {path: path.stat().st_mtime_ns for path in data.cache.folder.glob("maps-*.npy")}
    assert len(files) == 2
    sizes = sorted(len(np.load(path, mmap_mode="r")) for path in files)
    assert sizes == sorted([len(data.train), len(data.cache)]), "changed copies are learnt from only"
    StagedTrainer(build_net(staged_config, len(data.genres)), data, staged_config, CPU)
    assert {path: path.stat().st_mtime_ns for path in data.cache.folder.glob("maps-*.npy")} == files


def test_runs_that_begin_with_other_last_stages_share_the_maps(
    poster_world: World, world_labels: Labels, staged_config: TrainConfig, tmp_path: Path
) -> None:
    data = data_of(poster_world, world_labels, staged_config, tmp_path)
    StagedTrainer(build_net(staged_config, len(data.genres)), data, staged_config, CPU)
    other = build_net(staged_config, len(data.genres))
    with torch.no_grad():
        for value in other.backbone.stages()[-1].parameters():
            value.add_(1)
    StagedTrainer(other, data, staged_config, CPU)
    assert len(list(data.cache.folder.glob("maps-*.npy"))) == 2
    with torch.no_grad():
        for value in other.backbone.stages()[0].parameters():
            value.add_(1)
    StagedTrainer(other, data, staged_config, CPU)
    assert len(list(data.cache.folder.glob("maps-*.npy"))) == 4, "another frozen part sees something else"


def test_the_parts_of_k_fold_training_share_the_maps(
    poster_world: World, world_labels: Labels, staged_config: TrainConfig, tmp_path: Path
) -> None:
    folded = staged_config.with_values({"data.folds": 3})
    for fold in range(2):
        config = folded.with_values({"data.fold": fold})
        data = data_of(poster_world, world_labels, config, tmp_path)
        trainer = StagedTrainer(build_net(config, len(data.genres)), data, config, CPU)
        trainer.run_epoch(0)
    assert len(list(tmp_path.glob("*/pixels.u8"))) == 1
    assert len(list(tmp_path.glob("*/maps-*.npy"))) == 2


def test_a_killed_staged_run_goes_on_to_the_same_weights(
    poster_world: World, world_labels: Labels, staged_config: TrainConfig, tmp_path: Path
) -> None:
    def die(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise KeyboardInterrupt

    train(world_labels, poster_world[1], tmp_path / "whole", staged_config)
    with pytest.raises(KeyboardInterrupt):
        train(world_labels, poster_world[1], tmp_path / "killed", staged_config, say=die)
    train(world_labels, poster_world[1], tmp_path / "killed", staged_config)
    one, other = (load_file(tmp_path / name / "best.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
