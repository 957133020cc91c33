"""Ratings: many at once in, whole arrays out, and how many people liked two movies both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, FromClause, and_, exists, func, select, update
from sqlalchemy.orm import aliased

from embeddings.errors import InvalidRequestError
from indexer.catalog import bulk
from indexer.catalog.base import CatalogBase, read_meta, write_meta
from indexer.catalog.records import Counts
from indexer.models import MovieRow, RatingRow
from indexer.types import Ratings

LIKED = 4.0
"""A rating from here on says that the person liked the movie."""
_CHUNK = 1_000_000  # ratings per transaction: counting them by movie costs the same for few and for many
_REVISION = "ratings_revision"
_Row = tuple[str, str, float, int]
_COLUMNS = {"user_id": "text", "movie_id": "text", "value": "real", "rated_at": "int"}


class RatingsTable(CatalogBase):
    """Who rated what, of movies in the catalog and of those that are still to come."""

    def add_ratings(self, ratings: Ratings) -> Counts:
        """Record ratings; of several by one person for one movie the newest stands.

        Raises:
            InvalidRequestError: A value is not between 0.5 and 5.
        """
        values = ratings.values
        wrong = ~((values >= 0.5) & (values <= 5.0))  # true for NaN, too
        if wrong.any():
            raise InvalidRequestError(
                f"A rating of {values[wrong][0]} was given; expected 0.5 to 5.", "value"
            )
        counts = Counts()
        for chunk in _chunks(ratings):
            with self.transaction() as transaction:
                new = _add(transaction.connection, chunk)
                if new.changed:
                    # Pages that show how often a movie was rated are out of date.
                    write_meta(transaction.connection, _REVISION, str(transaction.revision()))
            counts += new
        return counts

    def ratings(self, only_in_catalog: bool = False) -> Ratings:
        """Every rating, by user and movie."""
        query = select(RatingRow.user_id, RatingRow.movie_id, RatingRow.value, RatingRow.rated_at)
        if only_in_catalog:
            query = query.where(RatingRow.movie_id.in_(select(MovieRow.movie_id)))
        query = query.order_by(RatingRow.user_id, RatingRow.movie_id)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
        return Ratings(
            user_ids=np.array(columns[0], dtype=object),
            movie_ids=np.array(columns[1], dtype=object),
            values=np.array(columns[2], dtype=np.float32),
            rated_at=np.array(columns[3], dtype=np.int64),
        )

    def n_ratings(self) -> int:
        """How many ratings the catalog holds."""
        with self._reading() as connection:
            return connection.scalar(select(func.count()).select_from(RatingRow)) or 0

    def ratings_revision(self) -> int:
        """Revision of the last change of a rating; 0 before the first."""
        with self._reading() as connection:
            return int(read_meta(connection, _REVISION) or 0)

    def likers(self, movie_ids: Sequence[str]) -> dict[str, list[str]]:
        """People who liked each of the movies (a rating of 4 or more), in no order."""
        found: dict[str, list[str]] = {movie_id: [] for movie_id in movie_ids}
        key = RatingRow.movie_id
        with self._reading() as connection, bulk.among(connection, key, movie_ids) as chosen:
            rows = connection.execute(select(key, RatingRow.user_id).where(chosen, RatingRow.value >= LIKED))
            for movie_id, user_id in rows:
                found[movie_id].append(user_id)
        return found

    def co_liked(self, movie_id: str, others: Sequence[str]) -> dict[str, int]:
        """How many people liked ``movie_id`` and each of the others (a rating of 4 or more)."""
        one, other = aliased(RatingRow), aliased(RatingRow)
        with self._reading() as connection, bulk.among(connection, other.movie_id, others) as chosen:
            rows = connection.execute(
                select(other.movie_id, func.count())
                .select_from(one)
                .join(other, and_(other.user_id == one.user_id, chosen))
                .where(one.movie_id == movie_id, one.value >= LIKED, other.value >= LIKED)
                .group_by(other.movie_id)
            )
            found = {other_id: n for other_id, n in rows}
        return {other_id: found.get(other_id, 0) for other_id in others}


@dataclass(frozen=True)
class _Chunk:
    """Ratings in the order of their primary key, each pair of person and movie once.

    Args:
        user_ids: The people, sorted; a rating names one by number.
        movie_ids: The movies, likewise.
        users: int64, (n,), numbers of people.
        movies: int64, (n,), numbers of movies.
        values: float32, (n,).
        rated_at: int64, (n,).
    """

    user_ids: NDArray[np.object_]
    movie_ids: NDArray[np.object_]
    users: NDArray[np.int64]
    movies: NDArray[np.int64]
    values: NDArray[np.float32]
    rated_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    def rows(self, chosen: NDArray[np.bool_]) -> list[_Row]:
        """The chosen ratings as the database takes them."""
        users, movies = self.user_ids[self.users[chosen]], self.movie_ids[self.movies[chosen]]
        numbers = self.values[chosen].tolist(), self.rated_at[chosen].tolist()
        return list(zip(users.tolist(), movies.tolist(), *numbers, strict=True))

    def n_by_movie(self, chosen: NDArray[np.bool_]) -> Counter[str]:
        """How many of the chosen ratings each movie has."""
        n = np.bincount(self.movies[chosen], minlength=len(self.movie_ids))
        rated = np.flatnonzero(n)
        return Counter(dict(zip(self.movie_ids[rated].tolist(), n[rated].tolist(), strict=True)))


def _chunks(ratings: Ratings) -> Iterator[_Chunk]:
    # A server that takes no ratings starts half a second sooner without it.
    import pandas as pd

    users, user_ids = pd.factorize(ratings.user_ids, sort=True)
    movies, movie_ids = pd.factorize(ratings.movie_ids, sort=True)
    # Oldest first, so that the newest of several by one person for one movie is what remains.
    order = np.argsort(ratings.rated_at, kind="stable")
    for start in range(0, len(order), _CHUNK):
        part = order[start : start + _CHUNK]
        # In the order of the primary key: a database appends far quicker than it fits in.
        part = part[np.lexsort((movies[part], users[part]))]
        again = (np.diff(users[part]) == 0) & (np.diff(movies[part]) == 0)
        part = part[np.append(~again, True)]
        columns = users[part], movies[part], ratings.values[part], ratings.rated_at[part]
        yield _Chunk(np.asarray(user_ids), np.asarray(movie_ids), *columns)


def _add(connection: Connection, chunk: _Chunk) -> Counts:
    known = _known_people(connection, chunk)
    bulk.append(connection, RatingRow, _COLUMNS, chunk.rows(~known))
    counts, more = Counts(added=int(np.count_nonzero(~known))), chunk.n_by_movie(~known)
    if known.any():
        counts += _merge(connection, chunk.rows(known), more)
    with bulk.staged(connection, "rated_more", {"movie_id": "text", "n": "int"}, list(more.items())) as stage:
        connection.execute(
            update(MovieRow)
            .where(MovieRow.movie_id == stage.c.movie_id)
            .values(n_ratings=MovieRow.n_ratings + stage.c.n)
        )
    return counts


def _known_people(connection: Connection, chunk: _Chunk) -> NDArray[np.bool_]:
    """Which ratings are by people who have rated before."""
    people = [(one,) for one in chunk.user_ids[np.unique(chunk.users)].tolist()]
    with bulk.staged(connection, "raters", {"user_id": "text"}, people) as stage:
        has_rated = exists().where(RatingRow.user_id == stage.c.user_id)
        known = set(connection.scalars(select(stage.c.user_id).where(has_rated)))
    return np.array([one in known for one in chunk.user_ids.tolist()], dtype=np.bool_)[chunk.users]


def _merge(connection: Connection, rows: list[_Row], more: Counter[str]) -> Counts:
    """Record ratings by people who have rated before; adds to ``more`` what is new, by movie."""
    with bulk.staged(connection, "new_ratings", _COLUMNS, rows, indexed=False) as stage:
        same_key = and_(RatingRow.user_id == stage.c.user_id, RatingRow.movie_id == stage.c.movie_id)
        is_known = exists().where(same_key)
        unknown = select(stage.c.movie_id, func.count()).where(~is_known).group_by(stage.c.movie_id)
        new = {movie_id: n for movie_id, n in connection.execute(unknown)}
        n_added = sum(new.values())
        newer = is_known.where(RatingRow.rated_at > stage.c.rated_at)
        wanted = select(stage) if n_added == len(rows) else select(stage).where(~newer)
        n_written = bulk.upsert_from(connection, RatingRow, wanted)
    more.update(new)
    return Counts(n_added, n_written - n_added, len(rows) - n_written)


def count_ratings(connection: Connection, movies: FromClause) -> None:
    """Count the ratings of movies that have just come, ``movies.movie_id``."""
    counted = (
        select(RatingRow.movie_id, func.count().label("n"))
        .where(RatingRow.movie_id.in_(select(movies.c.movie_id).distinct()))
        .group_by(RatingRow.movie_id)
        .subquery()
    )
    connection.execute(
        update(MovieRow)
        .where(MovieRow.movie_id == counted.c.movie_id, MovieRow.n_ratings != counted.c.n)
        .values(n_ratings=counted.c.n)
    )
