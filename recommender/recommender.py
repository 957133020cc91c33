"""The facade: more like these, more like this picture, and for a person."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embeddings.encoded import EncodedPosters, Poster
from embeddings.errors import PosterError, SnapshotError
from indexer.catalog import Catalog, open_catalog
from indexer.reader import IndexReader, IndexView
from indexer.settings import Settings
from indexer.snapshots import open_store
from indexer.taste_map import predict_taste, unit_rows
from indexer.types import Movie, PosterEncoder, Rows, SnapshotManifest
from recommender.answers import AnswerMaker, asked_of
from recommender.blend import UNLIKE_SHARE, known_signals, weights_in_force
from recommender.cache import State, StateCache
from recommender.defaults import default_weights, knowledge_of
from recommender.facts import CatalogFacts
from recommender.percentiles import SetShape
from recommender.person import DISLIKE_SHARE, split_ratings
from recommender.picture_store import PICTURES_NAME, PictureStore
from recommender.pictures import describe_picture
from recommender.ranking import Shelf, rank
from recommender.reasons import Asked
from recommender.reference import References
from recommender.requests import check_request
from recommender.search import Query, allowed_rows
from recommender.series import find_series
from recommender.types import Prediction, RatedMovie, SimilarMovies, SimilarRequest

_PICTURE_ID = "poster"
_KEPT_ANSWERS = 256
"""Some 25 KB each; the web door keeps what it sent by itself, and smaller."""


class Recommender:
    """Answers from one catalog and its index; threads may share it.

    Args:
        catalog: Movies, and who liked what.
        reader: The index as it is now.
        load_encoder: Called once, when the first poster must be encoded.
        pictures: What posters show; None measures each when it is first asked about.
    """

    def __init__(
        self,
        catalog: Catalog,
        reader: IndexReader,
        load_encoder: Callable[[], PosterEncoder],
        pictures: PictureStore | None = None,
    ) -> None:
        self.catalog = catalog
        self.reader = reader
        self.encode_watchers: list[Callable[[float], object]] = []
        """Each is told the seconds that a poster took the encoder."""
        self._load_encoder = load_encoder
        self._encoder: PosterEncoder | None = None
        self._loading = threading.Lock()
        self._references = References()
        self._facts = CatalogFacts(catalog)
        self._pictures = pictures or PictureStore(None)
        self._answers: StateCache[SimilarRequest, SimilarMovies] = StateCache(_KEPT_ANSWERS)

    @property
    def encoder(self) -> PosterEncoder:
        """The encoder; the first use loads it, which takes seconds."""
        with self._loading:
            if self._encoder is None:
                self._encoder = self._load_encoder()
            return self._encoder

    def similar(self, request: SimilarRequest, view: IndexView | None = None) -> SimilarMovies:
        """Movies like those (or like that picture) of the request, nearest first.

        Args:
            request: The question.
            view: What is answered from; None takes the index as it is now.

        Raises:
            InvalidRequestError: A value is outside what is allowed, or nothing is asked for.
            NotFoundError: A movie is not in the index.
            PosterError: The picture cannot be read.
            SnapshotError: The picture's encoder is not the index's.
        """
        started = time.perf_counter()
        check_request(request)
        view = self.reader.view() if view is None else view
        state = (view.manifest.name, view.revision)
        # Pictures are many and seldom sent twice; by id the same questions come again and again.
        answer = self._answers.find(state, request) if request.poster is None else None
        if answer is None:
            answer = self._answer(view, state, request)
            if request.poster is None:
                self._answers.keep(state, request, answer)
        return replace(answer, took_ms=(time.perf_counter() - started) * 1000)

    def _answer(
        self, view: IndexView, state: State, request: SimilarRequest, unlike_share: float = UNLIKE_SHARE
    ) -> SimilarMovies:
        reference = self._references.of(view)
        encoded = None if request.poster is None else self._encode(request.poster, view.manifest)
        query, asked = self._query(view, state, request, encoded)
        query = replace(query, unlike_share=unlike_share)
        n_unlike = 0 if query.unlike is None else len(query.unlike)
        shape = SetShape(len(query.like), n_unlike, unlike_share)
        percentiles = reference.percentiles(query.weights, shape)
        movies = [one.movie for one in asked if one.movie is not None]
        shelf = Shelf(
            view,
            query,
            percentiles,
            allowed_rows(view.facts, view.manifest.genres, request.filters),
            (*request.like, *request.unlike, *request.filters.exclude),
            () if request.series == "neutral" else find_series(self.catalog, movies),
        )
        ranked = rank(shelf, request)
        maker = AnswerMaker(self._facts, self._pictures, state, reference)
        results = maker.answer(query, ranked, asked, percentiles)
        predicted = None if encoded is None else _by_genre(self.encoder, encoded)
        return SimilarMovies(request, query.weights, results, f"{state[0]}@{state[1]}", 0.0, predicted)

    def recommend(
        self, ratings: Sequence[RatedMovie], request: SimilarRequest | None = None
    ) -> SimilarMovies:
        """Movies for a person, without those the person rated.

        Args:
            ratings: What the person rated; movies that the index lacks are passed over.
            request: How many, weights, filters and the rest; its ``like`` and ``unlike`` are not looked at.

        Raises:
            InvalidRequestError: No movie of the index is rated, or a value is not 0.5 to 5.
        """
        started = time.perf_counter()
        view = self.reader.view()
        known = view.row_numbers([rating.movie_id for rating in ratings]) >= 0
        usable = [rating for rating, there in zip(ratings, known.tolist(), strict=True) if there]
        like, unlike = split_ratings(usable)
        asked = request or SimilarRequest()
        rated = tuple(rating.movie_id for rating in ratings)
        filters = replace(asked.filters, exclude=(*asked.filters.exclude, *rated))
        asked = replace(asked, like=like, unlike=unlike, poster=None)
        check_request(asked)
        state = (view.manifest.name, view.revision)
        answer = self._answer(view, state, replace(asked, filters=filters), DISLIKE_SHARE)
        return replace(answer, request=asked, took_ms=(time.perf_counter() - started) * 1000)

    def predict(self, poster: bytes) -> Prediction:
        """Genres that a poster speaks for.

        Raises:
            PosterError: It cannot be read.
        """
        encoded = self._encode(poster)
        chosen = self.encoder.genres.names(self.encoder.choose(encoded.genre_probs)[0])
        return Prediction(_by_genre(self.encoder, encoded), chosen, self.encoder.fingerprint)

    def _encode(self, poster: bytes, manifest: SnapshotManifest | None = None) -> EncodedPosters:
        encoder = self.encoder
        started = time.perf_counter()
        encoded = encoder.encode([Poster(_PICTURE_ID, poster)])
        for watch in self.encode_watchers:
            watch(time.perf_counter() - started)
        if encoded.failed:
            raise PosterError(encoded.failed[0].error)
        if manifest is not None and manifest.fingerprint != self.encoder.fingerprint:
            raise SnapshotError(
                f"the index was made by encoder {manifest.fingerprint[:12]}, this one is "
                f"{self.encoder.fingerprint[:12]}; run `onesheet reindex`."
            )
        return encoded

    def _query(
        self, view: IndexView, state: State, request: SimilarRequest, encoded: EncodedPosters | None
    ) -> tuple[Query, list[Asked]]:
        like = view.find_rows(request.like)
        self._facts.read_ahead(state, view.facts)
        movies = self._facts.movies(state, request.like)
        asked = [asked_of(movies.get(movie_id, Movie(movie_id, movie_id))) for movie_id in request.like]
        if request.poster is not None and encoded is not None:
            like = self._picture_row(view.manifest, encoded).joined(like)
            chosen = self.encoder.genres.names(self.encoder.choose(encoded.genre_probs)[0])
            asked.insert(0, Asked(chosen, False, None, describe_picture(request.poster)))
        unlike = view.find_rows(request.unlike) if request.unlike else None
        default = default_weights(view.manifest.default_weights, knowledge_of(like, not request.like))
        weights = weights_in_force(request.weights or default, known_signals(like), default)
        return Query(like, unlike, weights, self._references.of(view).scale), asked

    def _picture_row(self, manifest: SnapshotManifest, encoded: EncodedPosters) -> Rows:
        """The row a new movie with this poster would get; genre and taste predicted from it."""
        genre = unit_rows(encoded.genre_probs)
        taste = np.zeros((1, manifest.widths[2]), dtype=np.float32)
        if manifest.taste_model is not None:
            taste_map = self._taste_map(manifest.taste_model)
            if taste_map is not None:
                taste = predict_taste(encoded.embeddings, genre, taste_map)
        blocks = (encoded.embeddings, genre, taste)
        known = np.array([[bool(block.any()) for block in blocks]])
        return Rows((_PICTURE_ID,), *blocks, known, np.zeros(1, dtype=np.int32))

    @functools.lru_cache(maxsize=2)  # noqa: B019 - one recommender lives as long as its process
    def _taste_map(self, model_id: str) -> NDArray[np.float32] | None:
        return self.catalog.find_map(model_id)


def open_recommender(settings: Settings) -> Recommender:
    """Open the catalog and the index of a home; neither torch nor a checkpoint is loaded.

    Raises:
        CatalogError: The catalog cannot be opened.
    """
    catalog = open_catalog(settings)
    store = open_store(settings)
    return Recommender(
        catalog,
        IndexReader(catalog, store),
        functools.partial(_load_encoder, settings),
        PictureStore(settings.cache_dir / PICTURES_NAME),
    )


def _load_encoder(settings: Settings) -> PosterEncoder:
    # Imported here: torch takes seconds, and nobody who asks by id needs it.
    from embeddings.encoder import Encoder

    return Encoder.load(settings.model)


def _by_genre(encoder: PosterEncoder, encoded: EncodedPosters) -> dict[str, float]:
    probs = encoded.genre_probs[0].tolist()
    return {genre: round(prob, 4) for genre, prob in zip(encoder.genres, probs, strict=True)}
