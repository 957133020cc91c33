"""Ways into the catalog: one file per format, and the loop that writes what they read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from embeddings.errors import InvalidRequestError, LabelsError
from indexer.catalog import MANY, Catalog
from indexer.importers.base import Importer, find_posters
from indexer.importers.csv_labels import CsvImporter
from indexer.importers.folder import FolderImporter
from indexer.importers.imdb import ImdbImporter
from indexer.importers.movielens import MovieLensImporter
from indexer.importers.movietweetings import MovieTweetingsImporter
from indexer.importers.nfo import NfoImporter
from indexer.importers.report import Batch, FailedRow, ImportReport
from indexer.importers.tmdb import TmdbImporter

__all__ = ["FORMATS", "FailedRow", "ImportReport", "import_new_files", "import_source"]

IMPORTERS: tuple[type[Importer], ...] = (
    MovieLensImporter,
    MovieTweetingsImporter,
    ImdbImporter,
    TmdbImporter,
    CsvImporter,
    NfoImporter,
    FolderImporter,
)
"""In the order in which ``auto`` asks them."""
FORMATS = tuple(one.format for one in IMPORTERS)


def import_source(
    catalog: Catalog,
    source: Path,
    format: str = "auto",
    posters_dir: Path | None = None,
    add: bool | None = None,
    progress: Callable[[ImportReport], None] | None = None,
) -> ImportReport:
    """Import a file or directory; the same import again changes nothing.

    Args:
        catalog: Where to.
        source: The file or directory.
        format: One of ``FORMATS``, or ``auto``.
        posters_dir: Directory of ``<movie id>.jpg`` (or jpeg, png, webp) for the movies of the source.
        add: Whether movies that the catalog lacks are added; None asks ``Catalog.upsert_movies``.
        progress: Called after every batch with the report as it stands.

    Raises:
        LabelsError: There is no such source, it is of no known format, or it cannot be read at all.
        InvalidRequestError: The format is not one.
    """
    importer = _importer(source, format)
    if posters_dir is not None and not posters_dir.is_dir():
        raise LabelsError(f"{posters_dir} is not a folder; give the folder that holds <Id>.jpg posters.")
    files = find_posters(posters_dir) if posters_dir is not None else {}
    report = ImportReport(str(source), importer.format)
    for batch in importer.read(source):
        _write(catalog, importer, batch, files, add, report)
        if progress is not None:
            progress(report)
    if report.movies.changed + report.posters.changed + report.ratings.changed >= MANY:
        catalog.gather_statistics()
    if posters_dir is not None:
        catalog.add_poster_dir(posters_dir, "by_id")
    elif importer.layout is not None:
        catalog.add_poster_dir(source, importer.layout)
    return report


def import_new_files(catalog: Catalog) -> int:
    """Look again at the folders that movies were imported from, and take in what is new in them.

    Movies that were taken out stay out, although their files are still there.

    Returns:
        How many movies and posters were added.
    """
    n_new = 0
    for directory, layout in catalog.poster_dirs().items():
        if layout == "by_id" or not directory.is_dir():
            continue
        importer = _importer(directory, layout)
        for batch in importer.read(directory):
            n_new += _write_new(catalog, importer, batch)
    return n_new


def _write_new(catalog: Catalog, importer: Importer, batch: Batch) -> int:
    ids = [movie.movie_id for movie in batch.movies]
    out = catalog.removed_ids(ids)
    known = catalog.known_ids(ids)
    new = [movie for movie in batch.movies if movie.movie_id not in known | out]
    lacking = {one for one, movie in catalog.find_movies(sorted(known)).items() if movie.poster is None}
    lacking |= {movie.movie_id for movie in new}
    posters = {movie_id: path for movie_id, path in batch.posters.items() if movie_id in lacking}
    if not new and not posters:
        return 0
    with catalog.transaction():
        catalog.upsert_movies(new, importer.format)
        catalog.set_posters(posters)
    return len(new) + len(posters)


def _importer(source: Path, format: str) -> Importer:
    by_name = {one.format: one for one in IMPORTERS}
    if format != "auto" and format not in by_name:
        raise InvalidRequestError(f"format is {format!r}; expected auto or one of {', '.join(FORMATS)}.")
    if not source.exists():
        raise LabelsError(f"There is no {source}; give a file or directory to import.")
    if format != "auto":
        return by_name[format]()
    for one in IMPORTERS:
        importer = one()
        if importer.recognises(source):
            return importer
    raise LabelsError(
        f"{source} looks like none of the known formats ({', '.join(FORMATS)}); name one with --format."
    )


def _write(
    catalog: Catalog,
    importer: Importer,
    batch: Batch,
    files: dict[str, Path],
    add: bool | None,
    report: ImportReport,
) -> None:
    ids = {movie.movie_id for movie in batch.movies}
    posters = {movie_id: files[movie_id] for movie_id in sorted(ids) if movie_id in files}
    posters |= batch.posters
    report.add_failed(batch.failed)
    with catalog.transaction():
        if batch.external_ids:
            catalog.add_external_ids(batch.external_ids)
        counts = catalog.upsert_movies(batch.movies, importer.format, add=add)
        report.movies += counts
        report.waiting += len(ids) - counts.changed - counts.unchanged
        if posters:
            report.posters += catalog.set_posters(posters)
        if batch.poster_urls:
            catalog.set_poster_urls(batch.poster_urls)
    if batch.ratings is not None:
        report.ratings += catalog.add_ratings(batch.ratings)
