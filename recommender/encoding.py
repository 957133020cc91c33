"""The encoder of a process, which follows the catalog's, and what it says of one picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from embeddings.encoded import EncodedPosters, Poster
from embeddings.errors import PosterError, SnapshotError
from indexer.types import PosterEncoder
from recommender.pictures import Picture, describe_picture
from recommender.types import Prediction

PICTURE_ID = "poster"
_BESIDE = 2
"""Pictures that are described at once, while others are encoded."""


@dataclass(frozen=True)
class SeenPicture:
    """A picture that is not in the catalog.

    Args:
        encoded: Its one row.
        prediction: The genres it speaks for.
        shows: Colours, light, a face.
    """

    encoded: EncodedPosters
    prediction: Prediction
    shows: Picture


class EncoderInUse:
    """Loads the encoder when the first picture comes, and again where the catalog has taken another.

    Threads may share it.

    Args:
        load: Loads the checkpoint as it is now; takes seconds.
        read_fingerprint: Tells which encoder ``load`` would load, without loading it.
    """

    def __init__(
        self, load: Callable[[], PosterEncoder], read_fingerprint: Callable[[], str] | None = None
    ) -> None:
        self.watchers: list[Callable[[float], object]] = []
        """Each is told the seconds that a picture took the encoder."""
        self._load = load
        self._read_fingerprint = read_fingerprint
        self._encoder: PosterEncoder | None = None
        self._loading = threading.Lock()
        self._beside = ThreadPoolExecutor(_BESIDE, "describe")

    def latest(self, fingerprint: str | None) -> PosterEncoder:
        """The encoder in memory, loaded anew where the checkpoint, and it alone, is that of the index.

        Args:
            fingerprint: Of the index; None or empty where nothing is indexed.

        Raises:
            CheckpointError: The checkpoint cannot be loaded.
        """
        with self._loading:
            if self._encoder is None or (fingerprint and self._was_replaced_by(fingerprint)):
                self._encoder = self._load()
            return self._encoder

    def of(self, fingerprint: str | None) -> PosterEncoder:
        """The encoder that made the rows of an index; any where nothing is indexed.

        Raises:
            SnapshotError: The checkpoint is another encoder's.
            CheckpointError: The checkpoint cannot be loaded.
        """
        encoder = self.latest(fingerprint)
        if fingerprint and encoder.fingerprint != fingerprint:
            raise SnapshotError(
                f"The index was made by encoder {fingerprint[:12]}, the checkpoint here is "
                f"{encoder.fingerprint[:12]}: run `onesheet reindex`, or set ONESHEET_MODEL to the other one."
            )
        return encoder

    def predict(self, picture: bytes, fingerprint: str | None = None) -> Prediction:
        """Genres that a picture speaks for.

        Raises:
            PosterError: It cannot be read.
        """
        encoder = self.latest(fingerprint)
        return _prediction(encoder, self._encode(encoder, picture))

    def see(self, picture: bytes, fingerprint: str) -> SeenPicture:
        """Encode a picture for an index, and describe it at the same time.

        Raises:
            PosterError: It cannot be read.
            SnapshotError: The index is another encoder's, or empty.
        """
        if not fingerprint:
            raise SnapshotError(
                "Nothing is indexed that a picture could be compared with: run `onesheet reindex`."
            )
        encoder = self.of(fingerprint)
        shows = self._beside.submit(describe_picture, picture)
        encoded = self._encode(encoder, picture)
        return SeenPicture(encoded, _prediction(encoder, encoded), shows.result())

    def _was_replaced_by(self, fingerprint: str) -> bool:
        """Whether the checkpoint, but not the encoder in memory, is this one. Under ``_loading``."""
        if self._encoder is None or self._encoder.fingerprint == fingerprint or not self._read_fingerprint:
            return False
        return self._read_fingerprint() == fingerprint

    def _encode(self, encoder: PosterEncoder, picture: bytes) -> EncodedPosters:
        started = time.perf_counter()
        encoded = encoder.encode([Poster(PICTURE_ID, picture)])
        for watch in self.watchers:
            watch(time.perf_counter() - started)
        if encoded.failed:
            raise PosterError(encoded.failed[0].error)
        return encoded


def _prediction(encoder: PosterEncoder, encoded: EncodedPosters) -> Prediction:
    probs = encoded.genre_probs[0].tolist()
    by_genre = {genre: round(prob, 4) for genre, prob in zip(encoder.genres, probs, strict=True)}
    chosen = encoder.genres.names(encoder.choose(encoded.genre_probs)[0])
    return Prediction(by_genre, chosen, encoder.fingerprint)
