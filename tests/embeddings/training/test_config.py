"""Settings of a run: checked early, changed by name, read from TOML."""

from pathlib import Path

import pytest

from embeddings.checkpoint import BUNDLED, CheckpointManifest
from embeddings.errors import TrainingError
from embeddings.training.config import TrainConfig, parse_config, read_toml


def test_settings_change_by_dotted_name() -> None:
    changed = TrainConfig().with_values({"model.arch": "resnet18", "epochs": 3, "loss.options.gamma": 2.5})
    assert (changed.model.arch, changed.epochs, changed.loss.options) == ("resnet18", 3, {"gamma": 2.5})
    assert TrainConfig().model.arch != "resnet18"


@pytest.mark.parametrize("name", ["arch", "model.architecture", "model.arch.name", "a.b", "epochs.x"])
def test_an_unknown_setting_is_refused_by_name(name: str) -> None:
    with pytest.raises(TrainingError, match=f"no training setting '{name}'"):
        TrainConfig().with_values({name: 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("optim.lr", -1.0), ("augment.flip", 1.5), ("model.width", 4), ("precision", "float8"),
     ("data.folds", 1), ("seed", -5), ("data.split_seed", 2**32), ("augment.mixup", float("inf")),
     ("optim.lr", float("nan")), ("data.genres", ("Drama", "Drama")), ("data.genres", ("",))],
)  # fmt: skip
def test_a_value_outside_what_is_allowed_is_refused(name: str, value: object) -> None:
    with pytest.raises(TrainingError, match="training settings"):
        TrainConfig().with_values({name: value})


def test_a_toml_file_sets_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('epochs = 2\n[model]\narch = "vgg16"\n[loss]\nsoft_labels = "teachers.npz"\n')
    config = parse_config(read_toml(path), str(path))
    assert (config.epochs, config.model.arch, config.batch_size) == (2, "vgg16", TrainConfig().batch_size)
    assert config.loss.soft_labels == (Path("teachers.npz"),)
    path.write_text("epoch = 2\n")
    with pytest.raises(TrainingError, match="epoch"):
        parse_config(read_toml(path), str(path))
    path.write_text("epochs = \n")
    with pytest.raises(TrainingError, match="cannot be read as TOML"):
        read_toml(path)


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        TrainConfig().epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize("part", ["train-head.toml", "train.toml", "train-last.toml"])
def test_the_bundled_checkpoints_recipe_is_of_its_net(part: str) -> None:
    path = BUNDLED / part
    config = parse_config(read_toml(path), str(path))
    manifest = CheckpointManifest.read(BUNDLED)
    assert config.model.arch == manifest.arch
    assert config.model.interpolation == manifest.preprocessing.interpolation


def test_the_last_part_of_the_bundled_recipe_says_what_the_checkpoint_says_of_itself() -> None:
    config = parse_config(read_toml(BUNDLED / "train-last.toml"), "train-last.toml")
    manifest = CheckpointManifest.read(BUNDLED)
    told = manifest.provenance["settings"]
    assert (config.model.width, config.model.height) == manifest.preprocessing.size
    stated = config.model_dump(mode="json")
    for part in ("augment", "optim"):
        assert stated[part] == told[part]
    assert stated["loss"]["distill_weight"] == told["loss"]["distill_weight"]
