"""Result types of the store: an array never travels without the ids of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.encoded import EncodedPosters, Poster, UnreadablePoster
from embeddings.genres import GenreVocabulary


@dataclass(frozen=True)
class Movie:
    """One movie of the catalog.

    Args:
        movie_id: Public id, such as ``tt0133093``.
        title: Its title; the id where none is known.
        year: Year of release, where known.
        genres: Known genres, sorted; empty where none are known.
        predicted_genres: Genre to calibrated probability, from its poster; empty without one.
        chosen_genres: The predicted genres above their thresholds.
        n_ratings: How many people rated it.
        poster: Path of its poster file, absolute; None without one.
        poster_hash: SHA-256 of the poster's bytes; None without one.
        artwork_group: Movies with the same number have near-identical posters; None for its own.
        revision: Catalog revision of its last change.
        collection: What a source calls the collection that it belongs to, such as
            ``Alien Collection``; None where none does.
    """

    movie_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    predicted_genres: dict[str, float] = field(default_factory=dict)
    chosen_genres: tuple[str, ...] = ()
    n_ratings: int = 0
    poster: str | None = None
    poster_hash: str | None = None
    artwork_group: int | None = None
    revision: int = 0
    collection: str | None = None


@dataclass(frozen=True)
class Ratings:
    """Who rated what and how: four arrays of one length.

    Args:
        user_ids: Text ids.
        movie_ids: Text ids.
        values: float32, 0.5 to 5.
        rated_at: int64, seconds since 1970; 0 where unknown.
    """

    user_ids: NDArray[np.object_]
    movie_ids: NDArray[np.object_]
    values: NDArray[np.float32]
    rated_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Rows:
    """The three blocks of some movies.

    Args:
        movie_ids: n ids.
        visual: float32, (n, visual_dim), unit rows, zero where unknown.
        genre: float32, (n, n_genres), unit rows, zero where unknown.
        taste: float32, (n, taste_dim), rows of length at most 1 (``taste_map``), zero where unknown;
            taste_dim may be 0.
        known: bool, (n, 3), which signal is known, in the order visual, genre, taste.
        n_ratings: int32, (n,).
        years: int16, (n,), 0 where unknown; None where no year is known. The taste map reads them.
    """

    movie_ids: tuple[str, ...]
    visual: NDArray[np.float32]
    genre: NDArray[np.float32]
    taste: NDArray[np.float32]
    known: NDArray[np.bool_]
    n_ratings: NDArray[np.int32]
    years: NDArray[np.int16] | None = None

    def __len__(self) -> int:
        return len(self.movie_ids)

    def years_or_zero(self) -> NDArray[np.int16]:
        """Years, int16, (n,), 0 where unknown."""
        return np.zeros(len(self), dtype=np.int16) if self.years is None else self.years

    def take(self, positions: NDArray[np.int64]) -> Rows:
        """The rows at some positions, in that order."""
        return Rows(
            tuple(self.movie_ids[i] for i in positions.tolist()),
            self.visual[positions],
            self.genre[positions],
            self.taste[positions],
            self.known[positions],
            self.n_ratings[positions],
            None if self.years is None else self.years[positions],
        )

    @staticmethod
    def concatenate(parts: Sequence[Rows]) -> Rows:
        """The rows of at least one part, part by part; all parts have the same widths."""
        dated = any(one.years is not None for one in parts)
        return Rows(
            tuple(movie_id for one in parts for movie_id in one.movie_ids),
            np.concatenate([one.visual for one in parts]),
            np.concatenate([one.genre for one in parts]),
            np.concatenate([one.taste for one in parts]),
            np.concatenate([one.known for one in parts]),
            np.concatenate([one.n_ratings for one in parts]),
            np.concatenate([one.years_or_zero() for one in parts]) if dated else None,
        )

    def joined(self, other: Rows) -> Rows:
        """These rows and then the other ones."""
        return Rows.concatenate((self, other))


@dataclass(frozen=True)
class Neighbours:
    """Found movies, nearest first, equal scores by movie id.

    Args:
        movie_ids: n ids.
        scores: float32, (n,), inner products with the query; higher is closer.
        rows: int64, (n,), their rows in the view that was searched.
    """

    movie_ids: tuple[str, ...]
    scores: NDArray[np.float32]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.movie_ids)


@dataclass(frozen=True)
class TasteFactors:
    """Item factors of a collaborative model, and the map that predicts them.

    Args:
        movie_ids: n ids: every movie that has a row, rated or not.
        factors: float32, (n, taste_dim), rows of length at most 1; predicted ones for unrated movies.
        n_ratings: int32, (n,), how many ratings stand behind each row.
        map: float32, (visual_dim + n_genres + ERA_DIM + 1, taste_dim); ``taste_map.predict_taste`` reads it.
        model_id: Hash of settings and data the factors came from.
    """

    movie_ids: tuple[str, ...]
    factors: NDArray[np.float32]
    n_ratings: NDArray[np.int32]
    map: NDArray[np.float32]
    model_id: str


@dataclass(frozen=True)
class Facts:
    """What filters need of every row of an index, column by column; all arrays have one length.

    Args:
        movie_ids: UTF-8 bytes, numpy kind ``S``.
        years: int16, 0 where unknown.
        genre_bits: uint32, or uint64 where there are more than 32 genres; bit i is set where the movie
            carries genre column i: its known genres, else the ones chosen from its poster.
        artwork_groups: int32, movies with the same number have near-identical posters; -1 for its own.
        n_ratings: int32.
        live: bool, False for rows that are removed or that a newer row replaces.
        known: uint8, bit 0, 1, 2 set where the row has its visual, genre, taste block; None says that
            every row has every block. The recommender compares a row only by the blocks it has.
    """

    movie_ids: NDArray[np.bytes_]
    years: NDArray[np.int16]
    genre_bits: NDArray[np.uint32] | NDArray[np.uint64]
    artwork_groups: NDArray[np.int32]
    n_ratings: NDArray[np.int32]
    live: NDArray[np.bool_]
    known: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.movie_ids)

    def take(self, positions: NDArray[np.int64]) -> Facts:
        """The facts at some positions, in that order."""
        return Facts(
            self.movie_ids[positions],
            self.years[positions],
            self.genre_bits[positions],
            self.artwork_groups[positions],
            self.n_ratings[positions],
            self.live[positions],
            None if self.known is None else self.known[positions],
        )

    @staticmethod
    def concatenate(parts: Sequence[Facts]) -> Facts:
        """The facts of at least one part, part by part."""
        return Facts(
            np.concatenate([one.movie_ids for one in parts]),
            np.concatenate([one.years for one in parts]),
            np.concatenate([one.genre_bits for one in parts]),
            np.concatenate([one.artwork_groups for one in parts]),
            np.concatenate([one.n_ratings for one in parts]),
            np.concatenate([one.live for one in parts]),
            np.concatenate([one.known_or_all() for one in parts]),
        )

    def known_or_all(self) -> NDArray[np.uint8]:
        """The column ``known``, written out where it stands for every block of every row."""
        return np.full(len(self), 7, dtype=np.uint8) if self.known is None else self.known


@dataclass(frozen=True)
class SnapshotManifest:
    """What a snapshot is and which catalog it stands for.

    Args:
        name: Directory name under ``snapshots/``.
        kind: ``exact``, ``scan`` or ``milvus``; ``catalog`` when no snapshot could be opened.
        fingerprint: Encoder that made the visual and predicted genre vectors.
        genres: Columns of the genre block, in order.
        widths: Widths of the blocks visual, genre, taste.
        spreads: Standard deviation of the cosine of random pairs per signal; 1 where unmeasured.
        count: Rows.
        revision: Catalog revision that the rows were read at.
        taste_model: Taste model whose factors stand in the taste block; None without one.
        default_weights: Weights by what is known of the query, e.g. ``{"default": [.75, .15, .1]}``.
        created_at: UTC, ISO 8601.
        files: Name to ``{"sha256": ..., "bytes": ...}`` of every other file of the directory.
    """

    name: str
    kind: str
    fingerprint: str
    genres: tuple[str, ...]
    widths: tuple[int, int, int]
    spreads: tuple[float, float, float] = (1.0, 1.0, 1.0)
    count: int = 0
    revision: int = 0
    taste_model: str | None = None
    default_weights: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    created_at: str = ""
    files: dict[str, dict[str, str | int]] = field(default_factory=dict)

    @property
    def dim(self) -> int:
        """Width of a joined row [visual | genre | taste]."""
        return sum(self.widths)


@dataclass(frozen=True)
class ReindexReport:
    """What one run of ``reindex`` did.

    Args:
        embedded: Posters encoded in this run.
        unchanged: Posters whose bytes this encoder has already seen, of those that the run looked at.
        removed: Embeddings dropped because their poster or movie vanished.
        failed: Posters that could not be read, by movie.
        posters_per_second: Encoding rate of this run; 0 when nothing was encoded.
        snapshot: Name of the published snapshot.
    """

    embedded: int
    unchanged: int
    removed: int
    failed: tuple[UnreadablePoster, ...]
    posters_per_second: float
    snapshot: str

    def as_json(self) -> dict[str, object]:
        """The document that ``onesheet reindex --json`` prints."""
        return asdict(self) | {"failed": [asdict(one) for one in self.failed]}


class PosterEncoder(Protocol):
    """What ``reindex`` and ``put_movie`` need of an encoder."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def genres(self) -> GenreVocabulary: ...
    @property
    def embedding_dim(self) -> int: ...

    def encode(self, posters: Sequence[Poster]) -> EncodedPosters: ...

    def encode_batches(
        self, posters: Iterable[Poster], batch_size: int, workers: int | None
    ) -> Iterator[EncodedPosters]: ...

    def choose(self, genre_probs: NDArray[np.float32]) -> NDArray[np.bool_]: ...
