"""Writing movies: facts by source, what follows from them, and the stamps of what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replace_fields

from sqlalchemy import Connection, delete, select

from embeddings.errors import InvalidRequestError
from indexer.catalog import bulk, genres, resolve
from indexer.catalog.base import Transaction, now
from indexer.catalog.ratings import count_ratings
from indexer.catalog.records import Counts, MovieFacts
from indexer.catalog.resolve import Speaker
from indexer.models import ExternalIdRow, MovieFactRow, MovieRow, RemovalRow
from indexer.titles import MAX_COLLECTION, YEARS, clean_text, collection_key, is_movie_id, search_key

MAX_TITLE = 500
_FACTS = {"movie_id": "text", "source": "text", "title": "text", "year": "int", "genres": "text"}
_MOVIES = {"movie_id": "text", "title": "text", "search_title": "text", "year": "int"}
_FACTS |= {"collection": "text"}
_MOVIES |= {"collection": "text", "search_collection": "text"}


def checked(record: MovieFacts) -> MovieFacts:
    """The record with its text cleaned and cut to what fits.

    Raises:
        InvalidRequestError: Its id or year is not one.
    """
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
    collection = clean_text(record.collection or "")[:MAX_COLLECTION].rstrip() or None
    return replace_fields(record, title=title, genres=names, collection=collection)


def upsert(transaction: Transaction, merged: dict[str, MovieFacts], speaker: Speaker) -> Counts:
    """Write what is new in one record per movie; counts movies of the catalog."""
    connection = transaction.connection
    ids = [
        (source, external_id, movie_id)
        for movie_id, facts in merged.items()
        for source, external_id in facts.external_ids.items()
    ]
    save_external_ids(connection, ids)
    movie_ids = list(merged)
    with bulk.among(connection, MovieRow.movie_id, movie_ids) as chosen:
        present = set(connection.scalars(select(MovieRow.movie_id).where(chosen)))
    plan = resolve.plan_upsert(merged, _stored_facts(connection, movie_ids), present, speaker)
    if plan.movies:
        _save_movies(transaction, plan)
    if plan.facts:
        with bulk.staged(connection, "new_facts", _FACTS, plan.facts) as stage:
            bulk.upsert_from(connection, MovieFactRow, select(stage))
    if plan.genres:
        genres.replace_known(connection, plan.genres)
    return plan.counts


def _save_movies(transaction: Transaction, plan: resolve.Upsert) -> None:
    connection = transaction.connection
    rows = [
        (movie_id, title, search_key(title), year or 0, name, collection_key(name) if name else None)
        for movie_id, title, year, name in plan.movies
    ]
    with bulk.staged(connection, "new_movies", _MOVIES, rows) as stage:
        ids = select(stage.c.movie_id)
        bulk.upsert_from(
            connection,
            MovieRow,
            select(stage),
            {"n_ratings": 0, "added_at": now(), "revision": transaction.revision()},
            keep=("n_ratings", "added_at"),
        )
        connection.execute(delete(RemovalRow).where(RemovalRow.movie_id.in_(ids)))
        if plan.counts.added:
            count_ratings(connection, stage)


def _stored_facts(connection: Connection, movie_ids: list[str]) -> dict[str, resolve.BySource]:
    stored: dict[str, resolve.BySource] = {}
    with bulk.among(connection, MovieFactRow.movie_id, movie_ids) as chosen:
        rows = connection.execute(
            select(
                MovieFactRow.movie_id,
                MovieFactRow.source,
                MovieFactRow.title,
                MovieFactRow.year,
                MovieFactRow.genres,
                MovieFactRow.collection,
            ).where(chosen)
        )
        for movie_id, source, title, year, names, collection in rows:
            stored.setdefault(movie_id, {})[source] = resolve.Said(title, year, names, collection)
    return stored


def save_external_ids(connection: Connection, ids: Sequence[tuple[str, str, str]]) -> None:
    """Record (source, external id, movie id); a later movie takes the id over."""
    if not ids:
        return
    distinct = {(source, external_id): movie_id for source, external_id, movie_id in ids}
    rows = [(source, external_id, movie_id) for (source, external_id), movie_id in distinct.items()]
    columns = {"source": "text", "external_id": "text", "movie_id": "text"}
    with bulk.staged(connection, "new_ids", columns, rows) as stage:
        bulk.upsert_from(connection, ExternalIdRow, select(stage))
