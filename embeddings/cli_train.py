"""``onesheet train``: labels and posters in, a checkpoint with its curves and report out."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embeddings.cli_options import device_option
from embeddings.errors import InvalidRequestError

if TYPE_CHECKING:
    from embeddings.training.config import TrainConfig
    from embeddings.training.labels import Labels

# Option -> dotted setting.
_SETTINGS = {
    "arch": "model.arch",
    "init": "model.init",
    "loss": "loss.name",
    "sampler": "sampler",
    "schedule": "optim.schedule",
    "epochs": "epochs",
    "batch_size": "batch_size",
    "lr": "optim.lr",
    "seed": "seed",
    "min_support": "data.min_support",
    "folds": "data.folds",
}

labels_argument = click.argument("labels_file", metavar="LABELS.csv", type=click.Path(path_type=Path))
posters_argument = click.argument("posters_dir", metavar="POSTERS_DIR", type=click.Path(path_type=Path))


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that change a training setting."""
    options = (
        click.option("--arch", help="Architecture, or two joined by +."),
        click.option(
            "--init", help="auto, imagenet, none, a torchvision weight name, or a safetensors file."
        ),
        click.option("--loss", help="bce, weighted_bce, focal, asl, soft_f1, ..."),
        click.option("--sampler", help="none, inverse_frequency or compound_genres."),
        click.option("--schedule", help="constant, step, exponential, cosine, one_cycle or plateau."),
        click.option("--epochs", type=click.IntRange(1)),
        click.option("--batch-size", type=click.IntRange(2)),
        click.option("--lr", type=float, help="Peak learning rate of neck and head."),
        click.option("--seed", type=int),
        click.option("--min-support", type=click.IntRange(1), help="Training movies that a genre needs."),
        click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="NAME=VALUE",
            help="Any other setting by its dotted name, e.g. augment.mixup=0.2.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@labels_argument
@posters_argument
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the run.")
@settings_options
@click.option("--folds", type=click.IntRange(2), help="Train so many nets, each validated on another part.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings as TOML.")
@click.option("--check/--no-check", default=True, help="Look the data over first; on by default.")
@click.option("--summary", is_flag=True, help="Print the net's parameters per layer and stop.")
@device_option
def train(
    labels_file: Path, posters_dir: Path, out: Path | None, summary: bool, check: bool, **options: Any
) -> None:
    """Train an encoder; run it again after an interruption and it goes on.

    Example: onesheet train labels.csv posters/ --out runs/first --arch mobilenet_v2 --epochs 8
    """
    from embeddings.training.finish import HEADLINES
    from embeddings.training.labels import read_labels
    from embeddings.training.start import build_net, check_settings
    from embeddings.training.train import train as run

    config = config_from_options(options)
    if summary:
        # Weights change nothing that is printed, and may have to be downloaded.
        config = config.with_values({"model.init": "none"})
    check_settings(config)
    labels = read_labels(labels_file)
    if summary:
        from embeddings.models.summary import summary as describe

        n_genres = len(config.data.genres) or len(labels.vocabulary(config.data.min_support))
        click.echo(describe(build_net(config, n_genres)))
        return
    if out is None:
        raise click.UsageError("Missing option '--out': the folder of the run.")
    if check and not (out / "state").exists() and os.environ.get("RANK", "0") == "0":
        from embeddings.training.checks import check_data

        for line in check_data(labels, posters_dir).lines():
            _say(line)
    if config.data.folds:
        _train_folds(labels, posters_dir, out, config)
    elif (result := run(labels, posters_dir, out, config, say=_say)) is not None:
        for name, figures in result.finished.manifest.metrics.items():
            click.echo(f"{name}: " + _figures({key: figures[key] for key in HEADLINES}))
        click.echo(f"checkpoint of epoch {result.best_epoch}: {result.checkpoint}")


def _train_folds(labels: Labels, posters_dir: Path, out: Path, config: TrainConfig) -> None:
    from embeddings.training.folds import train_folds

    result = train_folds(labels, posters_dir, out, config, say=_say)
    click.echo("mean: " + _figures(result.mean))
    click.echo("standard deviation: " + _figures(result.spread))
    click.echo(f"out-of-fold probabilities: {result.soft_labels}")


def _figures(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {value:.4g}" for key, value in figures.items())


def config_from_options(options: dict[str, Any]) -> TrainConfig:
    """Settings from ``--config``, then the options given, then ``--set``.

    Raises:
        InvalidRequestError: A ``--set`` is not NAME=VALUE.
        TrainingError: A setting is unknown or unfit.
    """
    from embeddings.training.config import parse_config, read_toml

    file = options.get("config_file")
    config = parse_config(read_toml(file), str(file)) if file else parse_config({}, "settings")
    values = {name: options[key] for key, name in _SETTINGS.items() if options.get(key) is not None}
    if options.get("device", "auto") != "auto":
        values["device"] = options["device"]
    for assignment in options.get("assignments", ()):
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InvalidRequestError(
                f"--set {assignment!r} is not NAME=VALUE; for instance augment.mixup=0.2."
            )
        values[name.strip()] = _toml_value(text.strip())
    return config.with_values(values)


def _toml_value(text: str) -> Any:
    """The value that TOML reads, or the bare text: ``--set model.arch=resnet18`` needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _say(line: str) -> None:
    click.echo(line, err=True)
