"""A small catalog with known answers, and the index over it searched by brute force."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from embeddings.errors import NotFoundError, PosterError
from embeddings.genres import GenreVocabulary
from embeddings.posters import read_poster
from indexer.catalog import Catalog, open_catalog
from indexer.catalog.records import MovieFacts, PosterFile
from indexer.publish import publish_catalog
from indexer.reader import IndexReader
from indexer.settings import Settings, load_settings
from indexer.snapshots import open_store
from indexer.types import Facts, Neighbours, Ratings, Rows, SnapshotManifest
from recommender.recommender import Recommender
from recommender.taste import TasteConfig, TasteModel

GENRES = ("Action", "Comedy", "Drama", "Horror", "Romance", "Sci-Fi")


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of length 1; zero rows stay zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0).astype(np.float32)


def random_rows(n: int = 120, seed: int = 3, all_known: bool = True) -> Rows:
    """Movies in ten clusters; without ``all_known`` every fifth lacks its poster, every seventh its taste."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(10, size=n)
    visual = unit(rng.normal(size=(10, 16))[cluster] + 0.6 * rng.normal(size=(n, 16)))
    genre = unit((rng.random((10, len(GENRES))) < 0.4)[cluster] + (rng.random((n, len(GENRES))) < 0.2) + 1e-9)
    taste = unit(rng.normal(size=(10, 8))[cluster] + 0.5 * rng.normal(size=(n, 8)))
    known = np.ones((n, 3), dtype=bool)
    if not all_known:
        known[::5, 0] = False
        known[::7, 2] = False
    visual, taste = visual * known[:, [0]], taste * known[:, [2]]
    ids = tuple(f"tt{i:07d}" for i in range(n))
    return Rows(ids, visual, genre, taste, known, rng.integers(0, 50, size=n).astype(np.int32))


class BruteForceView:
    """The border of the index, answered by one matrix product."""

    def __init__(self, rows: Rows, groups: Sequence[int] | None = None) -> None:
        self.rows = rows
        self.position = {movie_id: i for i, movie_id in enumerate(rows.movie_ids)}
        widths = (rows.visual.shape[1], rows.genre.shape[1], rows.taste.shape[1])
        self._pairs = self._cosines_of_pairs()
        spreads = tuple(float(s) for s in np.nanstd(self._pairs.astype(np.float64), axis=0))
        self.manifest = SnapshotManifest("test", "exact", "f", GENRES, widths, spreads, len(rows), 1)  # type: ignore[arg-type]
        self.revision = 1
        self.affinities = None
        n = len(rows)
        years = np.arange(1900, 1900 + n, dtype=np.int16)
        bits = ((rows.genre > 0) * (1 << np.arange(len(GENRES)))).sum(axis=1).astype(np.uint64)
        known = (rows.known * np.array([1, 2, 4])).sum(axis=1).astype(np.uint8)
        self._facts = Facts(
            np.array([m.encode() for m in rows.movie_ids]),
            years,
            bits,
            np.array(groups if groups is not None else [-1] * n, dtype=np.int32),
            rows.n_ratings,
            np.ones(n, dtype=bool),
            known,
        )

    def _cosines_of_pairs(self) -> NDArray[np.float32]:
        rng = np.random.default_rng(0)
        a, b = rng.integers(len(self.rows), size=(2, 4000))
        keep = a != b
        one, two = self.rows.take(a[keep]), self.rows.take(b[keep])
        columns = [
            np.where(one.known[:, i] & two.known[:, i], (x * y).sum(axis=1), np.nan)
            for i, (x, y) in enumerate(
                zip((one.visual, one.genre, one.taste), (two.visual, two.genre, two.taste), strict=True)
            )
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    @property
    def facts(self) -> Facts:
        return self._facts

    def find_rows(self, movie_ids: Sequence[str]) -> Rows:
        for movie_id in movie_ids:
            if movie_id not in self.position:
                raise NotFoundError(f"{movie_id} is not in the index.")
        return self.rows.take(np.array([self.position[m] for m in movie_ids], dtype=np.int64))

    def read_rows(self, numbers: NDArray[np.int64], movie_ids: tuple[str, ...]) -> Rows:
        return replace(self.rows.take(numbers), movie_ids=movie_ids)

    def row_numbers(self, movie_ids: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.position.get(m, -1) for m in movie_ids], dtype=np.int64)

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.bool_] | NDArray[np.int64] | None = None,
        exclude: Sequence[str] = (),
        min_score: float | None = None,
    ) -> Neighbours:
        joined = np.concatenate([self.rows.visual, self.rows.genre, self.rows.taste], axis=1)
        scores = joined.astype(np.float64) @ query.astype(np.float64)
        usable = np.ones(len(scores), dtype=bool) if allowed is None else np.asarray(allowed)
        order = [
            i
            for i in sorted(range(len(scores)), key=lambda i: (-round(scores[i], 9), self.rows.movie_ids[i]))
            if usable[i] and self.rows.movie_ids[i] not in exclude
        ][:k]
        ids = tuple(self.rows.movie_ids[i] for i in order)
        return Neighbours(ids, scores[order].astype(np.float32), np.array(order, dtype=np.int64))

    def random_pairs(self) -> NDArray[np.float32]:
        return self._pairs


