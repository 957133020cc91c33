"""Whole runs on small posters: they learn, go on after a kill, and say what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from embeddings.checkpoint import CheckpointManifest
from embeddings.encoded import Poster
from embeddings.encoder import Encoder
from embeddings.errors import TrainingError
from embeddings.genres import GenreVocabulary
from embeddings.training.config import TrainConfig
from embeddings.training.data import deal_sides, load_data
from embeddings.training.history import read_history
from embeddings.training.labels import Labels
from embeddings.training.soft_labels import SoftLabels, write_soft_labels
from embeddings.training.start import build_net
from embeddings.training.train import TrainedModel, train
from embeddings.training.trainer import Trainer, frozen_stages

World = tuple[Path, Path]


def run(labels: Labels, world: World, out: Path, config: TrainConfig) -> TrainedModel:
    result = train(labels, world[1], out, config)
    assert result is not None
    return result


@pytest.fixture(scope="module")
def trained(
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[TrainedModel, Path]:
    out = tmp_path_factory.mktemp("run")
    config = small_config.with_values({"epochs": 8, "patience": 0, "keep_epochs": True})
    return run(world_labels, poster_world, out, config), out


def test_a_run_learns_what_can_be_seen(trained: tuple[TrainedModel, Path]) -> None:
    figures = trained[0].finished.test
    assert figures is not None
    seen = [figures["per_genre"][genre]["average_precision"] for genre in ("Comedy", "Horror", "War")]
    assert min(seen) > 0.9
    assert figures["macro_f1"] > figures["trivial"]["all_positive"]["macro_f1"] + 0.2
    assert trained[0].history[-1]["train_loss"] < trained[0].history[0]["train_loss"]


def test_a_run_leaves_a_checkpoint_that_encodes(
    trained: tuple[TrainedModel, Path], poster_world: World
) -> None:
    encoder = Encoder.load(trained[0].checkpoint, "cpu")
    assert encoder.genres.genres == ("Comedy", "Drama", "Horror", "War")
    encoded = encoder.encode([Poster("tt0", poster_world[1] / "tt0.png")])
    assert encoder.genres.genres[int(encoded.genre_probs[0].argmax())] in ("Horror", "Drama")
    assert encoded.genre_probs[0, 2] > 0.5


def test_a_checkpoint_says_where_it_comes_from_without_naming_folders(
    trained: tuple[TrainedModel, Path],
) -> None:
    manifest = CheckpointManifest.read(trained[0].checkpoint)
    assert manifest.provenance["settings"]["model"]["arch"] == "custom_cnn"
    assert manifest.provenance["n_train"] > manifest.provenance["n_validation"] > 0
    assert str(trained[1].parent) not in json.dumps(manifest.to_json())


def test_a_run_keeps_history_split_figures_and_every_epoch(trained: tuple[TrainedModel, Path]) -> None:
    model, out = trained
    history = read_history(out)
    assert [row["epoch"] for row in history] == list(range(1, 9))
    assert history[2]["mean_average_precision"] == pytest.approx(model.history[2]["mean_average_precision"])
    told = model.finished.manifest.history
    assert [row["macro_f1"] for row in told] == [round(row["macro_f1"], 5) for row in model.history]
    assert set(told[0]) == {
        "epoch",
        "train_loss",
        "val_loss",
        "macro_f1",
        "micro_f1",
        "mean_average_precision",
    }
    assert json.loads((out / "figures.json").read_text())["test"]["n"] == model.finished.test["n"]  # type: ignore[index]
    assert CheckpointManifest.read(model.checkpoint).metrics["test"] == model.finished.test
    sides = json.loads((out / "split.json").read_text())
    assert not set(sides["train"]) & set(sides["test"])


def test_every_kept_epoch_is_a_checkpoint_that_runs_can_go_on_from(
    trained: tuple[TrainedModel, Path],
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path: Path,
) -> None:
    model, out = trained
    assert [folder.name for folder in sorted((out / "epochs").iterdir())] == [
        f"epoch-000{number}" for number in range(1, 9)
    ]
    third = CheckpointManifest.read(out / "epochs" / "epoch-0003")
    assert "test" not in third.metrics and len(third.history) == 3 and third.provenance["best_epoch"] == 3
    seen = third.metrics["validation"]["mean_average_precision"]
    assert seen == pytest.approx(model.history[2]["mean_average_precision"], abs=0.02)
    best = Encoder.load(out / "epochs" / f"epoch-{model.best_epoch:04d}", "cpu")
    poster = [Poster("tt0", poster_world[1] / "tt0.png")]
    expected = Encoder.load(model.checkpoint, "cpu").encode(poster)
    assert np.array_equal(best.encode(poster).embeddings, expected.embeddings)
    goes_on = small_config.with_values({"epochs": 1, "model.init": str(out / "epochs" / "epoch-0003")})
    again = run(world_labels, poster_world, tmp_path / "on", goes_on)
    assert again.history[0]["train_loss"] < model.history[1]["train_loss"]


def test_the_kept_epoch_is_the_best_by_the_monitored_figure(trained: tuple[TrainedModel, Path]) -> None:
    figures = [row["mean_average_precision"] for row in trained[0].history]
    assert trained[0].best_epoch == int(np.argmax(figures)) + 1


def without_clock(history: tuple[dict[str, float], ...]) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k not in ("seconds", "images_per_second")} for row in history]


@pytest.mark.parametrize("mixing", [0.0, 0.4])
def test_a_killed_run_goes_on_to_the_same_figures(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path, mixing: float
) -> None:
    config = small_config.with_values(
        {"epochs": 4, "augment.mixup": mixing, "model.dropout": 0.2, "optim.schedule": "cosine"}
    )
    whole = run(world_labels, poster_world, tmp_path / "whole", config)

    def die_after_two(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(world_labels, poster_world[1], tmp_path / "killed", config, say=die_after_two)
    assert len(read_history(tmp_path / "killed")) == 2
    lines: list[str] = []
    resumed = train(world_labels, poster_world[1], tmp_path / "killed", config, say=lines.append)
    assert resumed is not None
    assert sum(line.startswith("epoch") for line in lines) == 2, "only the missing epochs are run"
    assert without_clock(resumed.history) == without_clock(whole.history)
    assert resumed.finished.manifest.fingerprint == whole.finished.manifest.fingerprint


def test_a_folder_that_holds_another_run_is_refused(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    one = small_config.with_values({"epochs": 1})
    run(world_labels, poster_world, tmp_path / "out", one)
    with pytest.raises(TrainingError, match="other settings \\(batch_size differ"):
        train(world_labels, poster_world[1], tmp_path / "out", one.with_values({"batch_size": 8}))
    longer = train(world_labels, poster_world[1], tmp_path / "out", one.with_values({"epochs": 2}))
    assert longer is not None
    assert len(longer.history) == 2


def test_training_stops_when_nothing_gets_better(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    config = small_config.with_values(
        {"epochs": 30, "patience": 2, "optim.lr": 1e-12, "optim.ema_decay": 0.0, "augment.flip": 0.0}
    )
    stopped = run(world_labels, poster_world, tmp_path / "out", config)
    assert len(stopped.history) < 30
    assert len(stopped.history) - stopped.best_epoch == 2


def test_a_loss_that_explodes_is_reported_with_its_cure(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    wild = small_config.with_values(
        {"optim.lr": 1e30, "optim.gradient_clip": 0.0, "optim.optimizer": "sgd", "model.norm": "none"}
    )
    with pytest.raises(TrainingError, match="lower the learning rate"):
        train(world_labels, poster_world[1], tmp_path / "out", wild)


def test_an_unknown_figure_to_monitor_is_refused(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="monitor: Input should be 'mean_average_precision'"):
        small_config.with_values({"monitor": "accuracy"})
    for monitor in get_args(TrainConfig.model_fields["monitor"].annotation):
        config = small_config.with_values({"monitor": monitor, "epochs": 1})
        model = train(world_labels, poster_world[1], tmp_path / monitor, config)
        assert model is not None and monitor in model.history[0]


def test_stages_thaw_from_the_output_back(small_config: TrainConfig) -> None:
    config = small_config.with_values(
        {"optim.head_epochs": 2, "optim.unfreeze_epochs": 3, "optim.freeze_stages": 1}
    )
    assert [frozen_stages(config, epoch, 8) for epoch in range(7)] == [None, None, 6, 4, 2, 1, 1]


def test_head_epochs_leave_the_backbone_as_it_was(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    config = small_config.with_values({"optim.head_epochs": 1})
    split = deal_sides(world_labels, poster_world[1], config.data)
    data = load_data(world_labels, poster_world[1], config, split, tmp_path)
    trainer = Trainer(build_net(config, len(data.genres)), data, config, torch.device("cpu"))
    before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    trainer.run_epoch(0)
    changed = {
        name for name, value in trainer.net.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed
    assert all(name.startswith(("neck.", "head.")) for name in changed)
    trainer.run_epoch(1)
    later = {name for name, value in trainer.net.state_dict().items() if not torch.equal(value, before[name])}
    assert any(name.startswith("backbone.") for name in later)


def test_a_student_learns_from_teachers_what_labels_do_not_say(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    """The teachers call every dark poster a War film, and know the eight unlabelled posters too."""
    genres = GenreVocabulary(("Comedy", "Horror", "War"))
    ids = (*world_labels.movie_ids, *(f"tt{number}" for number in range(120, 128)))
    dark = np.array([int(movie_id[2:]) % 3 == 0 for movie_id in ids])
    probs = np.full((len(ids), 3), 0.02, dtype=np.float32)
    probs[dark, 2] = 0.98
    write_soft_labels(tmp_path / "teachers.npz", SoftLabels(ids, genres, probs))
    config = small_config.with_values(
        {
            "loss.soft_labels": tmp_path / "teachers.npz",
            "loss.distill_weight": 1.0,
            "data.genres": genres.genres,
            "epochs": 8,
        }
    )
    split = deal_sides(world_labels, poster_world[1], config.data)
    data = load_data(world_labels, poster_world[1], config, split, tmp_path / "cache")
    assert len(data.train) == len(split.train) + 8
    trainer = Trainer(build_net(config, 3), data, config, torch.device("cpu"))
    for epoch in range(8):
        trainer.run_epoch(epoch)
    logits = trainer.predict(data.test)
    is_dark = np.array([int(data.cache.movie_ids[row][2:]) % 3 == 0 for row in data.test])
    assert logits[is_dark, 2].mean() > 0 > logits[~is_dark, 2].mean()
    assert logits[is_dark, 1].mean() < 0, "Horror is what the labels say, not what the teachers say"


def test_a_genre_that_no_movie_has_is_refused_by_name(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    config = small_config.with_values({"data.genres": ("Comedy", "Horor")})
    split = deal_sides(world_labels, poster_world[1], config.data)
    with pytest.raises(TrainingError, match=r"data\.genres names Horor, .*Horror"):
        load_data(world_labels, poster_world[1], config, split, tmp_path / "cache")


def test_teachers_of_other_genres_are_refused(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    opera = SoftLabels(("tt0",), GenreVocabulary(("Opera",)), np.ones((1, 1), dtype=np.float32))
    write_soft_labels(tmp_path / "teachers.npz", opera)
    with pytest.raises(TrainingError, match="know nothing of Comedy"):
        train(
            world_labels,
            poster_world[1],
            tmp_path / "out",
            small_config.with_values({"loss.soft_labels": tmp_path / "teachers.npz"}),
        )


@pytest.mark.slow
def test_two_processes_train_one_net(poster_world: World, small_config: TrainConfig, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(small_config.with_values({"epochs": 2}).model_dump_json())
    script = tmp_path / "run.py"
    script.write_text(
        "import json, sys\n"
        "from pathlib import Path\n"
        "from embeddings.training.config import parse_config\n"
        "from embeddings.training.labels import read_labels\n"
        "from embeddings.training.train import train\n"
        "config = parse_config(json.loads(Path(sys.argv[1]).read_text()), 'test')\n"
        "labels = read_labels(Path(sys.argv[2]))\n"
        "posters, out = Path(sys.argv[3]), Path(sys.argv[4])\n"
        "train(labels, posters, out, config, say=lambda line: print(line, flush=True))\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=29517"]
    arguments = [tmp_path / "config.json", *poster_world, tmp_path / "out"]
    done = subprocess.run(
        [*command, str(script), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("epoch 2/2") == 1, "one process speaks"
    history = read_history(tmp_path / "out")
    assert len(history) == 2
    assert history[1]["train_loss"] < history[0]["train_loss"]
    assert CheckpointManifest.read(tmp_path / "out" / "checkpoint").metrics["test"]["n"] > 0


def test_tensorboard_gets_the_figures_of_each_epoch(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path
) -> None:
    config = small_config.with_values({"epochs": 2, "tensorboard": True})
    run(world_labels, poster_world, tmp_path, config)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("mean_average_precision")] == [1, 2]


@pytest.mark.parametrize("sampler", ["inverse_frequency", "compound_genres"])
def test_a_run_can_draw_movies_by_another_sampler(
    poster_world: World, world_labels: Labels, small_config: TrainConfig, tmp_path: Path, sampler: str
) -> None:
    config = small_config.with_values({"epochs": 1, "sampler": sampler, "batch_size": 4})
    assert len(run(world_labels, poster_world, tmp_path, config).history) == 1
