"""The root of the ``onesheet`` command; each package contributes its own commands.

Commands are imported when they are called, so that ``onesheet similar`` does
not pay for torch and ``onesheet predict`` does not pay for the database.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from embeddings.errors import InvalidRequestError, OnesheetError
from indexer.durable import disk_sentence
from indexer.settings import load_settings

COMMANDS = {
    "predict": "embeddings.cli:predict",
    "train": "embeddings.cli:train",
    "evaluate": "embeddings.cli:evaluate",
    "calibrate": "embeddings.cli:calibrate",
    "compare": "embeddings.cli:compare",
    "export": "embeddings.cli:export",
    "import": "indexer.cli:import_",
    "remove": "indexer.cli:remove",
    "verify": "indexer.cli:verify",
    "db": "indexer.cli:db",
    "reindex": "recommender.cli:reindex",
    "similar": "recommender.cli:similar",
    "evaluate-similar": "recommender.cli:evaluate_similar",
    "demo": "webui.demo:demo",
    "serve": "webui.commands:serve",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a domain error or a full disk becomes one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except OnesheetError as error:
            click.echo(f"onesheet: {error}", err=True)
            sys.exit(1)
        except OSError as error:
            sentence = disk_sentence(error)
            if sentence is None:
                raise
            click.echo(f"onesheet: {sentence}", err=True)
            sys.exit(1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Directory of the catalog and index; default $ONESHEET_HOME, then ./onesheet-home.",
)
@click.version_option(package_name="onesheet", prog_name="onesheet")
@click.pass_context
def main(ctx: click.Context, home: Path | None) -> None:
    """More like this, by a movie's poster, genres and the people who liked it.

    Example: onesheet similar tt0088763 -k 5
    """
    try:
        ctx.obj = load_settings(home)
    except InvalidRequestError as error:
        click.echo(f"onesheet: {error}", err=True)
        sys.exit(1)
