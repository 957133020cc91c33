"""Search and browse: pages that stay stable while the catalog changes."""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select

from embeddings.errors import InvalidRequestError
from indexer.catalog.movies import Movies
from indexer.catalog.records import SORTS, MoviePage
from indexer.models import GenreRow, MovieGenreRow, MovieRow
from indexer.titles import collection_key, is_movie_id, search_key, search_keys, split_article

MAX_LIMIT = 200
_LAST_LETTER = "\U0010ffff"  # sorts behind every other
_CLOSE = 200  # candidates that are compared letter by letter for a suggestion


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Args:
        q: Words that must stand in the title, in any case and without accents; or a movie id.
        genres: A movie must carry each (known, else predicted).
        year_min: Earliest year, inclusive.
        year_max: Latest year, inclusive.
        known: True for movies whose genres are known, False for those with only predicted ones.
        sort: One of ``SORTS``; None is relevance with ``q``, else ratings.
        limit: Movies per page, 1 to 200.
        cursor: ``next_cursor`` of the page before; None for the first.
    """

    q: str = ""
    genres: tuple[str, ...] = ()
    year_min: int | None = None
    year_max: int | None = None
    known: bool | None = None
    sort: str | None = None
    limit: int = 24
    cursor: str | None = None

    @property
    def order(self) -> str:
        return self.sort or ("relevance" if self.q.strip() else "ratings")


class SearchMovies(Movies):
    """Search and browse by title, genre and year."""

    def search_movies(self, search: Search) -> MoviePage:
        """One page of the movies that match, in a stable order.

        A page begins after the last movie of the page before, wherever that one stands by now, so
        movies that come or go meanwhile make no other movie show twice or be missed.

        Raises:
            InvalidRequestError: A limit, sort or cursor is not allowed; the cursor belongs to
                another search.
        """
        _check(search)
        matches = _conditions(search)
        keys, descending = _sort_keys(search)
        page = select(MovieRow.movie_id, *keys).where(*matches)
        if search.cursor:
            page = page.where(_after(keys, _read_cursor(search, len(keys)), descending))
        order = [key.desc() if descending else key.asc() for key in keys]
        with self.consistent_read(), self._reading() as connection:
            rows = connection.execute(page.order_by(*order).limit(search.limit + 1)).all()
            total = connection.scalar(select(func.count()).select_from(MovieRow).where(*matches)) or 0
            shown = rows[: search.limit]
            movies = self.find_movies([row[0] for row in shown])
        more = len(rows) > search.limit
        return MoviePage(
            movies=tuple(movies.values()),
            next_cursor=_write_cursor(search, list(shown[-1][1:])) if more else None,
            total=total,
        )

    def suggest_movies(self, text: str, limit: int = 3) -> list[str]:
        """Ids of movies whose title or id is close to ``text``, closest first; for "did you mean"."""
        body, _ = split_article(text)
        stem = (body.split() or [""])[0][:3]
        near_id = (
            and_(MovieRow.movie_id >= text[:-2], MovieRow.movie_id < text[:-2] + _LAST_LETTER)
            if is_movie_id(text) and len(text) > 4
            else literal(False)
        )
        with self._reading() as connection:
            rows = connection.execute(
                select(MovieRow.movie_id, MovieRow.search_title)
                .where(or_(near_id, MovieRow.search_title.startswith(stem) if stem else literal(False)))
                .order_by(MovieRow.n_ratings.desc(), MovieRow.movie_id)
                .limit(_CLOSE)
            ).all()

        def closeness(row: Any) -> float:
            return max(
                difflib.SequenceMatcher(None, text.casefold(), row.movie_id.casefold()).ratio(),
                difflib.SequenceMatcher(None, search_key(text), row.search_title).ratio(),
            )

        ranked = sorted(((closeness(row), row.movie_id) for row in rows), key=lambda one: (-one[0], one[1]))
        return [movie_id for score, movie_id in ranked[:limit] if score >= 0.6]

    def find_by_title(self, title: str, year: int | None = None) -> list[str]:
        """Ids of the movies with exactly this title, but for case, accents and a leading article."""
        query = select(MovieRow.movie_id).where(MovieRow.search_title.in_(search_keys(title)))
        if year is not None:
            query = query.where(MovieRow.year == year)
        with self._reading() as connection:
            return list(connection.scalars(query.order_by(MovieRow.n_ratings.desc(), MovieRow.movie_id)))

    def find_titles(self, beginning: str, limit: int = MAX_LIMIT) -> dict[str, str]:
        """Titles that begin so but for case, accents, punctuation and article, by movie id, from A to Z."""
        first, _ = split_article(beginning)
        if not first:
            return {}
        query = (
            select(MovieRow.movie_id, MovieRow.title)
            .where(MovieRow.search_title >= first, MovieRow.search_title < first + _LAST_LETTER)
            .order_by(MovieRow.search_title, MovieRow.movie_id)
            .limit(limit)
        )
        with self._reading() as connection:
            return {movie_id: title for movie_id, title in connection.execute(query)}

    def find_titles_with(self, words: str, limit: int = MAX_LIMIT) -> dict[str, str]:
        """Titles in which words stand in this order, as ``find_titles``; the most rated first.

        Every title is looked at: some 0.1 s for a million.
        """
        body, _ = split_article(words)
        if not body:
            return {}
        query = (
            select(MovieRow.movie_id, MovieRow.title)
            .where(MovieRow.search_title.contains(body, autoescape=True))
            .order_by(MovieRow.n_ratings.desc(), MovieRow.movie_id)
            .limit(limit)
        )
        with self._reading() as connection:
            return {movie_id: title for movie_id, title in connection.execute(query)}

    def find_by_collection(self, name: str, limit: int = MAX_LIMIT) -> list[str]:
        """Ids of the movies of a collection, the most rated first; see ``titles.collection_key``."""
        query = (
            select(MovieRow.movie_id)
            .where(MovieRow.search_collection == collection_key(name))
            .order_by(MovieRow.n_ratings.desc(), MovieRow.movie_id)
            .limit(limit)
        )
        with self._reading() as connection:
            return list(connection.scalars(query))


def _check(search: Search) -> None:
    if not 1 <= search.limit <= MAX_LIMIT:
        raise InvalidRequestError(f"limit is {search.limit}; expected 1 to {MAX_LIMIT}.", "limit")
    if search.order not in SORTS:
        raise InvalidRequestError(f"sort is {search.sort!r}; expected one of {', '.join(SORTS)}.", "sort")


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    conditions = [_carries(genre) for genre in search.genres]
    if search.year_min is not None:
        conditions.append(MovieRow.year >= _year(search.year_min))
    if search.year_max is not None:
        conditions.append(and_(MovieRow.year <= _year(search.year_max), MovieRow.year > 0))
    if search.known is not None:
        # A movie has rows of one kind only: known genres, else predicted ones.
        conditions.append(
            exists(
                select(MovieGenreRow.movie_id).where(
                    MovieGenreRow.movie_id == MovieRow.movie_id, MovieGenreRow.predicted != search.known
                )
            )
        )
    if search.q.strip():
        words = search_key(search.q).split()
        in_title = [MovieRow.search_title.contains(word) for word in words]
        by_id = MovieRow.movie_id == search.q.strip() if is_movie_id(search.q.strip()) else literal(False)
        # A query of nothing but punctuation has no words: it matches nothing rather than everything.
        conditions.append(or_(by_id, and_(*in_title)) if words else by_id)
    return conditions


def _year(year: int) -> int:
    return max(-(2**31), min(year, 2**31 - 1))


def _carries(genre: str) -> ColumnElement[bool]:
    named = select(GenreRow.genre_id).where(func.lower(GenreRow.name) == genre.lower())
    return exists(
        select(MovieGenreRow.movie_id).where(
            MovieGenreRow.movie_id == MovieRow.movie_id, MovieGenreRow.genre_id.in_(named)
        )
    )


def _sort_keys(search: Search) -> tuple[list[ColumnElement[Any]], bool]:
    movie_id: ColumnElement[Any] = MovieRow.movie_id.expression
    by_ratings: list[ColumnElement[Any]] = [MovieRow.n_ratings.expression, movie_id]
    if search.order == "ratings":
        return by_ratings, True
    if search.order == "title":
        return [MovieRow.search_title.expression, movie_id], False
    if search.order == "year":
        return [MovieRow.year.expression, movie_id], True
    if search.order == "oldest":
        return [case((MovieRow.year == 0, 9999), else_=MovieRow.year), movie_id], False
    body, _ = split_article(search.q)
    closeness = case(
        (MovieRow.movie_id == search.q.strip(), 4),
        (MovieRow.search_title.in_(search_keys(search.q)), 3),
        (MovieRow.search_title.startswith(body), 2),
        (MovieRow.search_title.contains(f" {body}"), 1),
        else_=0,
    )
    return [closeness, *by_ratings], True


def _after(keys: Sequence[ColumnElement[Any]], last: Sequence[Any], descending: bool) -> ColumnElement[bool]:
    """The rows behind ``last`` in the order of the keys, written out: databases differ on row values."""
    steps = []
    for i, (key, value) in enumerate(zip(keys, last, strict=True)):
        same = [one == at for one, at in zip(keys[:i], last[:i], strict=True)]
        steps.append(and_(*same, key < value if descending else key > value))
    return or_(*steps)


def _write_cursor(search: Search, last: list[Any]) -> str:
    text = json.dumps([_digest(search), *last], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(search: Search, n_keys: int) -> list[Any]:
    try:
        padded = (search.cursor or "").encode() + b"=="
        found = json.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidRequestError("The cursor is damaged; begin at the first page.", "cursor") from error
    if not isinstance(found, list) or len(found) != n_keys + 1 or found[0] != _digest(search):
        raise InvalidRequestError("The cursor belongs to another search; begin at the first page.", "cursor")
    last = found[1:]
    if not all(isinstance(one, (str, int)) for one in last) or not isinstance(last[-1], str):
        raise InvalidRequestError("The cursor is damaged; begin at the first page.", "cursor")
    return last


def _digest(search: Search) -> str:
    asked = {**asdict(search), "sort": search.order, "cursor": None, "limit": None}
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:8]
