"""What the views of one process share: the recommender, opened after the fork and only once."""

from __future__ import annotations

import functools
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from flask import Flask, current_app, request

from embeddings.checkpoint import BUNDLED, MANIFEST_NAME, CheckpointManifest
from embeddings.errors import CatalogError, InvalidRequestError, OnesheetError, PosterError
from indexer.settings import Settings
from recommender.types import Prediction, SimilarMovies, SimilarRequest
from webui.ahead import AnswersAhead
from webui.answer_cache import AnswerCache
from webui.disk_cache import DiskCache
from webui.json_bytes import to_json
from webui.metrics import Metrics
from webui.overload import ARRIVED
from webui.settings import WebSettings

if TYPE_CHECKING:
    from indexer.catalog import MovieFacts
    from indexer.ingest import StoredMovie
    from indexer.view import IndexView
    from recommender.recommender import Recommender

_EXTENSION = "onesheet"
_ANSWER_BYTES = 32 * 2**20


class Heatmap(Protocol):
    """What a heat-map can do."""

    def png(self) -> bytes:
        """The poster under its heat-map, as a PNG file."""


class HeatmapEncoder(Protocol):
    """What heat-maps need of an encoder."""

    def heatmap(self, source: Path | bytes, genre: str) -> Heatmap:
        """Where in a poster a genre is seen."""


