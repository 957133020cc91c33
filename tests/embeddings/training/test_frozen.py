"""Neck and head learnt from features that are worked out once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from embeddings.encoder import Encoder
from embeddings.training.config import TrainConfig
from embeddings.training.data import deal_sides, load_data
from embeddings.training.finish import predict_logits
from embeddings.training.frozen import FrozenTrainer
from embeddings.training.labels import Labels
from embeddings.training.start import build_net, start_at_prior
from embeddings.training.train import train

World = tuple[Path, Path]


@pytest.fixture
def frozen_config(small_config: TrainConfig) -> TrainConfig:
    return small_config.with_values(
        {"optim.frozen_views": 2, "optim.head_dropout": 0.1, "augment.mixup": 0.4, "epochs": 6, "patience": 0}
    )


def test_a_frozen_run_learns_and_its_checkpoint_says_what_the_trainer_said(
    poster_world: World, world_labels: Labels, frozen_config: TrainConfig, tmp_path: Path
) -> None:
    """The standardisation of features is folded into the stored weights."""
    model = train(world_labels, poster_world[1], tmp_path, frozen_config)
    assert model is not None
    assert model.finished.test is not None
    assert model.finished.test["per_genre"]["Horror"]["average_precision"] > 0.9
    split = deal_sides(world_labels, poster_world[1], frozen_config.data)
    data = load_data(world_labels, poster_world[1], frozen_config, split, tmp_path / "cache")
    net = build_net(frozen_config, len(data.genres))
    before = {name: value.clone() for name, value in net.backbone.state_dict().items()}
    trainer = FrozenTrainer(net, data, frozen_config, torch.device("cpu"))
    trainer.run_epoch(0)
    assert all(torch.equal(value, before[name]) for name, value in net.backbone.state_dict().items())
    said = trainer.predict(data.test)
    folded = build_net(frozen_config, len(data.genres)).eval()
    folded.load_state_dict(trainer.judged_state())
    with torch.inference_mode():
        pixels = torch.from_numpy(np.asarray(data.cache.pixels[data.test])).permute(0, 3, 1, 2)
        again = folded(pixels).logits.numpy()
    assert again == pytest.approx(said, abs=0.02)
    stored = predict_logits(Encoder.load(model.checkpoint, "cpu"), data, data.test)
    assert np.isfinite(stored).all()


def test_features_are_worked_out_once(
    poster_world: World, world_labels: Labels, frozen_config: TrainConfig, tmp_path: Path
) -> None:
    split = deal_sides(world_labels, poster_world[1], frozen_config.data)
    data = load_data(world_labels, poster_world[1], frozen_config, split, tmp_path)
    net = build_net(frozen_config, len(data.genres))
    start_at_prior(net, data)
    first = FrozenTrainer(net, data, frozen_config, torch.device("cpu")).features
    files = sorted(data.cache.folder.glob("features-*.npy"))
    times = [path.stat().st_mtime_ns for path in files]
    assert len(files) == 2
    again = FrozenTrainer(
        build_net(frozen_config, len(data.genres)), data, frozen_config, torch.device("cpu")
    ).features
    assert [path.stat().st_mtime_ns for path in files] == times
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], first[1]), "the second view is a changed copy"


def test_a_killed_frozen_run_goes_on_to_the_same_weights(
    poster_world: World, world_labels: Labels, frozen_config: TrainConfig, tmp_path: Path
) -> None:
    def die(line: str) -> None:
        if line.startswith("epoch 3/"):
            raise KeyboardInterrupt

    whole = train(world_labels, poster_world[1], tmp_path / "whole", frozen_config)
    with pytest.raises(KeyboardInterrupt):
        train(world_labels, poster_world[1], tmp_path / "killed", frozen_config, say=die)
    resumed = train(world_labels, poster_world[1], tmp_path / "killed", frozen_config)
    assert whole is not None
    assert resumed is not None
    one, other = (load_file(tmp_path / name / "best.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_contrastive_term_is_learnt_beside_the_genres(
    poster_world: World, world_labels: Labels, frozen_config: TrainConfig, tmp_path: Path
) -> None:
    split = deal_sides(world_labels, poster_world[1], frozen_config.data)
    data = load_data(world_labels, poster_world[1], frozen_config, split, tmp_path)
    losses = []
    for weight in (0.0, 0.5):
        config = frozen_config.with_values({"loss.contrastive_weight": weight})
        torch.manual_seed(0)
        trainer = FrozenTrainer(build_net(config, len(data.genres)), data, config, torch.device("cpu"))
        losses.append([trainer.run_epoch(epoch).loss for epoch in range(4)])
    without, beside = losses
    assert beside[0] > without[0] + 0.1
    assert beside[3] < beside[0]
