from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest

from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from embeddings.errors import PosterError, SnapshotError
from embeddings.genres import GenreVocabulary
from embeddings.posters import read_poster
from indexer.demo import draw_poster
from indexer.demo.titles import make_movies
from recommender.encoding import EncoderInUse


class Checkpoint:
    """A checkpoint that can be replaced on disk, and counts how often it is loaded."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.n_loaded = 0

    def load(self) -> FakeEncoder:
        self.n_loaded += 1
        return FakeEncoder(self.fingerprint)

    def in_use(self) -> EncoderInUse:
        return EncoderInUse(self.load, lambda: self.fingerprint)


class FakeEncoder:
    genres = GenreVocabulary(("Comedy", "War"))
    embedding_dim = 2

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def encode(self, posters: Sequence[Poster]) -> EncodedPosters:
        try:
            read_poster(posters[0].source)
        except PosterError as error:
            failed = (UnreadablePoster(posters[0].movie_id, "", str(error)),)
            return EncodedPosters((), np.empty((0, 2), np.float32), np.empty((0, 2), np.float32), failed)
        row, probs = np.array([[0.6, 0.8]], np.float32), np.array([[0.25, 0.75]], np.float32)
        return EncodedPosters((posters[0].movie_id,), row, probs, ())

    def choose(self, genre_probs: np.ndarray) -> np.ndarray:
        return genre_probs > 0.5


@pytest.fixture(scope="module")
def picture() -> bytes:
    out = io.BytesIO()
    draw_poster(make_movies(1, 1)[0], 0).save(out, "JPEG")
    return out.getvalue()


def test_the_encoder_is_loaded_once_for_an_index_that_stays(picture: bytes) -> None:
    checkpoint = Checkpoint("a")
    encoders = checkpoint.in_use()
    assert checkpoint.n_loaded == 0
    for _ in range(3):
        assert encoders.see(picture, "a").prediction.fingerprint == "a"
    assert checkpoint.n_loaded == 1


def test_an_index_of_the_new_checkpoint_brings_its_encoder(picture: bytes) -> None:
    checkpoint = Checkpoint("a")
    encoders = checkpoint.in_use()
    encoders.of("a")
    checkpoint.fingerprint = "b"
    # Trained, but not indexed with: the old one goes on.
    assert encoders.of("a").fingerprint == "a"
    assert encoders.predict(picture, "a").fingerprint == "a"
    assert encoders.see(picture, "b").prediction.fingerprint == "b"
    assert checkpoint.n_loaded == 2


def test_an_index_of_an_encoder_that_is_not_here_is_refused_without_loading_again(picture: bytes) -> None:
    checkpoint = Checkpoint("a")
    encoders = checkpoint.in_use()
    for _ in range(2):
        with pytest.raises(SnapshotError, match="made by encoder b, the checkpoint here is a"):
            encoders.see(picture, "b")
    assert encoders.predict(picture, "b").fingerprint == "a"
    assert checkpoint.n_loaded == 1


def test_without_an_index_pictures_have_genres_but_no_neighbours(picture: bytes) -> None:
    encoders = Checkpoint("a").in_use()
    assert encoders.predict(picture).chosen == ("War",)
    with pytest.raises(SnapshotError, match="onesheet reindex"):
        encoders.see(picture, "")


def test_a_picture_is_encoded_and_described_and_its_time_is_told(picture: bytes) -> None:
    encoders = Checkpoint("a").in_use()
    times: list[float] = []
    encoders.watchers.append(times.append)
    seen = encoders.see(picture, "a")
    assert seen.prediction.genre_probs == {"Comedy": 0.25, "War": 0.75}
    assert seen.encoded.embeddings.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]
    assert seen.shows.colours or seen.shows.lightness > 0
    assert len(times) == 1 and times[0] > 0


def test_a_picture_that_cannot_be_read_is_one_sentence() -> None:
    with pytest.raises(PosterError, match="neither JPEG, PNG nor WebP"):
        Checkpoint("a").in_use().see(b"no picture", "a")
