"""Kodi and Jellyfin: one folder per movie with an ``.nfo`` file and a ``poster.jpg`` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from embeddings.errors import LabelsError
from indexer.catalog import MovieFacts
from indexer.importers.base import Importer, suffix_rank
from indexer.importers.fields import (
    as_imdb,
    genre_names,
    is_nothing,
    parse_imdb_id,
    parse_number_id,
    parse_year,
)
from indexer.importers.report import Batch, FailedRow
from indexer.titles import clean_text, is_movie_id, slug, split_year

_BATCH = 5_000
_MAX_BYTES = 2_000_000
_MAX_DEPTH = 6
_POSTER_NAMES = ("poster", "folder", "cover", "movie")


class NfoImporter(Importer):
    """Folders with ``movie.nfo`` or ``<film>.nfo``, and ``poster.jpg`` or ``<film>-poster.jpg``.

    A movie is called by its IMDb id where the file names one, else
    ``tmdb-<id>``, else by title and year.
    """

    format = "nfo"
    layout = "nfo"

    def recognises(self, source: Path) -> bool:
        return source.is_dir() and next(_nfo_files(source), None) is not None

    def read(self, source: Path) -> Iterator[Batch]:
        if not source.is_dir():
            raise LabelsError(f"{source} is not a folder; give the folder of a movie library.")
        movies: list[MovieFacts] = []
        posters: dict[str, Path] = {}
        failed: list[FailedRow] = []
        for path in _nfo_files(source):
            try:
                movie = _movie(path)
            except ValueError as error:
                failed.append(FailedRow(str(path), str(error)))
                continue
            if movie is None:
                continue
            movies.append(movie)
            poster = _poster_of(path)
            if poster is not None:
                posters.setdefault(movie.movie_id, poster)
            if len(movies) >= _BATCH:
                yield Batch(movies=movies, posters=posters, failed=failed)
                movies, posters, failed = [], {}, []
        yield Batch(movies=movies, posters=posters, failed=failed)


def _nfo_files(directory: Path, depth: int = 0) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            if depth < _MAX_DEPTH:
                yield from _nfo_files(path, depth + 1)
        elif path.suffix.lower() == ".nfo" and path.is_file():
            yield path


def _movie(path: Path) -> MovieFacts | None:
    """The movie of an ``.nfo`` file; None where it describes something else, such as an episode.

    Raises:
        ValueError: It is no XML, too large, or does not say which movie it is.
    """
    root = _parse(path)
    if root.tag != "movie":
        return None
    ids = _ids(root)
    title, year = split_year(root.findtext("title") or root.findtext("originaltitle") or "")
    year = _year(root) or year
    movie_id = ids.get("imdb") or (f"tmdb-{ids['tmdb']}" if "tmdb" in ids else slug(title, year))
    if not is_movie_id(movie_id):
        raise ValueError("it has neither an IMDb or TMDB id nor a title")
    genres = [one.text or "" for one in root.iter("genre")]
    # Some programs write one <genre> with slashes in it.
    names = genre_names([part.strip() for genre in genres for part in genre.split("/")])
    return MovieFacts(movie_id, title or None, year, as_imdb(names), ids, _collection(root))


def _parse(path: Path) -> Element:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES:,} bytes; expected a short XML file")
    data = path.read_bytes()
    # Kodi allows a line with a URL behind the XML.
    end = data.rfind(b"</movie>")
    try:
        root: Element = fromstring(data if end < 0 else data[: end + len(b"</movie>")])
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise ValueError(
            f"it is not an XML file that is safe to read ({type(error).__name__}: {error})"
        ) from error
    return root


def _ids(root: Element) -> dict[str, str]:
    said = [((one.get("type") or "").lower(), one.text or "") for one in root.iter("uniqueid")]
    said += [("imdb", root.findtext("imdbid") or ""), ("imdb", root.findtext("imdb_id") or "")]
    said += [("tmdb", root.findtext("tmdbid") or ""), ("imdb", _tt_only(root.findtext("id") or ""))]
    ids: dict[str, str] = {}
    for kind, text in said:
        parse = {"imdb": parse_imdb_id, "tmdb": parse_number_id}.get(kind)
        if parse is not None and (found := parse(clean_text(text))):
            ids.setdefault(kind, found)
    return ids


def _collection(root: Element) -> str | None:
    """The first set that has a name: ``<set>Name</set>``, or with a ``<name>`` in it since Kodi 16.

    Kodi lets a movie be of one set only; older programs wrote it into ``<sets>``.
    """
    sets = [*root.findall("set"), *root.findall("sets/set")]
    names = (clean_text(one.findtext("name") or one.text or "") for one in sets)
    return next((name for name in names if not is_nothing(name)), None)


def _tt_only(text: str) -> str:
    return text if text.strip().startswith("tt") else ""


def _year(root: Element) -> int | None:
    for tag in ("year", "premiered", "releasedate"):
        try:
            year = parse_year(root.findtext(tag) or "")
        except ValueError:
            continue  # another field may say it better; the title often does
        if year is not None:
            return year
    return None


def _poster_of(nfo: Path) -> Path | None:
    """The poster beside an ``.nfo`` file: the film's own first, then the folder's."""
    names = [f"{nfo.stem}-poster", *_POSTER_NAMES, nfo.stem]
    images = [path for path in sorted(nfo.parent.iterdir()) if suffix_rank(path) is not None]
    images.sort(key=lambda path: suffix_rank(path) or 0)
    by_name = {path.stem.casefold(): path for path in reversed(images)}
    return next((by_name[name.casefold()] for name in names if name.casefold() in by_name), None)