class Services:
    """Holds the recommender of a process; nothing is opened before it is asked for.

    Args:
        settings: Where the home is and what it allows.
        web: How this process answers.
        metrics: Where it counts.
        recommender: One that is already open; None opens it on first use.
    """

    def __init__(
        self, settings: Settings, web: WebSettings, metrics: Metrics, recommender: Recommender | None = None
    ) -> None:
        self.settings = settings
        self.web = web
        self.metrics = metrics
        self.answers = AnswerCache(_ANSWER_BYTES)
        self.ahead = AnswersAhead(self)
        self.thumbnails = DiskCache(settings.cache_dir / "thumbnails", ".jpg")
        self.heatmaps = DiskCache(settings.cache_dir / "heatmaps", ".png")
        self.asked_at = float("-inf")
        self._looked: tuple[float, IndexView | None] = (0.0, None)
        self._recommender = None if recommender is None else self._watched(recommender)
        self._opening = threading.Lock()

    @property
    def recommender(self) -> Recommender:
        """The recommender of this process.

        Raises:
            CatalogError: The catalog cannot be opened.
            SnapshotError: The index cannot be opened.
        """
        if self._recommender is None:
            with self._opening:
                if self._recommender is None:
                    # faiss comes with it: the master of the server must fork before that.
                    from indexer.compact import Compactor
                    from recommender.recommender import open_recommender

                    recommender = open_recommender(self.settings)
                    recommender.reader.watchers.append(Compactor(self.settings).watch)
                    self._recommender = self._watched(recommender)
        return self._recommender

    def _watched(self, recommender: Recommender) -> Recommender:
        recommender.encoders.watchers.append(self.metrics.encode.observe)
        return recommender

    def why_not_ready(self) -> str | None:
        """Say what is missing before a question can be answered; None when nothing is.

        A catalog that stands in for a lost snapshot answers right, so it is ready.
        """
        try:
            view = self.recommender.reader.view()
        except OnesheetError as error:
            return str(error)
        if view.manifest.fingerprint:
            # Before a process calls itself ready its gauges stand: a scrape may reach one that still opens.
            self._count(view)
            return None
        return self.recommender.reader.problem or "Nothing was published yet; run `onesheet reindex`."

    @property
    def manifest(self) -> CheckpointManifest:
        """What the checkpoint says of itself, read again where it was replaced; needs no torch.

        Raises:
            CheckpointError: It is missing or damaged.
        """
        directory = self.settings.model or BUNDLED
        try:
            status = (directory / MANIFEST_NAME).stat()
        except OSError:
            return CheckpointManifest.read(directory)  # which says in a sentence what is wrong
        return _read_manifest(directory, status.st_mtime_ns, status.st_ino)

    @property
    def encoder_in_use(self) -> str:
        """Fingerprint of the encoder that answers: that of the index, where there is one."""
        return self.recommender.reader.view().manifest.fingerprint or self.manifest.fingerprint

    def view(self, arrived: float | None = None) -> IndexView:
        """The index for one request to answer from, with all that was committed before the request came.

        A look at the catalog that began after a request came serves that request as well as its own:
        those that waited while others were answered need no look each.

        Args:
            arrived: When the request came, on the monotonic clock; None is now.
        """
        self.asked_at = now = time.monotonic()
        looked_at, view = self._looked
        if view is not None and arrived is not None and arrived < looked_at:
            return view
        view = self.recommender.reader.view()
        self._looked = (now, view)
        return view

    def similar(self, asked: SimilarRequest, view: IndexView | None = None) -> SimilarMovies:
        """Ask the recommender, and count how long it took; None answers from the index as it is now."""
        with self.metrics.search.time():
            return self.recommender.similar(asked, view)

    def similar_body(self, asked: SimilarRequest, view: IndexView) -> bytes:
        """The answer to a question by id as it is sent where the server stands under no prefix."""
        state = (view.manifest.name, view.revision)
        body = self.answers.find(state, asked)
        if body is None:
            body = to_json(self.similar(asked, view).document())
            self.answers.keep(state, asked, body)
        return body

    def predict(self, poster: bytes) -> Prediction:
        """Ask the encoder for genres."""
        return self.recommender.predict(poster)

    def heatmap_png(self, poster: Path | bytes, genre: str) -> bytes:
        """What in a poster speaks for a genre, drawn over the poster, as a PNG file.

        Raises:
            PosterError: The poster cannot be read.
            InvalidRequestError: The encoder does not know the genre.
        """
        if genre not in self.manifest.genres:
            raise InvalidRequestError(
                f"The encoder does not know the genre {genre!r}; it knows {', '.join(self.manifest.genres)}.",
                "genre",
            )
        encoder = cast(HeatmapEncoder, self.recommender.encoders.latest(self.encoder_in_use))
        with self.metrics.encode.time():
            return encoder.heatmap(poster, genre).png()

    def put_movie(self, facts: MovieFacts, poster: bytes | None) -> StoredMovie:
        """Put a movie in, or change one; every worker finds it when this returns.

        Raises:
            PosterError: The poster cannot be read.
            InvalidRequestError: A fact cannot be taken.
            CatalogError: The catalog or the poster's file cannot be written.
        """
        # faiss comes with it: the master of the server must fork before that.
        from indexer.ingest import put_movie
        from indexer.snapshots import open_store

        recommender = self.recommender
        try:
            return put_movie(
                recommender.catalog,
                open_store(self.settings),
                lambda: recommender.encoders.of(recommender.catalog.active().fingerprint),
                facts,
                poster,
            )
        except OSError as error:
            raise CatalogError(
                f"The poster cannot be kept: {error.strerror}; make room in the home."
            ) from error

    def fetch_poster(self, url: str) -> bytes:
        """The bytes of a poster elsewhere.

        Raises:
            InvalidRequestError: The host is not allowed, or what it sent is no poster.
        """
        from indexer.downloads import fetch_poster, rules_of

        try:
            return fetch_poster(url, rules_of(self.settings))
        except PosterError as error:
            raise InvalidRequestError(str(error), "poster_url") from error

    def remove_movie(self, movie_id: str) -> int:
        """Take a movie out, and say since which revision it is gone.

        Raises:
            NotFoundError: The catalog does not have it.
        """
        from indexer.ingest import remove_movie

        return remove_movie(self.recommender.catalog, movie_id)

    def measure(self) -> None:
        """Set the gauges to what this process serves now; nothing while nothing is open."""
        if self._recommender is None:
            return
        self._count(self._recommender.reader.view())

    def _count(self, view: IndexView) -> None:
        self.metrics.movies.set(int(view.facts.live.sum()))
        self.metrics.overlay_rows.set(view.overlay_size)
        self.metrics.revision_lag.set(view.revision - view.manifest.revision)


@functools.lru_cache(maxsize=4)
def _read_manifest(directory: Path, _mtime_ns: int, _inode: int) -> CheckpointManifest:
    return CheckpointManifest.read(directory)


def services() -> Services:
    """The services of the app that handles the request."""
    return services_of(current_app)


def current_view() -> IndexView:
    """The index that the request under way is answered from."""
    return services().view(request.environ.get(ARRIVED))


def services_of(app: Flask) -> Services:
    """The services of one app."""
    return cast(Services, app.extensions[_EXTENSION])


def install_services(app: Flask, held: Services) -> None:
    """Hand ``held`` to the views of one app."""
    app.extensions[_EXTENSION] = held
