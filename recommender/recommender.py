"""The facade: more like these, more like this picture, and for a person."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from embeddings.checkpoint import BUNDLED, CheckpointManifest
from embeddings.encoded import EncodedPosters
from embeddings.lettering import LetteringModel, find_lettering
from indexer.catalog import Catalog, open_catalog
from indexer.reader import IndexReader, IndexView
from indexer.settings import Settings
from indexer.snapshots import open_store
from indexer.taste_map import predict_taste, unit_rows
from indexer.types import Movie, PosterEncoder, Rows, SnapshotManifest
from recommender.affinity import strengths_of
from recommender.answers import AnswerMaker, asked_of
from recommender.blend import UNLIKE_SHARE, known_signals, weights_in_force
from recommender.cache import State, StateCache
from recommender.copies import find_copies
from recommender.defaults import default_weights, knowledge_of, rest_weights
from recommender.encoding import PICTURE_ID, EncoderInUse, SeenPicture
from recommender.facts import CatalogFacts
from recommender.filters import allowed_rows
from recommender.percentiles import SetShape
from recommender.person import DISLIKE_SHARE, split_ratings
from recommender.picture_store import PICTURES_NAME, PictureStore
from recommender.ranking import Order, Shelf, rank
from recommender.reasons import Asked
from recommender.reference import References
from recommender.requests import check_request
from recommender.search import Query
from recommender.series import find_series
from recommender.types import Prediction, RatedMovie, SimilarMovies, SimilarRequest

_KEPT_ANSWERS = 256
"""Some 25 KB each; the web door keeps what it sent by itself, and smaller."""


class Recommender:
    """Answers from one catalog and its index; threads may share it.

    Args:
        catalog: Movies, and who liked what.
        reader: The index as it is now.
        encoders: The encoder, or what loads it when the first poster must be encoded.
        pictures: What posters show; None measures each when it is first asked about.
        find_lettering: Finds what tells from the embeddings of an encoder, by its fingerprint, whether
            a poster shows much lettering; None has nothing that does.
    """

    def __init__(
        self,
        catalog: Catalog,
        reader: IndexReader,
        encoders: EncoderInUse | Callable[[], PosterEncoder],
        pictures: PictureStore | None = None,
        find_lettering: Callable[[str], LetteringModel | None] | None = None,
    ) -> None:
        self.catalog = catalog
        self.reader = reader
        self.encoders = encoders if isinstance(encoders, EncoderInUse) else EncoderInUse(encoders)
        self._references = References()
        self._facts = CatalogFacts(catalog)
        self._pictures = pictures or PictureStore(None)
        self._find_lettering = find_lettering or (lambda _: None)
        self._answers: StateCache[SimilarRequest, SimilarMovies] = StateCache(_KEPT_ANSWERS)

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
        poster = request.poster
        seen = None if poster is None else self.encoders.see(poster, view.manifest.fingerprint)
        query, asked = self._query(view, state, request, seen)
        query = replace(query, unlike_share=unlike_share)
        n_unlike = 0 if query.unlike is None else len(query.unlike)
        shape = SetShape(len(query.like), n_unlike, unlike_share)
        percentiles = reference.percentiles(query.weights, shape)
        rest = _rest_of(query, request, view.manifest)
        movies = [one.movie for one in asked if one.movie is not None]
        shelf = Shelf(
            view,
            query,
            percentiles,
            allowed_rows(view.facts, view.manifest.genres, request.filters),
            (*request.like, *request.unlike, *request.filters.exclude),
            () if request.series == "neutral" else find_series(self.catalog, movies),
            None if rest is None else Order(rest, reference.percentiles(rest.weights, shape)),
        )
        ranked = rank(shelf, request)
        lettering = self._find_lettering(view.manifest.fingerprint)
        maker = AnswerMaker(self._facts, self._pictures, state, reference, view.affinities, lettering)
        results = maker.answer(query, ranked, asked, percentiles)
        predicted = None if seen is None else seen.prediction.genre_probs
        snapshot = f"{state[0]}@{state[1]}"
        behind = None if rest is None else rest.weights
        return SimilarMovies(request, query.weights, results, snapshot, 0.0, predicted, behind)

    def recommend(
        self, ratings: Sequence[RatedMovie], request: SimilarRequest | None = None
    ) -> SimilarMovies:
        """Movies for a person, without those the person rated.

        By default the weights of an opening order the whole list: for a person they find more of
        what was liked than those of the rest do (``benchmarks/for_a_person.py``).

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
        knowledge = self._knowledge(view, state, view.find_rows(like))
        weights = asked.weights or default_weights(view.manifest.default_weights, knowledge)
        answer = self._answer(view, state, replace(asked, filters=filters, weights=weights), DISLIKE_SHARE)
        return replace(answer, request=asked, took_ms=(time.perf_counter() - started) * 1000)

    def predict(self, poster: bytes) -> Prediction:
        """Genres that a poster speaks for.

        Raises:
            PosterError: It cannot be read.
        """
        return self.encoders.predict(poster, self.reader.view().manifest.fingerprint)

    def _query(
        self, view: IndexView, state: State, request: SimilarRequest, seen: SeenPicture | None
    ) -> tuple[Query, list[Asked]]:
        like = view.find_rows(request.like)
        self._facts.read_ahead(state, view.facts)
        movies = self._facts.movies(state, request.like)
        asked = [asked_of(movies.get(movie_id, Movie(movie_id, movie_id))) for movie_id in request.like]
        scale, copies = self._references.of(view).scale, {}
        if seen is not None:
            picture = self._picture_row(view.manifest, seen.encoded)
            like, copies = picture.joined(like), find_copies(view, picture, scale)
            asked.insert(0, Asked(seen.prediction.chosen, False, None, seen.shows, copies=copies))
        unlike = view.find_rows(request.unlike) if request.unlike else None
        knowledge = self._knowledge(view, state, like if request.like else None)
        default = default_weights(view.manifest.default_weights, knowledge)
        weights = weights_in_force(request.weights or default, known_signals(like), default)
        query = Query(like, unlike, weights, scale, knowledge=knowledge)
        if request.weights is None:  # whoever says what counts is taken at the word: then nothing else counts
            alike = strengths_of(view.affinities, request.like)
            query = replace(query, rated_alike=alike, copies=copies)
        return query, asked

    def _knowledge(self, view: IndexView, state: State, like: Rows | None) -> str:
        """How much is known of what is asked; None asks by a picture alone."""
        if like is None:
            return knowledge_of((), ())
        genres, movies = set(view.manifest.genres), self._facts.movies(state, like.movie_ids)
        told = [
            movie_id in movies and not genres.isdisjoint(movies[movie_id].genres)
            for movie_id in like.movie_ids
        ]
        return knowledge_of(like.n_ratings.tolist(), told)

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
        return Rows((PICTURE_ID,), *blocks, known, np.zeros(1, dtype=np.int32))

    @lru_cache(maxsize=2)  # noqa: B019 - one recommender lives as long as its process
    def _taste_map(self, model_id: str) -> NDArray[np.float32] | None:
        return self.catalog.find_map(model_id)


def _rest_of(query: Query, request: SimilarRequest, manifest: SnapshotManifest) -> Query | None:
    """The same question as a list behind its opening is ordered by; None where one order holds all of it."""
    if request.weights is not None or request.diversity > 0:
        return None
    found = rest_weights(manifest.default_weights, query.knowledge)
    if found is None:
        return None
    weights = weights_in_force(found, known_signals(query.like), query.weights)
    return replace(query, weights=weights, rated_alike={}, copies={})


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
        EncoderInUse(partial(_load_encoder, settings), partial(_read_fingerprint, settings)),
        PictureStore(settings.cache_dir / PICTURES_NAME),
        partial(find_lettering, settings.model or BUNDLED),
    )


def _load_encoder(settings: Settings) -> PosterEncoder:
    # Imported here: torch takes seconds, and nobody who asks by id needs it.
    from embeddings.encoder import Encoder

    return Encoder.load(settings.model)


def _read_fingerprint(settings: Settings) -> str:
    return CheckpointManifest.read(settings.model or BUNDLED).fingerprint