@pytest.fixture
def rows() -> Rows:
    return random_rows()


@pytest.fixture
def view(rows: Rows) -> BruteForceView:
    return BruteForceView(rows)


@pytest.fixture
def partial_view() -> BruteForceView:
    """Some movies lack their poster, some their taste."""
    return BruteForceView(random_rows(all_known=False))


class ColourEncoder:
    """Embeds a poster by the colours of its four quarters; genres follow its hue."""

    fingerprint = "c0ffee" * 10 + "c0ff"
    genres = GenreVocabulary(GENRES)
    embedding_dim = 12

    def encode(self, posters: Sequence[Poster]) -> EncodedPosters:
        embeddings, probs, ids, failed = [], [], [], []
        for poster in posters:
            try:
                picture = np.asarray(
                    read_poster(poster.source).resize((2, 2), Image.Resampling.BOX), dtype=float
                )
            except PosterError as error:
                failed.append(UnreadablePoster(poster.movie_id, poster.name, str(error)))
                continue
            ids.append(poster.movie_id)
            embeddings.append(picture.ravel() / 255 - 0.5)
            red, green, blue = picture.mean(axis=(0, 1)) / 255
            probs.append([red, green, blue, 1 - green, 1 - blue, 1 - red])
        return EncodedPosters(
            tuple(ids),
            unit(np.array(embeddings).reshape(len(ids), 12)),
            np.array(probs, dtype=np.float32).reshape(len(ids), 6) if ids else np.zeros((0, 6), np.float32),
            tuple(failed),
        )

    def encode_batches(
        self, posters: Sequence[Poster], batch_size: int, workers: int
    ) -> Iterator[EncodedPosters]:
        yield self.encode(list(posters))

    def choose(self, genre_probs: NDArray[np.float32]) -> NDArray[np.bool_]:
        return genre_probs > 0.6


def drawn_poster(colours: Sequence[tuple[int, int, int]]) -> bytes:
    """A JPEG of four quarters in four colours."""
    small = Image.new("RGB", (2, 2))
    small.putdata(list(colours))
    file = io.BytesIO()
    small.resize((60, 90), Image.Resampling.NEAREST).save(file, "JPEG", quality=95)
    return file.getvalue()


N_MOVIES = 60
TITLES = {
    0: "Night Train",
    2: "Night Train 2",
    30: "Night Train: Origins",
    11: "Château Rouge",
    12: "Lost",
    13: "Lost",
    14: "[red] Alert",
}


@dataclass(frozen=True)
class Home:
    """A home on disk, with everything that was put into it."""

    settings: Settings
    catalog: Catalog
    recommender: Recommender
    encoder: ColourEncoder


