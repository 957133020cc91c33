"""Weights between the start and the end of a run."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from embeddings.checkpoint_weights import load_net
from embeddings.errors import TrainingError
from embeddings.training.config import TrainConfig
from embeddings.training.data import deal_sides, load_data
from embeddings.training.labels import Labels
from embeddings.training.soup import best_between
from embeddings.training.start import first_net
from embeddings.training.train import train
from embeddings.training.trainer import Trainer

World = tuple[Path, Path]


@pytest.fixture(scope="module")
def before(
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    model = train(
        world_labels,
        poster_world[1],
        tmp_path_factory.mktemp("before"),
        small_config.with_values({"epochs": 1}),
    )
    assert model is not None
    return model.checkpoint


@pytest.mark.parametrize("liked", [0.0, 0.4, 0.9])
def test_the_share_that_validation_likes_is_kept(
    before: Path,
    liked: float,
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path: Path,
) -> None:
    """The judge sees the net with the weights of each share in turn."""
    config = small_config.with_values({"model.init": str(before)})
    split = deal_sides(world_labels, poster_world[1], config.data)
    data = load_data(world_labels, poster_world[1], config, split, tmp_path)
    began = first_net(config, data).state_dict()
    ended = {name: value + 1 if value.is_floating_point() else value for name, value in began.items()}
    trainer = Trainer(first_net(config, data), data, config, torch.device("cpu"))

    def judge(trainer: Trainer) -> float:
        moved = (trainer.judged.head.bias.detach() - began["head.bias"]).mean()
        return -abs(float(moved) - (1 - liked))

    state, share = best_between(trainer, ended, config, data, judge)
    assert share == pytest.approx(liked)
    weight = "neck.1.weight"
    assert torch.allclose(state[weight], began[weight] + 1 - liked, atol=1e-6)


def test_a_run_keeps_weights_of_the_line_and_says_where_they_lie(
    before: Path, poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    config = small_config.with_values(
        {"model.init": str(before), "optim.blend_with_start": True, "stored_as": "float32"}
    )
    said: list[str] = []
    model = train(world_labels, poster_world[1], tmp_path, config, said.append)
    assert model is not None
    share = model.finished.manifest.provenance["share_of_start"]
    assert 0 <= share <= 0.9
    assert any(line.startswith(f"weights: {share:.0%} those of the start") for line in said)
    began, kept = load_net(before).state_dict(), load_net(model.checkpoint).state_dict()
    ended, name = load_file(tmp_path / "best.safetensors"), "neck.1.weight"
    assert torch.allclose(kept[name], ended[name] * (1 - share) + began[name] * share, atol=1e-5)


def test_a_run_that_did_not_begin_with_a_checkpoint_has_no_line(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    config = small_config.with_values({"optim.blend_with_start": True, "epochs": 1})
    with pytest.raises(TrainingError, match=r"optim.blend_with_start needs model.init to be a checkpoint"):
        train(world_labels, poster_world[1], tmp_path, config)
    assert not (tmp_path / "history.csv").exists(), "it is said before anything is learnt"
