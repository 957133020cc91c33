"""From ranked candidates to answers: titles, calibrated scores, signals and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from indexer.types import Movie
from recommender.blend import blend, cosines, shown_cosines
from recommender.cache import State
from recommender.facts import CatalogFacts
from recommender.percentiles import Percentiles
from recommender.picture_store import PictureStore
from recommender.reasons import Answered, Asked, of_several, reasons_for
from recommender.reference import Reference
from recommender.search import Candidates, Query
from recommender.types import SIGNALS, Neighbour, Reason


class AnswerMaker:
    """Looks up what people want to read about each result.

    Args:
        facts: Titles, genres, posters and who liked what.
        pictures: What posters show.
        state: State of the catalog that they are read under.
        reference: Random pairs of the view that answered.
    """

    def __init__(
        self, facts: CatalogFacts, pictures: PictureStore, state: State, reference: Reference
    ) -> None:
        self._facts = facts
        self._pictures = pictures
        self._state = state
        self._reference = reference

    def answer(
        self, query: Query, ranked: Candidates, asked: Sequence[Asked], percentiles: Percentiles
    ) -> tuple[Neighbour, ...]:
        """One answer per candidate, in their order.

        Args:
            query: What was searched for; ``asked`` describes its liked rows, in their order.
            ranked: What was found.
            asked: Liked movies or the picture, as reasons see them.
            percentiles: From blended score to share of random pairs.
        """
        movies = self._facts.movies(self._state, ranked.rows.movie_ids)
        anchors = _closest_liked(query, ranked)
        reasons = self._reasons(query, ranked, asked, anchors, movies)
        shares = percentiles.share_below(ranked.scores).tolist()
        shown = shown_cosines(query.like, ranked.rows)
        # A movie may be removed between the search and the look-up: it is gone, and not answered.
        return tuple(
            _neighbour(movies[movie_id], shares[i], shown[i], reasons[i])
            for i, movie_id in enumerate(ranked.rows.movie_ids)
            if movie_id in movies
        )

    def _reasons(
        self,
        query: Query,
        ranked: Candidates,
        asked: Sequence[Asked],
        anchors: NDArray[np.int64],
        movies: dict[str, Movie],
    ) -> dict[int, tuple[Reason, ...]]:
        found: dict[int, tuple[Reason, ...]] = {}
        for anchor in np.unique(anchors).tolist():
            mine = [
                i for i in np.flatnonzero(anchors == anchor).tolist() if ranked.rows.movie_ids[i] in movies
            ]
            theirs = [ranked.rows.movie_ids[i] for i in mine]
            columns = _columns_to(anchor, query, ranked, mine)
            shares = self._reference.signal_shares(columns)
            gains = (columns - query.scale.means) * np.asarray(query.weights.as_tuple()) / query.scale.spreads
            one = self._with_picture(asked[anchor])
            co_liked = self._co_liked(one.movie, theirs)
            for row, i in enumerate(mine):
                movie = movies[theirs[row]]
                answered = Answered(
                    movie,
                    self._pictures.find(movie),
                    shares[row],
                    gains[row],
                    co_liked.get(movie.movie_id, 0),
                    bool(ranked.rows.known[i, 0]),
                )
                reasons = reasons_for(one, answered)
                found[i] = of_several(reasons, one.movie) if len(asked) > 1 and one.movie else reasons
        return found

    def _with_picture(self, asked: Asked) -> Asked:
        return asked if asked.movie is None else replace(asked, picture=self._pictures.find(asked.movie))

    def _co_liked(self, movie: Movie | None, others: Sequence[str]) -> dict[str, int]:
        if movie is None or not movie.n_ratings or not others:
            return {}
        return self._facts.co_liked(self._state, movie.movie_id, others)


def asked_of(movie: Movie) -> Asked:
    """A movie as reasons see a query; its picture is looked at when it is needed."""
    return Asked(movie.genres or movie.chosen_genres, bool(movie.genres), movie)


def _columns_to(
    anchor: int, query: Query, ranked: Candidates, positions: Sequence[int]
) -> NDArray[np.float32]:
    """Cosines of some candidates to one liked row, (n, 3)."""
    at = np.array(positions, dtype=np.int64)
    if len(query.like) == 1:
        return ranked.columns[at]
    return cosines(query.like.take(np.array([anchor])), ranked.rows.take(at))


def _closest_liked(query: Query, ranked: Candidates) -> NDArray[np.int64]:
    """Which liked row each candidate is closest to, (n,)."""
    n_like = len(query.like)
    if n_like == 1 or not len(ranked):
        return np.zeros(len(ranked), dtype=np.int64)
    scores = np.stack(
        [
            blend(cosines(query.like.take(np.array([i])), ranked.rows), query.weights, query.scale)
            for i in range(n_like)
        ]
    )
    return np.asarray(np.nan_to_num(scores, nan=-np.inf).argmax(axis=0))


def _neighbour(
    movie: Movie, share: float, columns: NDArray[np.float32], reasons: tuple[Reason, ...]
) -> Neighbour:
    cosine_of = zip(SIGNALS, columns.tolist(), strict=True)
    return Neighbour(
        movie_id=movie.movie_id,
        title=movie.title,
        year=movie.year,
        genres=movie.genres or movie.chosen_genres,
        score=round(share, 6),
        percentile=round(100 * share, 4),
        signals={signal: None if np.isnan(value) else round(value, 4) for signal, value in cosine_of},
        reasons=reasons,
        poster_url=f"/posters/{quote(movie.movie_id)}" if movie.poster else None,
    )
