"""``onesheet reindex``: poster files and ratings into a new snapshot."""

from __future__ import annotations

import json
from typing import Any

import click

from indexer.catalog import open_catalog
from indexer.reindex import ReindexOptions
from indexer.settings import Settings
from indexer.types import ReindexReport
from indexer.watch import watch_posters
from recommender.reindexing import make_reindex


@click.command()
@click.option("--all", "every", is_flag=True, help="Embed every poster again.")
@click.option(
    "--new",
    "unread_only",
    is_flag=True,
    help="Only posters that imports have named since; no look at the files that are known. Quick in a "
    "large catalog: files that changed, vanished or were dropped into a folder wait for a whole run.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Decoding threads; default one per core.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to encode.",
)
@click.option(
    "--batch-size", type=click.IntRange(1, 4096), default=64, show_default=True, help="Posters per pass."
)
@click.option(
    "--publish", is_flag=True, help="Write a snapshot of a large catalog however little has changed in it."
)
@click.option("--watch", is_flag=True, help="Go on, and take up files as they arrive; stop with Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document per run.")
@click.pass_obj
def reindex(settings: Settings, /, **options: Any) -> None:
    """Embed new and changed posters, drop vanished ones, refresh taste, publish a snapshot.

    A run that was stopped is taken up by the next one. Posters that cannot be
    read are named and do not stop it.

    Example: onesheet reindex --json
    """
    whole = [name for name, asked in (("--all", options["every"]), ("--watch", options["watch"])) if asked]
    if options["unread_only"] and whole:
        raise click.UsageError(
            f"--new looks at no file that is known, which {whole[0]} asks for; give one of them."
        )
    catalog = open_catalog(settings)
    how = ReindexOptions(
        options["every"],
        options["batch_size"],
        options["workers"],
        publish=options["publish"],
        unread_only=options["unread_only"],
    )
    run_once = make_reindex(settings, catalog, how, options["device"])
    for report in watch_posters(catalog, run_once) if options["watch"] else [run_once()]:
        _print(report, options["as_json"])


def _print(report: ReindexReport, as_json: bool) -> None:
    for failed in report.failed:
        click.echo(f"onesheet: {failed.movie_id}: {failed.error}", err=True)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    click.echo(
        f"{report.embedded} posters embedded ({report.posters_per_second:g} a second), "
        f"{report.unchanged} unchanged, {report.removed} removed, {len(report.failed)} failed; "
        f"snapshot {report.snapshot}"
    )
