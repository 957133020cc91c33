"""Options that several commands of ``embeddings`` share, and the checkpoint they mean."""

from __future__ import annotations

from pathlib import Path

import click

model_option = click.option(
    "--model",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Checkpoint directory; default $ONESHEET_MODEL, then the bundled one.",
)
device_option = click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda", help="Where the net runs."
)


def chosen_model(ctx: click.Context, model: Path | None) -> Path | None:
    """The ``--model`` of a command, else the one of the settings; None is the bundled checkpoint."""
    configured: Path | None = getattr(ctx.find_root().obj, "model", None)
    return model or configured
