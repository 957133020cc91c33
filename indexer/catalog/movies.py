"""Movies: read whole, written by what each kind of source says of them, taken out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace as replace_fields
from itertools import islice

from sqlalchemy import ColumnElement, Connection, delete, func, select

from embeddings.errors import InvalidRequestError, NotFoundError
from indexer.catalog import bulk, genres, resolve
from indexer.catalog.base import CatalogBase, Transaction, now
from indexer.catalog.ratings import count_ratings
from indexer.catalog.records import Counts, MovieFacts
from indexer.models import (
    ExternalIdRow,
    MovieFactRow,
    MovieRow,
    PosterRow,
    RemovalRow,
)
from indexer.titles import YEARS, clean_text, is_movie_id, search_key
from indexer.types import Movie

_CHUNK = 20_000  # movies per transaction: others wait at most this long for their turn
MAX_TITLE = 500
_FACTS = {"movie_id": "text", "source": "text", "title": "text", "year": "int", "genres": "text"}
_MOVIES = {"movie_id": "text", "title": "text", "search_title": "text", "year": "int"}


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
            )
            for row in rows
        }

    def find_by_external_id(self, source: str, external_id: str) -> str | None:
        """The movie that ``imdb``, ``tmdb`` or ``movielens`` calls so; None where no movie has that id."""
        with self._reading() as connection:
            return connection.scalar(
                select(MovieRow.movie_id)
                .join(ExternalIdRow, ExternalIdRow.movie_id == MovieRow.movie_id)
                .where(ExternalIdRow.source == source, ExternalIdRow.external_id == external_id)
            )

    def movies_of(self, source: str) -> dict[str, str]:
        """Every external id of one source, mapped to its movie id, in the catalog or not."""
        with self._reading() as connection:
            rows = connection.execute(
                select(ExternalIdRow.external_id, ExternalIdRow.movie_id).where(
                    ExternalIdRow.source == source
                )
            )
            return {external_id: movie_id for external_id, movie_id in rows}

    def external_ids(self, source: str, movie_ids: Sequence[str]) -> dict[str, str]:
        """What one source calls some movies; those it has no id for are left out."""
        with (
            self._reading() as connection,
            bulk.among(connection, ExternalIdRow.movie_id, movie_ids) as chosen,
        ):
            rows = connection.execute(
                select(ExternalIdRow.movie_id, func.min(ExternalIdRow.external_id))
                .where(ExternalIdRow.source == source, chosen)
                .group_by(ExternalIdRow.movie_id)
            )
            return {movie_id: external_id for movie_id, external_id in rows}

    def upsert_movies(self, facts: Iterable[MovieFacts], source: str, replace: bool = False) -> Counts:
        """Record what a source says of movies; movies that are new are added.

        Sources are kept apart and ranked (``SOURCES``), so imports give the same catalog in any
        order. Movies about which nothing new is said take no revision.

        Args:
            facts: One or more records per movie; a later record of a movie completes the earlier.
            source: Kind of the source.
            replace: What a record leaves out is forgotten, rather than kept, of this source.

        Raises:
            InvalidRequestError: A movie id or year is not one.
        """
        counts, stream = Counts(), iter(facts)
        while chunk := list(islice(stream, _CHUNK)):
            merged = resolve.merge_records(_checked(record) for record in chunk)
            with self.transaction() as transaction:
                counts += _upsert(transaction, merged, source, replace)
        return counts

    def remove_movies(self, movie_ids: Sequence[str]) -> tuple[str, ...]:
        """Take movies out; their ratings stay, for when they come back.

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
                bulk.upsert_from(connection, RemovalRow, stage, ["movie_id"])
                connection.execute(delete(MovieRow).where(MovieRow.movie_id.in_(ids)))
        return tuple(found)


def _checked(record: MovieFacts) -> MovieFacts:
    if not is_movie_id(record.movie_id):
        raise InvalidRequestError(
            f"{record.movie_id!r} cannot be a movie id; use letters, digits and . : ~ -", "movie_id"
        )
    if record.year is not None and record.year not in YEARS:
        raise InvalidRequestError(
            f"{record.movie_id} has year {record.year}; expected {YEARS[0]} to {YEARS[-1]}.", "year"
        )
    title = clean_text(record.title or "")[:MAX_TITLE] or None
    names = tuple(name for name in (clean_text(one.replace("|", " "))[:64] for one in record.genres) if name)
    return replace_fields(record, title=title, genres=names)


def _upsert(transaction: Transaction, merged: dict[str, MovieFacts], source: str, replace: bool) -> Counts:
    connection = transaction.connection
    ids = [
        (source, external_id, movie_id)
        for movie_id, facts in merged.items()
        for source, external_id in facts.external_ids.items()
    ]
    save_external_ids(connection, ids)
    stored = _stored_facts(connection, list(merged))
    plan = resolve.plan_upsert(merged, stored, source, replace)
    if plan.movies:
        _save_movies(transaction, plan)
    if plan.facts:
        with bulk.staged(connection, "new_facts", _FACTS, plan.facts) as stage:
            bulk.upsert_from(connection, MovieFactRow, stage, ["movie_id", "source"])
    if plan.genres:
        genres.replace_known(connection, plan.genres)
    return plan.counts


def _save_movies(transaction: Transaction, plan: resolve.Upsert) -> None:
    connection = transaction.connection
    rows = [(movie_id, title, search_key(title), year or 0) for movie_id, title, year in plan.movies]
    with bulk.staged(connection, "new_movies", _MOVIES, rows) as stage:
        ids = select(stage.c.movie_id)
        bulk.upsert_from(
            connection,
            MovieRow,
            stage,
            ["movie_id"],
            {"n_ratings": 0, "added_at": now(), "revision": transaction.revision()},
            keep=("n_ratings", "added_at"),
        )
        connection.execute(delete(RemovalRow).where(RemovalRow.movie_id.in_(ids)))
        if plan.counts.added:
            count_ratings(connection, stage)


def _stored_facts(connection: Connection, movie_ids: list[str]) -> dict[str, resolve.BySource]:
    stored: dict[str, resolve.BySource] = {}
    with bulk.among(connection, MovieRow.movie_id, movie_ids) as chosen:
        for movie_id in connection.scalars(select(MovieRow.movie_id).where(chosen)):
            stored[movie_id] = {}
    with bulk.among(connection, MovieFactRow.movie_id, movie_ids) as chosen:
        rows = connection.execute(
            select(
                MovieFactRow.movie_id,
                MovieFactRow.source,
                MovieFactRow.title,
                MovieFactRow.year,
                MovieFactRow.genres,
            ).where(chosen)
        )
        for movie_id, source, title, year, names in rows:
            stored[movie_id][source] = resolve.Said(title, year, names)
    return stored


def save_external_ids(connection: Connection, ids: Sequence[tuple[str, str, str]]) -> None:
    """Record (source, external id, movie id); a later movie takes the id over."""
    if not ids:
        return
    distinct = {(source, external_id): movie_id for source, external_id, movie_id in ids}
    rows = [(source, external_id, movie_id) for (source, external_id), movie_id in distinct.items()]
    columns = {"source": "text", "external_id": "text", "movie_id": "text"}
    with bulk.staged(connection, "new_ids", columns, rows) as stage:
        bulk.upsert_from(connection, ExternalIdRow, stage, ["source", "external_id"])