def fill_home(settings: Settings) -> None:
    """Sixty movies in two camps, with drawn posters, genres, ratings by two kinds of people, and a snapshot.

    Even movies are red comedies, odd ones blue dramas. 5, 6 and 7 have no known genres, 8 has no
    poster, 50 and later are unrated, and 20 and 22 share their artwork.
    """
    rng = np.random.default_rng(11)
    catalog, encoder = open_catalog(settings), ColourEncoder()
    genre_of = [("Comedy", "Romance") if i % 2 == 0 else ("Drama", "Horror") for i in range(N_MOVIES)]
    facts = [
        MovieFacts(
            f"tt{i:07d}", TITLES.get(i, f"Film no{i}x"), 1950 + i, () if i in (5, 6, 7) else genre_of[i]
        )
        for i in range(N_MOVIES)
    ]
    catalog.upsert_movies(facts, "csv")
    folder = settings.home / "drawn"
    folder.mkdir(parents=True)
    paths = {}
    for i in range(N_MOVIES):
        base = np.array([190, 40, 40]) if i % 2 == 0 else np.array([40, 50, 180])
        colours = np.clip(base + rng.integers(-40, 40, size=(4, 3)), 0, 255)
        if i != 8:
            paths[f"tt{i:07d}"] = folder / f"tt{i:07d}.jpg"
            paths[f"tt{i:07d}"].write_bytes(drawn_poster([tuple(c) for c in colours.tolist()]))
    paths["tt0000022"].write_bytes(paths["tt0000020"].read_bytes())
    catalog.set_posters(paths)
    hashes = {movie_id: hashlib.sha256(path.read_bytes()).hexdigest() for movie_id, path in paths.items()}
    catalog.save_poster_files(
        [PosterFile(m, str(p), hashes[m], p.stat().st_size, p.stat().st_mtime_ns) for m, p in paths.items()]
    )
    catalog.save_artwork_groups({"tt0000020": 1, "tt0000022": 1})
    catalog.add_encoder(encoder.fingerprint, encoder.genres, encoder.embedding_dim)
    encoded = encoder.encode([Poster(m, p) for m, p in paths.items()])
    chosen = encoder.choose(encoded.genre_probs)
    catalog.save_embeddings(encoded, encoder.fingerprint, chosen, [hashes[m] for m in encoded.movie_ids])
    catalog.add_ratings(two_camps_ratings(rng))
    taste = TasteModel(TasteConfig(als_dim=8, neighbour_dim=8, iterations=8)).fit(
        catalog.ratings(), catalog.read_rows(encoder.fingerprint).rows
    )
    assert taste is not None
    catalog.save_taste(taste)
    publish_catalog(catalog, open_store(settings), encoder.fingerprint, taste.model_id, {})
    catalog.close()


def two_camps_ratings(rng: np.random.Generator) -> Ratings:
    """Forty people; each likes the movies of one camp and dislikes the others."""
    rows = [
        (f"u{user:02d}", f"tt{movie:07d}", 4.5 if user % 2 == movie % 2 else 1.5)
        for user in range(40)
        for movie in range(50)
        if rng.random() < 0.5
    ]
    users, movies, values = zip(*rows, strict=True)
    return Ratings(
        np.array(users, dtype=object),
        np.array(movies, dtype=object),
        np.array(values, dtype=np.float32),
        np.arange(len(rows), dtype=np.int64),
    )


def opened(settings: Settings) -> Home:
    """Open a filled home with the encoder of the tests."""
    catalog, encoder = open_catalog(settings), ColourEncoder()
    return Home(
        settings,
        catalog,
        Recommender(catalog, IndexReader(catalog, open_store(settings)), lambda: encoder),
        encoder,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A filled home; tests of one module share it and leave it as it is."""
    settings = load_settings(tmp_path_factory.mktemp("home"), environ={})
    fill_home(settings)
    held = opened(settings)
    yield held
    held.catalog.close()


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Home]:
    """A filled home that a test may change."""
    settings = load_settings(tmp_path / "home", environ={})
    fill_home(settings)
    held = opened(settings)
    yield held
    held.catalog.close()


@pytest.fixture
def crowded_view() -> BruteForceView:
    """Of 120 movies the first 90 share one poster, and the next 20 another."""
    return BruteForceView(random_rows(), [1] * 90 + [2] * 20 + [-1] * 10)


@pytest.fixture(scope="session")
def make_colour_encoder() -> type[ColourEncoder]:
    return ColourEncoder


@pytest.fixture
def colour_encoder() -> ColourEncoder:
    return ColourEncoder()


@pytest.fixture
def drawn() -> Callable[[Sequence[tuple[int, int, int]]], bytes]:
    return drawn_poster


@pytest.fixture
def open_home() -> Callable[[Settings], Home]:
    """Opens a filled home once more, with nothing kept from before."""
    return opened
