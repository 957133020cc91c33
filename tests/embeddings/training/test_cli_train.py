"""``onesheet train`` from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from embeddings.cli_train import config_from_options
from embeddings.errors import InvalidRequestError
from webui.cli import main

SMALL = [
    "--arch",
    "custom_cnn",
    "--init",
    "none",
    "--epochs",
    "1",
    "--batch-size",
    "16",
    "--min-support",
    "5",
    "--set",
    "model.width=16",
    "--set",
    "model.height=24",
    "--device",
    "cpu",
]


def test_train_looks_the_data_over_trains_and_leaves_checkpoint_and_report(
    poster_world: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = ["train", *map(str, poster_world), "--out", str(tmp_path / "run"), *SMALL]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "120 movies; 0 repeated rows merged" in result.stderr
    assert "epoch 1/1" in result.stderr
    assert "macro_f1" in result.stdout
    for name in (
        "checkpoint/checkpoint.json",
        "report/report.html",
        "history.csv",
        "split.json",
        "figures.json",
    ):
        assert (tmp_path / "run" / name).is_file(), name


def test_summary_prints_parameters_per_layer_and_trains_nothing(
    poster_world: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = ["train", *map(str, poster_world), "--out", str(tmp_path / "run"), *SMALL, "--summary"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "head" in result.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arch", "size", "count"),
    [("custom_cnn", "224", "849,060"), ("mlp", "224", "154,799,364"), ("resnet18", "64", "11,309,380")],
)
def test_a_summary_needs_neither_a_folder_nor_weights(
    poster_world: tuple[Path, Path], arch: str, size: str, count: str
) -> None:
    sizes = ["--set", f"model.width={size}", "--set", f"model.height={size}", "--min-support", "5"]
    result = CliRunner().invoke(main, ["train", *map(str, poster_world), "--arch", arch, "--summary", *sizes])
    assert result.exit_code == 0, result.stderr
    assert f"{arch}: {count} parameters" in result.stdout


def test_training_needs_a_folder(poster_world: tuple[Path, Path], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["train", *map(str, poster_world), *SMALL])
    assert result.exit_code == 2 and "--out" in result.stderr
    (tmp_path / "file").touch()
    arguments = [
        "train",
        *map(str, poster_world),
        "--no-check",
        *SMALL,
        "--out",
        str(tmp_path / "file" / "run"),
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1 and "cannot be made" in result.stderr


def test_a_net_of_our_own_needs_no_source_of_weights(poster_world: tuple[Path, Path], tmp_path: Path) -> None:
    small = [word for word in SMALL if word not in ("--init", "none")]
    arguments = ["train", *map(str, poster_world), "--out", str(tmp_path / "run"), "--no-check", *small]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--init", "absent.safetensors"], "no weights file absent.safetensors"),
        (["--init", "imagenet"], "custom_cnn has no downloadable weights"),
        (["--arch", "resnet18", "--init", "IMAGENET9"], "one of its names, IMAGENET1K_V1"),
        (["--loss", "hinge"], "there is no loss 'hinge'"),
        (["--sampler", "fair"], "there is no sampler 'fair'"),
        (["--schedule", "linear"], "there is no schedule 'linear'"),
        (["--arch", "resnet1001"], "resnet1001"),
        (["--set", "model.wings=2"], "no training setting 'model.wings'"),
    ],
)
def test_a_setting_that_does_not_exist_is_one_sentence_and_exit_code_one(
    poster_world: tuple[Path, Path], tmp_path: Path, extra: list[str], words: str
) -> None:
    arguments = [
        "train",
        *map(str, poster_world),
        "--out",
        str(tmp_path / "run"),
        *SMALL,
        *extra,
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "movies;" not in result.stderr, "posters were looked over first"
    assert "Traceback" not in result.stderr


def test_a_summary_needs_no_weights_even_of_nets_that_only_files_have(
    poster_world: tuple[Path, Path],
) -> None:
    arguments = [
        "train",
        *map(str, poster_world),
        "--arch",
        "efficientnet_lite0",
        "--summary",
        "--min-support",
        "5",
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "efficientnet_lite0: 3,7" in result.stdout


def test_options_override_the_file_and_set_overrides_both(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("epochs = 3\nbatch_size = 8\n[optim]\nlr = 0.5\n")
    options = {
        "config_file": path,
        "epochs": 4,
        "lr": None,
        "assignments": ("batch_size=6", "model.arch=vgg16"),
    }
    config = config_from_options(options)
    assert (config.epochs, config.batch_size, config.optim.lr, config.model.arch) == (4, 6, 0.5, "vgg16")
    with pytest.raises(InvalidRequestError, match="not NAME=VALUE"):
        config_from_options({"assignments": ("epochs",)})
