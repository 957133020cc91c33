"""What a run begins with, and that it goes on after a kill that nothing could catch."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from embeddings.checkpoint_weights import load_net
from embeddings.errors import TrainingError
from embeddings.genres import GenreVocabulary
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData, deal_sides, load_data
from embeddings.training.history import read_history
from embeddings.training.labels import Labels
from embeddings.training.start import first_net
from embeddings.training.train import train

World = tuple[Path, Path]


@pytest.fixture(scope="module")
def checkpoint(
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("before")
    model = train(world_labels, poster_world[1], out, small_config.with_values({"epochs": 1}))
    assert model is not None
    return model.checkpoint


@pytest.fixture(scope="module")
def data(
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> TrainingData:
    split = deal_sides(world_labels, poster_world[1], small_config.data)
    return load_data(world_labels, poster_world[1], small_config, split, tmp_path_factory.mktemp("cache"))


def state_of(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value for name, value in net.state_dict().items() if value.is_floating_point()}


def test_a_run_goes_on_from_a_checkpoint_head_included(
    checkpoint: Path, data: TrainingData, small_config: TrainConfig
) -> None:
    net = first_net(small_config.with_values({"model.init": str(checkpoint), "model.dropout": 0.3}), data)
    stored = state_of(load_net(checkpoint))
    assert all(torch.equal(value, stored[name]) for name, value in state_of(net).items())
    assert net.spec.dropout == 0.3, "dropout is no weight, and the settings' own"


def test_another_vocabulary_gets_a_new_head_on_the_old_backbone(
    checkpoint: Path, data: TrainingData, small_config: TrainConfig
) -> None:
    genres = GenreVocabulary(("Horror", "War"))
    two = replace(data, genres=genres, hard=data.hard[:, :2], soft=data.soft[:, :2])
    net = first_net(small_config.with_values({"model.init": str(checkpoint)}), two)
    stored = state_of(load_net(checkpoint))
    same = {name for name, value in state_of(net).items() if torch.equal(value, stored[name])}
    assert same == {name for name in stored if not name.startswith("head.")}
    assert net.head.out_features == 2
    assert torch.sigmoid(net.head.bias).detach().numpy() == pytest.approx(
        two.hard[two.train].mean(axis=0), abs=1e-3
    )


def test_features_worked_out_once_take_the_backbone_alone(
    checkpoint: Path, data: TrainingData, small_config: TrainConfig
) -> None:
    frozen = small_config.with_values({"model.init": str(checkpoint), "optim.frozen_views": 1})
    net, stored = first_net(frozen, data), state_of(load_net(checkpoint))
    same = {name for name, value in state_of(net).items() if torch.equal(value, stored[name])}
    assert all(name in same for name in stored if name.startswith("backbone."))
    assert "neck.1.weight" not in same


def test_a_net_that_reads_levels_takes_the_backbone_of_one_that_did_not(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    plain = small_config.with_values(
        {"model.arch": "efficientnet_lite0", "model.width": 32, "model.height": 48, "epochs": 1}
        | {"optim.frozen_views": 1, "data.cache_dir": tmp_path / "shared"}
    )
    before = train(world_labels, poster_world[1], tmp_path / "plain", plain)
    assert before is not None
    levels = plain.with_values(
        {"model.levels": True, "model.init": str(before.checkpoint), "optim.frozen_views": 1}
    )
    after = train(world_labels, poster_world[1], tmp_path / "levels", levels)
    assert after is not None
    was, net = load_net(before.checkpoint), load_net(after.checkpoint)
    assert net.num_features > was.num_features
    old = state_of(was.backbone)
    assert all(torch.equal(value, old[name]) for name, value in state_of(net.backbone).items())
    gone_on = levels.with_values({"model.init": str(after.checkpoint), "optim.frozen_views": 0})
    again = train(world_labels, poster_world[1], tmp_path / "again", gone_on)
    assert again is not None, "and goes on from one that did, neck and head included"


def test_a_checkpoint_of_another_net_is_refused(
    checkpoint: Path, data: TrainingData, small_config: TrainConfig
) -> None:
    wider = small_config.with_values({"model.init": str(checkpoint), "model.embedding_dim": 32})
    with pytest.raises(TrainingError, match=r"custom_cnn.*, 16 wide.*custom_cnn.*, 32 wide.*set \[model\]"):
        first_net(wider, data)


def test_filters_go_on_at_another_size_of_the_posters(
    checkpoint: Path, data: TrainingData, small_config: TrainConfig
) -> None:
    larger = {"model.init": str(checkpoint), "model.width": 32, "model.height": 48}
    net, stored = first_net(small_config.with_values(larger), data), state_of(load_net(checkpoint))
    assert all(torch.equal(value, stored[name]) for name, value in state_of(net).items())
    assert (net.spec.width, net.spec.height) == (32, 48)


def test_a_net_made_for_one_size_is_refused_at_another(
    poster_world: World, world_labels: Labels, data: TrainingData, small_config: TrainConfig, tmp_path: Path
) -> None:
    flat = small_config.with_values({"model.arch": "mlp", "epochs": 1})
    model = train(world_labels, poster_world[1], tmp_path, flat)
    assert model is not None
    wider = flat.with_values({"model.init": str(model.checkpoint), "model.width": 32})
    with pytest.raises(TrainingError, match=r"mlp of 16 x 24 pixels.*mlp of 32 x 24 pixels"):
        first_net(wider, data)


def test_a_run_killed_at_once_goes_on_to_the_same_weights(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    """SIGKILL in the middle of an epoch: no handler, no farewell."""
    config = small_config.with_values({"epochs": 40, "patience": 0})
    (tmp_path / "config.json").write_text(config.model_dump_json())
    script = (
        "import json, sys; from pathlib import Path\n"
        "from embeddings.training.config import parse_config\n"
        "from embeddings.training.labels import read_labels\n"
        "from embeddings.training.train import train\n"
        "config = parse_config(json.loads(Path(sys.argv[1]).read_text()), 'test')\n"
        "train(read_labels(Path(sys.argv[2])), Path(sys.argv[3]), Path(sys.argv[4]), config)\n"
    )
    out = tmp_path / "killed"
    arguments = [str(tmp_path / "config.json"), *map(str, poster_world), str(out)]
    with subprocess.Popen([sys.executable, "-c", script, *arguments]) as process:
        while process.poll() is None and not (out / "state" / "state.json").is_file():
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    n_before = len(read_history(out))
    assert 0 < n_before < 40
    short = config.with_values({"epochs": n_before + 1})
    resumed = train(world_labels, poster_world[1], out, short)
    whole = train(world_labels, poster_world[1], tmp_path / "whole", short)
    assert resumed is not None
    assert whole is not None
    assert len(resumed.history) == n_before + 1
    assert resumed.finished.manifest.fingerprint == whole.finished.manifest.fingerprint
