"""Commands that fill the catalog and look after it."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import click
from tqdm import tqdm

from indexer import database
from indexer.catalog import Catalog, open_catalog
from indexer.downloads import download_posters, host_of, rules_of
from indexer.importers import FORMATS, FailedRow, ImportReport, import_source
from indexer.models import SCHEMA_HEAD
from indexer.settings import Settings

_SHOWN = 20


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(("auto", *FORMATS)), default="auto", show_default=True)
@click.option(
    "--posters",
    type=click.Path(path_type=Path),
    default=None,
    help="Directory of <movie id>.jpg (jpeg, png, webp) for the movies of SOURCE.",
)
@click.option(
    "--add/--no-add",
    default=None,
    help="Add movies that the catalog lacks. Default: yes, but no for imdb, movielens and movietweetings, "
    "which are about every film there is: what they say of other movies waits for these.",
)
@click.option("--strict", is_flag=True, help="Exit 1 if anything could not be imported.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def import_(
    settings: Settings,
    /,
    source: Path,
    format_: str,
    posters: Path | None,
    add: bool | None,
    **flags: bool,
) -> None:
    """Take movies, genres, posters and ratings from SOURCE; twice is the same as once.

    Example: onesheet import labels.csv --posters posters/
    """
    with closing(open_catalog(settings)) as catalog:
        with tqdm(unit=" records", desc="import", disable=None, leave=False) as bar:

            def show(report: ImportReport) -> None:
                counts = report.movies + report.ratings
                bar.update(counts.changed + counts.unchanged - bar.n)

            report = import_source(catalog, source, format_, posters, add, show)
        _download(catalog, settings, report)
    _print_import(report, flags["as_json"])
    nothing = report.n_failed and not report.found_anything
    if nothing or (flags["strict"] and report.n_failed):
        sys.exit(1)


def _download(catalog: Catalog, settings: Settings, report: ImportReport) -> None:
    """Fetch the posters that are allowed to be fetched; say which hosts would have more."""
    waiting = catalog.posters_to_download()
    if not waiting:
        return
    rules = rules_of(settings)
    n_allowed = sum(rules.allows(url) for url in waiting.values())
    if n_allowed:
        with tqdm(total=n_allowed, unit=" posters", desc="download", disable=None, leave=False) as bar:
            fetched = download_posters(catalog, rules, bar.update)
        report.downloaded = fetched.downloaded
        report.add_failed([FailedRow(waiting[one], error) for one, error in fetched.failed.items()])
    if n_allowed < len(waiting):
        hosts = sorted({host_of(url) for url in waiting.values() if not rules.allows(url)})
        click.echo(
            f"{len(waiting) - n_allowed:,} posters were not downloaded: ONESHEET_POSTER_HOSTS does not "
            f"allow {', '.join(hosts[:5])}",
            err=True,
        )


def _print_import(report: ImportReport, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    click.echo(f"{report.source} ({report.format})")
    for name, counts in (("movies", report.movies), ("posters", report.posters), ("ratings", report.ratings)):
        click.echo(
            f"  {name:<8} {counts.added:>9,} added {counts.updated:>9,} updated "
            f"{counts.unchanged:>9,} unchanged"
        )
    if report.waiting:
        click.echo(f"  {report.waiting:,} movies that the catalog lacks were not added; --add adds them")
    if report.downloaded:
        click.echo(f"  {report.downloaded:,} posters downloaded")
    for failed in report.failed[:_SHOWN]:
        click.echo(f"  left out: {failed.where}: {failed.error}", err=True)
    if report.n_failed > _SHOWN:
        click.echo(f"  left out: {report.n_failed - _SHOWN:,} more; --json names them", err=True)


@click.command()
@click.argument("movie_ids", nargs=-1, required=True, metavar="MOVIE_ID...")
@click.option("--strict", is_flag=True, help="Exit 1 if any of them is not in the catalog.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def remove(settings: Settings, movie_ids: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Take movies out of the catalog; they are gone from answers at once.

    Example: onesheet remove tt0133093
    """
    from indexer.ingest import remove_movies

    with closing(open_catalog(settings, create=False)) as catalog:
        removed = remove_movies(catalog, movie_ids)
    unknown = [one for one in movie_ids if one not in removed]
    if as_json:
        click.echo(json.dumps({"removed": removed, "unknown": unknown}))
    else:
        click.echo(f"{len(removed)} removed")
    for movie_id in unknown:
        click.echo(f"onesheet: there is no movie {movie_id!r} in the catalog.", err=True)
    if unknown and (strict or not removed):
        sys.exit(1)


@click.command("verify")
@click.option(
    "--repair", "mend", is_flag=True, help="Rebuild the index from the catalog where they disagree."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def verify(settings: Settings, mend: bool, as_json: bool) -> None:
    """Compare the index with the catalog: digests, counts, every row; exit 1 if they disagree.

    Example: onesheet verify --repair
    """
    # Imported here: faiss takes a moment, which an import need not wait for.
    from indexer import verify as checks
    from indexer.snapshots import open_store

    check = checks.repair if mend else checks.verify
    with closing(open_catalog(settings, create=False)) as catalog:
        found = check(catalog, open_store(settings))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        state = "repaired" if found.repaired else "agrees with the catalog" if found.ok else "does not agree"
        click.echo(
            f"{found.snapshot or 'no snapshot'}: {state}; {found.rows:,} rows, "
            f"{found.newer:,} movies changed since, catalog at revision {found.revision:,}"
        )
    for line in (*found.problems, *found.notes):
        click.echo(f"onesheet: {line}", err=True)
    if not found.ok:
        sys.exit(1)


@click.group()
def db() -> None:
    """Look after the catalog's database."""


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def upgrade(settings: Settings, as_json: bool) -> None:
    """Bring the schema up to date, keeping what is in it.

    Example: onesheet db upgrade
    """
    engine = database.make_engine(settings.database_url)
    before = database.schema_revision(engine)
    database.upgrade(engine)
    after = database.schema_revision(engine)
    engine.dispose()
    if as_json:
        click.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        click.echo(f"schema {after}: up to date")
    else:
        click.echo(f"schema {before or 'none'} -> {after}")


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def current(settings: Settings, as_json: bool) -> None:
    """Print the schema that the database has and the one that this program needs; exit 1 if they differ.

    Example: onesheet db current
    """
    engine = database.make_engine(settings.database_url)
    found = database.schema_revision(engine)
    engine.dispose()
    if as_json:
        click.echo(json.dumps({"current": found, "head": SCHEMA_HEAD}))
    else:
        click.echo(f"schema {found or 'none'}, needed {SCHEMA_HEAD}")
    if found != SCHEMA_HEAD:
        sys.exit(1)
