"""IMDb's ``title.basics.tsv``: titles, years and genres of every film there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.catalog import MovieFacts
from indexer.importers.base import Importer
from indexer.importers.fields import is_nothing, parse_genres, parse_imdb_id, parse_year
from indexer.importers.report import Batch, FailedRow
from indexer.importers.tables import missing_columns, open_table

_BATCH = 20_000
_FILMS = frozenset(("movie", "tvMovie", "short", "tvShort", "video", "tvSpecial", "tvMiniSeries"))
_NEEDED = ("tconst", "titleType", "primaryTitle", "isAdult", "startYear", "genres")


class ImdbImporter(Importer):
    """``title.basics.tsv`` or ``.tsv.gz``; episodes, games and adult titles are passed over."""

    format = "imdb"

    def recognises(self, source: Path) -> bool:
        return source.is_file() and source.name.startswith("title.basics")

    def read(self, source: Path) -> Iterator[Batch]:
        with open_table(source, delimiter="\t", quoted=False) as table:
            places = [table.column(name) for name in _NEEDED]
            found = [place for place in places if place is not None]
            if len(found) != len(_NEEDED):
                raise missing_columns(source, table.columns, ", ".join(_NEEDED))
            movies: list[MovieFacts] = []
            failed: list[FailedRow] = []
            for line, fields in table.rows:
                try:
                    movie = _movie(fields, found)
                except ValueError as error:
                    failed.append(FailedRow(f"{source.name}, line {line}", str(error)))
                    continue
                if movie is not None:
                    movies.append(movie)
                if len(movies) >= _BATCH:
                    yield Batch(movies=movies, failed=failed)
                    movies, failed = [], []
            yield Batch(movies=movies, failed=failed)


def _movie(fields: list[str] | str, places: list[int]) -> MovieFacts | None:
    """The film of a row; None where the row is no film.

    Raises:
        ValueError: The row cannot be understood.
    """
    if isinstance(fields, str):
        raise ValueError(fields)
    tconst, kind, title, adult, year, genres = (fields[place] for place in places)
    if kind not in _FILMS or adult == "1":
        return None
    movie_id = parse_imdb_id(tconst)
    if movie_id is None:
        raise ValueError(f"{tconst[:40]!r} is not an IMDb id; expected one such as tt0133093")
    return MovieFacts(
        movie_id=movie_id,
        title=None if is_nothing(title) else title,
        year=parse_year(year),
        genres=() if is_nothing(genres) else parse_genres(genres),
    )
