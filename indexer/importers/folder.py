"""A folder of posters: the names of files and folders say which movie it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from embeddings.errors import LabelsError
from indexer.catalog import MovieFacts
from indexer.importers.base import Importer, suffix_rank
from indexer.importers.report import Batch, FailedRow
from indexer.titles import clean_text, is_movie_id, slug, split_year

_BATCH = 20_000
_POSTER_NAMES = ("poster", "folder", "cover", "movie")
_OTHER_IMAGES = frozenset(
    (".gif", ".bmp", ".tif", ".tiff", ".avif", ".heif", ".heic", ".ico", ".psd", ".mpo")
)


class FolderImporter(Importer):
    """``tt0133093.jpg``, ``The Matrix (1999).jpg`` and ``The Matrix (1999)/poster.jpg``."""

    format = "folder"
    layout = "folder"

    def recognises(self, source: Path) -> bool:
        return source.is_dir() and next(_posters(source), None) is not None

    def read(self, source: Path) -> Iterator[Batch]:
        if not source.is_dir():
            raise LabelsError(f"{source} is not a folder; give a folder of posters.")
        movies: dict[str, MovieFacts] = {}
        posters: dict[str, Path] = {}
        failed: list[FailedRow] = []
        for path, name in _posters(source):
            if suffix_rank(path) is None:
                failed.append(FailedRow(str(path), "a poster must be a .jpg, .jpeg, .png or .webp file"))
                continue
            movie = movie_of_name(name)
            if movie is None:
                failed.append(FailedRow(str(path), f"the name {name!r} has no letter or digit to call it by"))
                continue
            held = posters.get(movie.movie_id)
            if held is None or (suffix_rank(path) or 0) < (suffix_rank(held) or 0):
                movies[movie.movie_id] = movie
                posters[movie.movie_id] = path
            if len(movies) >= _BATCH:
                yield Batch(movies=list(movies.values()), posters=posters, failed=failed)
                movies, posters, failed = {}, {}, []
        yield Batch(movies=list(movies.values()), posters=posters, failed=failed)


def movie_of_name(name: str) -> MovieFacts | None:
    """The movie that a file or folder name means; None where it has no letter or digit.

    Example:
        >>> movie_of_name("tt0133093").movie_id
        'tt0133093'
        >>> movie = movie_of_name("Matrix, The (1999)")
        >>> movie.movie_id, movie.title, movie.year
        ('the-matrix-1999', 'The Matrix', 1999)
    """
    name = clean_text(name)
    title, year = split_year(name)
    if is_movie_id(name) and year is None:
        return MovieFacts(name)
    movie_id = slug(title, year)
    return MovieFacts(movie_id, title or None, year) if is_movie_id(movie_id) else None


def _posters(source: Path) -> Iterator[tuple[Path, str]]:
    """Images in a folder and in its folders, with the name that says which movie they show."""
    for path in sorted(source.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            inner = _poster_in(path)
            if inner is not None:
                yield inner, path.name
        elif suffix_rank(path) is not None or path.suffix.lower() in _OTHER_IMAGES:
            yield path, path.stem


def _poster_in(directory: Path) -> Path | None:
    """The poster of a movie's own folder: ``poster.jpg`` and the like, or the only image there is."""
    images = [path for path in sorted(directory.iterdir()) if suffix_rank(path) is not None]
    for name in (*_POSTER_NAMES, directory.name.casefold()):
        for path in sorted(images, key=lambda one: suffix_rank(one) or 0):
            if path.stem.casefold() == name or path.stem.casefold().endswith("-poster"):
                return path
    return images[0] if len(images) == 1 else None
