"""What a net brings with it stands where nothing is given, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
import torch

from embeddings.models.scratch import SCRATCH_NETS
from embeddings.training.config import ModelConfig, TrainConfig, parse_config
from embeddings.training.data import deal_sides, load_data
from embeddings.training.labels import Labels
from embeddings.training.own_defaults import PUBLISHED, own_defaults
from embeddings.training.start import build_net
from embeddings.training.trainer import Trainer

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "training.md").read_text(encoding="utf-8")


def test_every_net_that_is_trained_from_scratch_has_defaults_of_its_own() -> None:
    assert set(PUBLISHED) == set(SCRATCH_NETS)


def test_the_custom_cnn_takes_what_it_was_published_with() -> None:
    config = TrainConfig().with_values({"model.arch": "custom_cnn"})
    assert (config.model.activation, config.model.dropout) == ("relu", 0.0)
    assert (config.optim.optimizer, config.optim.weight_decay) == ("adam", 2e-4)
    assert config.optim.backbone_lr_scale == 1.0


def test_training_outlasts_a_schedule_that_waits_for_a_gain() -> None:
    plateau = TrainConfig().with_values({"optim.schedule": "plateau"})
    assert plateau.patience > 2 * 5
    assert plateau.with_values({"optim.schedule": "cosine"}).patience == TrainConfig().patience
    assert plateau.with_values({"patience": 3}).patience == 3


def test_what_is_given_comes_before_what_the_net_brings() -> None:
    tree = {"model": {"arch": "custom_cnn", "dropout": 0.2}, "optim": {"weight_decay": 0.02}}
    config = parse_config(tree, "test")
    assert (config.model.dropout, config.optim.weight_decay, config.optim.optimizer) == (0.2, 0.02, "adam")
    assert tree == {"model": {"arch": "custom_cnn", "dropout": 0.2}, "optim": {"weight_decay": 0.02}}


def test_another_net_leaves_the_defaults_of_the_one_before_and_keeps_what_was_given() -> None:
    first = TrainConfig(model=ModelConfig(arch="custom_cnn")).with_values({"optim.lr": 5e-4, "epochs": 2})
    then = first.with_values({"model.arch": "mobilenet_v2"})
    assert then.model_dump() == TrainConfig().with_values({"optim.lr": 5e-4, "epochs": 2}).model_dump()


@pytest.mark.parametrize(
    ("arch", "init", "scale"),
    [
        ("mobilenet_v2", "auto", None),
        ("mobilenet_v2", "none", 1.0),
        ("mobilenet_v2", "weights.safetensors", None),
        ("mlp", "auto", 1.0),
        ("mlp", "runs/mine/checkpoint", None),
        ("custom_cnn+mini_vgg", "auto", 1.0),
        ("custom_cnn+mobilenet_v2", "auto", None),
    ],
)
def test_a_backbone_learns_slower_only_where_it_has_learnt_before(
    arch: str, init: str, scale: float | None
) -> None:
    assert own_defaults(arch, init).get("optim.backbone_lr_scale") == scale


def test_settings_written_to_json_are_read_back_as_they_were() -> None:
    config = TrainConfig().with_values({"model.arch": "mlp", "optim.weight_decay": 0.1})
    assert TrainConfig.model_validate_json(config.model_dump_json()).model_dump() == config.model_dump()


def test_the_custom_cnns_optimiser_follows_a_penalty_on_squared_weights_of_1e_4(
    poster_world: tuple[Path, Path], world_labels: Labels, tmp_path: Path
) -> None:
    """Keras' l2(1e-4) adds 1e-4 x the sum of squares to the loss; biases and norms bear none."""
    config = TrainConfig().with_values(
        {"model.arch": "custom_cnn", "model.width": 16, "model.height": 24, "data.min_support": 5}
    )
    split = deal_sides(world_labels, poster_world[1], config.data)
    data = load_data(world_labels, poster_world[1], config, split, tmp_path)
    trainer = Trainer(build_net(config, len(data.genres)), data, config, torch.device("cpu"))
    twin = build_net(config, len(data.genres))
    plain = torch.optim.Adam(twin.parameters(), lr=config.optim.lr)
    for _ in range(3):
        losses: list[Any] = [
            sum((p * 0.01 * (i % 5)).sum() for i, p in enumerate(net.parameters()))
            for net in (trainer.net, twin)
        ]
        penalty = sum(p.square().sum() for p in twin.parameters() if p.ndim > 1)
        for optimizer, loss in ((trainer.optimizer, losses[0]), (plain, losses[1] + 1e-4 * penalty)):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    pairs = zip(trainer.net.parameters(), twin.parameters(), strict=True)
    assert all(torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6) for ours, theirs in pairs)


@pytest.mark.parametrize("arch", PUBLISHED)
def test_what_a_net_brings_is_documented(arch: str) -> None:
    part = PAGE.split("### Nets that start from nothing")[1].split("\n### ")[0]
    assert f"`{arch}`" in part
    for name, value in PUBLISHED[arch].items():
        assert f"`{name}`" in part and str(value) in part
