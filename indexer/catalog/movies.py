"""Movies: read whole, written by what each kind of source says of them, taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import ColumnElement, Connection, delete, func, select

from embeddings.errors import NotFoundError
from indexer.catalog import bulk, genres, movie_writes, resolve
from indexer.catalog.base import CatalogBase
from indexer.catalog.records import COMPLETING, Counts, MovieFacts
from indexer.catalog.resolve import Speaker
from indexer.models import (
    ExternalIdRow,
    MovieFactRow,
    MovieRow,
    PosterRow,
    RemovalRow,
)
from indexer.titles import is_movie_id
from indexer.types import Movie

_CHUNK = 20_000  # movies per transaction: others wait at most this long for their turn
_IMDB_ID = re.compile(r"tt\d{7,10}")


class Movies(CatalogBase):
    """Movies by id, and what is known of them."""

    def n_movies(self) -> int:
        """How many movies the catalog has."""
        with self._reading() as connection:
            return connection.scalar(select(func.count()).select_from(MovieRow)) or 0

    def get_movie(self, movie_id: str) -> Movie:
        """One movie.

        Raises:
            NotFoundError: The catalog does not have it.
        """
        found = self.find_movies([movie_id]).get(movie_id)
        if found is None:
            raise NotFoundError(f"There is no movie {movie_id!r} in the catalog.")
        return found

    def find_movies(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        """Those of the movies that the catalog has, by id, in the order asked."""
        wanted = list(dict.fromkeys(one for one in movie_ids if is_movie_id(one)))
        with self._reading() as connection, bulk.among(connection, MovieRow.movie_id, wanted) as chosen:
            found = self._read_movies(connection, chosen)
        return {movie_id: found[movie_id] for movie_id in wanted if movie_id in found}

    def _read_movies(self, connection: Connection, chosen: ColumnElement[bool]) -> dict[str, Movie]:
        ids = select(MovieRow.movie_id).where(chosen)
        known = genres.known_of(connection, ids)
        predicted = genres.predicted_of(connection, ids)
        rows = connection.execute(
            select(
                MovieRow.movie_id,
                MovieRow.title,
                MovieRow.year,
                MovieRow.n_ratings,
                MovieRow.revision,
                MovieRow.collection,
                PosterRow.path,
                PosterRow.sha256,
                PosterRow.artwork_group,
            )
            .outerjoin(PosterRow, PosterRow.movie_id == MovieRow.movie_id)
            .where(chosen)
        )
        return {
            row.movie_id: Movie(
                movie_id=row.movie_id,
                title=row.title,
                year=row.year or None,
                genres=tuple(sorted(known.get(row.movie_id, ()))),
                predicted_genres=predicted[row.movie_id].probs if row.movie_id in predicted else {},
                chosen_genres=predicted[row.movie_id].chosen if row.movie_id in predicted else (),
                n_ratings=row.n_ratings,
                poster=str(self.home / row.path) if row.path else None,
                poster_hash=row.sha256,
                artwork_group=row.artwork_group,
                revision=row.revision,
                collection=row.collection,
            )
            for row in rows
        }

    def known_ids(self, movie_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the catalog has."""
        with self._reading() as connection, bulk.among(connection, MovieRow.movie_id, movie_ids) as chosen:
            return set(connection.scalars(select(MovieRow.movie_id).where(chosen)))

    def find_by_external_id(self, source: str, external_id: str) -> str | None:
        """The movie that ``imdb``, ``tmdb`` or ``movielens`` calls so; None where no movie has that id."""
        query = (
            select(MovieRow.movie_id)
            .join(ExternalIdRow, ExternalIdRow.movie_id == MovieRow.movie_id)
            .where(ExternalIdRow.source == source, ExternalIdRow.external_id == external_id)
        )
        with self._reading() as connection:
            found = connection.scalar(query)
        if found is None and source == "imdb" and external_id in self.known_ids([external_id]):
            return external_id  # most movies are called by their IMDb id here
        return found

    def external_ids(self, source: str, movie_ids: Sequence[str]) -> dict[str, str]:
        """What ``imdb``, ``tmdb`` or ``movielens`` calls those of the movies that it has, by movie id."""
        key = ExternalIdRow.movie_id
        with self._reading() as connection, bulk.among(connection, key, movie_ids) as chosen:
            rows = connection.execute(
                select(key, ExternalIdRow.external_id)
                .where(chosen, ExternalIdRow.source == source)
                .order_by(ExternalIdRow.external_id.desc())
            )
            found = {movie_id: external_id for movie_id, external_id in rows}
        if source == "imdb":
            found = {one: one for one in movie_ids if _IMDB_ID.fullmatch(one)} | found
        return found

    def add_external_ids(self, ids: Sequence[tuple[str, str, str]]) -> None:
        """Record (source, external id, movie id), of movies in the catalog or still to come."""
        with self.transaction() as transaction:
            movie_writes.save_external_ids(transaction.connection, ids)

    def upsert_movies(
        self, facts: Iterable[MovieFacts], source: str, replace: bool = False, add: bool | None = None
    ) -> Counts:
        """Record what a source says of movies.

        Sources are kept apart and ranked (``SOURCES``), so imports give the same catalog in any
        order. Movies about which nothing new is said take no revision.

        Args:
            facts: One or more records per movie; a later record of a movie completes the earlier.
            source: Kind of the source.
            replace: What a record leaves out is forgotten, rather than kept, of this source.
            add: Whether movies that are new are added, or what is said of them waits until another
                source adds them; None adds, except from the sources that are about every film there
                is (``COMPLETING``).

        Returns:
            How many movies of the catalog are new, changed, unchanged; those that wait are not counted.

        Raises:
            InvalidRequestError: A movie id or year is not one.
        """
        adds = source not in COMPLETING if add is None else add
        speaker, counts, stream = Speaker(source, replace, adds), Counts(), iter(facts)
        while chunk := list(islice(stream, _CHUNK)):
            merged = resolve.merge_records(movie_writes.checked(record) for record in chunk)
            with self.transaction() as transaction:
                counts += movie_writes.upsert(transaction, merged, speaker)
        return counts

    def remove_movies(self, movie_ids: Sequence[str]) -> tuple[str, ...]:
        """Take movies out; their ratings wait for them, as those of movies still to come.

        Returns:
            Those that were in the catalog, sorted.
        """
        wanted = [one for one in dict.fromkeys(movie_ids) if is_movie_id(one)]
        with self.transaction() as transaction:
            connection = transaction.connection
            with bulk.among(connection, MovieRow.movie_id, wanted) as chosen:
                found = sorted(connection.scalars(select(MovieRow.movie_id).where(chosen)))
            if not found:
                return ()
            gone = [(movie_id, transaction.revision()) for movie_id in found]
            with bulk.staged(connection, "gone", {"movie_id": "text", "revision": "int"}, gone) as stage:
                ids = select(stage.c.movie_id)
                bulk.upsert_from(connection, RemovalRow, select(stage))
                connection.execute(delete(MovieRow).where(MovieRow.movie_id.in_(ids)))
                own = MovieFactRow.source.not_in(COMPLETING)
                connection.execute(delete(MovieFactRow).where(MovieFactRow.movie_id.in_(ids), own))
        return tuple(found)
