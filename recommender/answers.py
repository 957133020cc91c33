"""From ranked candidates to answers: titles, calibrated scores, signals and reasons."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from embeddings.lettering import LetteringModel
from indexer.affinities import Affinities
from indexer.types import Movie, Rows
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
        affinities: Which movies people rate alike; None where nobody looked.
        lettering: Tells from the look whether a poster shows much lettering; None where nothing can.
    """

    def __init__(
        self,
        facts: CatalogFacts,
        pictures: PictureStore,
        state: State,
        reference: Reference,
        affinities: Affinities | None = None,
        lettering: LetteringModel | None = None,
    ) -> None:
        self._facts = facts
        self._pictures = pictures
        self._state = state
        self._reference = reference
        self._affinities = affinities
        self._lettering = lettering

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
        reasons = self._reasons(query, ranked, asked, movies)
        shares = percentiles.share_below(ranked.scores)
        shown = shown_cosines(query.like, ranked.rows, ranked.columns).astype(np.float64).round(4).tolist()
        scores, percents = shares.round(9).tolist(), (100 * shares).round(7).tolist()
        # A movie may be removed between the search and the look-up: it is gone, and not answered.
        return tuple(
            _neighbour(movies[movie_id], (scores[i], percents[i]), shown[i], reasons[i])
            for i, movie_id in enumerate(ranked.rows.movie_ids)
            if movie_id in movies
        )

    def _reasons(
        self, query: Query, ranked: Candidates, asked: Sequence[Asked], movies: dict[str, Movie]
    ) -> dict[int, tuple[Reason, ...]]:
        """Reasons by position; of several liked movies the one closest to a result speaks."""
        found: dict[int, tuple[Reason, ...]] = {}
        anchors = _closest_liked(query, ranked)
        columns = _columns_to(anchors, query, ranked)
        per_unit = np.asarray(query.weights.as_tuple()) / query.scale.spreads
        gains = ((columns - query.scale.means) * per_unit).tolist()
        shares = self._reference.signal_shares(columns).tolist()
        has_poster = ranked.rows.known[:, 0].tolist()
        lettered, asked_lettered = self._lettered(ranked.rows), self._lettered(query.like)
        for anchor in set(anchors):
            one = self._with_picture(asked[anchor], asked_lettered[anchor])
            mine = {
                movie_id: i
                for i, movie_id in enumerate(ranked.rows.movie_ids)
                if anchors[i] == anchor and movie_id in movies
            }
            co_liked = self._co_liked(one.movie, tuple(mine))
            alike = self._affinities.of(one.movie.movie_id) if self._affinities and one.movie else {}
            for movie_id, i in mine.items():
                movie, n = movies[movie_id], co_liked.get(movie_id, 0)
                picture, agreement = self._pictures.find(movie), alike.get(movie_id)
                answered = Answered(
                    movie, picture, shares[i], gains[i], n, has_poster[i], agreement, lettered[i]
                )
                reasons = reasons_for(one, answered)
                found[i] = of_several(reasons, one.movie) if len(asked) > 1 and one.movie else reasons
        return found

    def _with_picture(self, asked: Asked, lettered: bool) -> Asked:
        picture = asked.picture if asked.movie is None else self._pictures.find(asked.movie)
        return replace(asked, picture=picture, lettered=lettered)

    def _lettered(self, rows: Rows) -> list[bool]:
        """Whether the poster of each row shows much lettering, for certain."""
        if self._lettering is None:
            return [False] * len(rows)
        much: list[bool] = (self._lettering.shows_much(rows.visual) & rows.known[:, 0]).tolist()
        return much

    def _co_liked(self, movie: Movie | None, others: Sequence[str]) -> dict[str, int]:
        if movie is None or not movie.n_ratings or not others:
            return {}
        return self._facts.co_liked(self._state, movie.movie_id, others)


def asked_of(movie: Movie) -> Asked:
    """A movie as reasons see a query; its picture is looked at when it is needed."""
    return Asked(movie.genres or movie.chosen_genres, bool(movie.genres), movie)


def _columns_to(anchors: Sequence[int], query: Query, ranked: Candidates) -> NDArray[np.float32]:
    """Cosines of each candidate to its liked row, (n, 3)."""
    if len(query.like) == 1:
        return ranked.columns
    columns = np.empty_like(ranked.columns)
    for anchor in set(anchors):
        at = np.flatnonzero(np.array(anchors) == anchor)
        columns[at] = cosines(query.like.take(np.array([anchor])), ranked.rows.take(at))
    return columns


def _closest_liked(query: Query, ranked: Candidates) -> list[int]:
    """Which liked row each candidate is closest to, n of them."""
    n_like = len(query.like)
    if n_like == 1 or not len(ranked):
        return [0] * len(ranked)
    scores = np.stack(
        [
            blend(cosines(query.like.take(np.array([i])), ranked.rows), query.weights, query.scale)
            for i in range(n_like)
        ]
    )
    closest: list[int] = np.nan_to_num(scores, nan=-np.inf).argmax(axis=0).tolist()
    return closest


def _neighbour(
    movie: Movie, ranked_by: tuple[float, float], cosines: list[float], reasons: tuple[Reason, ...]
) -> Neighbour:
    score, percentile = ranked_by
    return Neighbour(
        movie_id=movie.movie_id,
        title=movie.title,
        year=movie.year,
        genres=movie.genres or movie.chosen_genres,
        score=score,
        percentile=percentile,
        # NaN is the one number that is not equal to itself.
        signals={SIGNALS[i]: c if c == c else None for i, c in enumerate(cosines)},
        reasons=reasons,
        poster_url=_poster_url(movie.movie_id) if movie.poster else None,
    )


@functools.lru_cache(maxsize=20_000)
def _poster_url(movie_id: str) -> str:
    return f"/posters/{quote(movie_id)}"
