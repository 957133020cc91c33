"""What a folder of a finished run says to another run that is asked of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from embeddings.errors import TrainingError
from embeddings.training.config import TrainConfig
from embeddings.training.data import deal_sides
from embeddings.training.labels import Labels
from embeddings.training.run_state import refuse_another_run
from embeddings.training.splits import Split
from embeddings.training.train import train

World = tuple[Path, Path]


def relabelled(labels: Labels) -> Labels:
    return replace(labels, genres=(("War",), *labels.genres[1:]))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def old(
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, TrainConfig]:
    out, config = tmp_path_factory.mktemp("old"), small_config.with_values({"epochs": 1})
    train(world_labels, poster_world[1], out, config)
    return out, config


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"optim.lr": 0.01}, r"\(optim.lr differ\)"),
        ({"model.arch": "mlp"}, r"model.arch"),
        ({"data.genres": ("War", "Horror")}, r"\(data.genres differ\)"),
    ],
)
def test_a_refused_run_names_its_setting_and_leaves_every_file_as_it_was(
    old: tuple[Path, TrainConfig],
    values: dict[str, object],
    named: str,
    poster_world: World,
    world_labels: Labels,
) -> None:
    out, config = old
    before = contents(out)
    with pytest.raises(TrainingError, match=named) as refused:
        train(world_labels, poster_world[1], out, config.with_values(values))
    assert "\n" not in str(refused.value)
    assert contents(out) == before


def test_a_run_does_not_go_on_with_other_labels(
    old: tuple[Path, TrainConfig], poster_world: World, world_labels: Labels
) -> None:
    out, config = old
    before = contents(out)
    with pytest.raises(TrainingError, match="made with other labels"):
        train(relabelled(world_labels), poster_world[1], out, config.with_values({"epochs": 2}))
    assert contents(out) == before


def test_a_split_file_counts_by_what_it_says(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    split = deal_sides(world_labels, poster_world[1], small_config.data)
    for name, train_side in (("one", split.train), ("same", split.train), ("other", split.train[1:])):
        Split(train_side, split.validation, split.test).save(tmp_path / name)
    one, same, other = (
        small_config.with_values({"epochs": 1, "data.split_file": tmp_path / name})
        for name in ("one", "same", "other")
    )
    train(world_labels, poster_world[1], tmp_path / "out", one)
    refuse_another_run(tmp_path / "out", world_labels, same)
    with pytest.raises(TrainingError, match=r"\(data.split_file differ\)"):
        refuse_another_run(tmp_path / "out", world_labels, other)
    (tmp_path / "other").replace(tmp_path / "one")
    with pytest.raises(TrainingError, match=r"\(data.split_file differ\)"):
        refuse_another_run(tmp_path / "out", world_labels, one)
    (tmp_path / "one").unlink()
    refuse_another_run(tmp_path / "out", world_labels, one)


def test_a_run_goes_on_where_its_cache_lies_elsewhere_or_its_genres_are_named(
    old: tuple[Path, TrainConfig], poster_world: World, world_labels: Labels, tmp_path: Path
) -> None:
    out, config = old
    values = {"data.cache_dir": tmp_path, "data.genres": ("Comedy", "Drama", "Horror", "War")}
    assert train(world_labels, poster_world[1], out, config.with_values(values)) is not None


def test_a_state_of_before_labels_were_kept_goes_on(
    old: tuple[Path, TrainConfig], poster_world: World, world_labels: Labels
) -> None:
    out, config = old
    path = out / "state" / "state.json"
    content = json.loads(path.read_text())
    assert content.pop("labels")
    path.write_text(json.dumps(content))
    model = train(world_labels, poster_world[1], out, config)
    assert model is not None
    assert len(model.history) == 1
