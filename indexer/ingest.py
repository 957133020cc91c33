"""One movie in or out of the catalog, found by every reader when the call returns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.encoded import EncodedPosters, Poster
from embeddings.errors import CatalogError, NotFoundError, PosterError, SnapshotError
from indexer.catalog import Catalog, MovieFacts
from indexer.durable import write_durably
from indexer.scan import hash_file
from indexer.snapshots import SnapshotStore
from indexer.taste_map import predict_taste as predicted_rows
from indexer.types import Movie, PosterEncoder, TasteFactors

_SUFFIXES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"RIFF": ".webp"}


@dataclass(frozen=True)
class StoredMovie:
    """A movie as it stands after it was put in; ``created`` where it was not there before."""

    movie: Movie
    created: bool


def put_movie(
    catalog: Catalog,
    store: SnapshotStore,
    load_encoder: Callable[[], PosterEncoder],
    facts: MovieFacts,
    poster: bytes | None = None,
) -> StoredMovie:
    """Put a movie in, or change what is known of it.

    The poster is encoded first, its file written next, and everything else
    committed in one transaction: a process that dies in between leaves the
    movie as it was, and at worst a file that nothing refers to.

    Args:
        catalog: The truth.
        store: Its snapshots.
        load_encoder: Called only where there is a poster.
        facts: What is said of the movie; None keeps what was known.
        poster: Bytes of its poster; None keeps the one it has.

    Raises:
        PosterError: The poster cannot be read.
        InvalidRequestError: The movie id cannot be one.
        CatalogError: The catalog cannot be written, or is another encoder's.
        OSError: The poster file cannot be written.
    """
    encoder = None if poster is None else load_encoder()
    encoded = encode_one(encoder, facts.movie_id, poster) if encoder and poster else None
    before = catalog.find_movies([facts.movie_id]).get(facts.movie_id)
    with ExitStack() as undo, catalog.transaction():
        catalog.upsert_movies([facts], "edit")
        complete_publishing(catalog, store)
        if encoder and encoded and poster:
            _check_in_use(catalog, encoder)
            path = _keep_file(catalog, facts.movie_id, poster)
            if before is None or before.poster != str(path):
                undo.callback(path.unlink, missing_ok=True)
            _save_poster(catalog, encoder, encoded, path)
        predict_taste(catalog, [facts.movie_id])
        undo.pop_all()
    movie = catalog.get_movie(facts.movie_id)
    if before is not None and before.poster != movie.poster:
        _drop_file(catalog, before)
    return StoredMovie(movie, before is None)


def remove_movie(catalog: Catalog, movie_id: str) -> int:
    """Take a movie out, and its poster file where it was put in with one.

    Returns:
        The catalog's revision since when it is gone.

    Raises:
        NotFoundError: The catalog does not have it.
    """
    if not remove_movies(catalog, [movie_id]):
        raise NotFoundError(f"There is no movie {movie_id!r} in the catalog.")
    return catalog.revision()


def remove_movies(catalog: Catalog, movie_ids: Sequence[str]) -> tuple[str, ...]:
    """Take movies out, and the poster files of those that were put in with one.

    Returns:
        Those that were in the catalog, sorted.

    Raises:
        CatalogError: The catalog cannot be written.
    """
    movies = catalog.find_movies(movie_ids)
    removed = catalog.remove_movies(movie_ids)
    for movie_id in removed:
        if movie_id in movies:
            _drop_file(catalog, movies[movie_id])
    return removed


def complete_publishing(catalog: Catalog, store: SnapshotStore) -> None:
    """Put the models of the current snapshot in use, where its publisher died before it could."""
    try:
        manifest = store.manifest()
    except SnapshotError:
        return  # the reader and `verify` report it; a movie can be put in all the same
    if manifest is not None and catalog.encoder_of(manifest.fingerprint) is not None:
        catalog.activate(manifest.fingerprint, manifest.taste_model)


def encode_one(encoder: PosterEncoder, movie_id: str, poster: bytes) -> EncodedPosters:
    """Encode a single poster.

    Raises:
        PosterError: It cannot be read.
    """
    encoded = encoder.encode([Poster(movie_id, poster)])
    if encoded.failed:
        raise PosterError(encoded.failed[0].error)
    return encoded


def predict_taste(catalog: Catalog, movie_ids: Sequence[str]) -> None:
    """Place those of the movies that nobody rated by taste, where a taste model is in use."""
    active = catalog.active()
    if active.fingerprint is None or active.taste_model is None:
        return
    rows = catalog.read_rows(active.fingerprint, active.taste_model, movie_ids).rows
    taste_map = catalog.find_map(active.taste_model)
    rows = rows.take(np.flatnonzero(~(rows.known[:, 2] & (rows.n_ratings > 0))))
    if taste_map is None or not len(rows):
        return
    factors = predicted_rows(rows.visual, rows.genre, taste_map, rows.years)
    n_ratings = np.zeros(len(rows), dtype=np.int32)
    catalog.save_taste(TasteFactors(rows.movie_ids, factors, n_ratings, taste_map, active.taste_model))


def _check_in_use(catalog: Catalog, encoder: PosterEncoder) -> None:
    """Refuse rows that no reader would find: those of an encoder that a reindex has just replaced."""
    active = catalog.active().fingerprint
    if active is not None and active != encoder.fingerprint:
        raise CatalogError(
            f"The poster was read by encoder {encoder.fingerprint[:12]}, but the catalog is "
            f"{active[:12]}'s by now: send it again, or run `onesheet reindex`."
        )


def _save_poster(catalog: Catalog, encoder: PosterEncoder, encoded: EncodedPosters, path: Path) -> None:
    movie_id = encoded.movie_ids[0]
    catalog.add_encoder(encoder.fingerprint, encoder.genres, encoder.embedding_dim)
    if catalog.active().fingerprint is None:
        catalog.activate(encoder.fingerprint, None)
    file = hash_file(movie_id, path)
    catalog.set_posters({movie_id: path})
    catalog.save_poster_files([file])
    chosen = encoder.choose(encoded.genre_probs)
    catalog.save_embeddings(encoded, encoder.fingerprint, chosen, [file.sha256 or ""])


def _keep_file(catalog: Catalog, movie_id: str, poster: bytes) -> Path:
    """Write a poster under the home, named by movie and content, so that a new one never overwrites."""
    suffix = next((suffix for magic, suffix in _SUFFIXES.items() if poster.startswith(magic)), ".jpg")
    digest = hashlib.sha256(poster).hexdigest()[:16]
    path = catalog.home / "posters" / f"{movie_id}.{digest}{suffix}"
    if not path.exists():
        write_durably(path, poster)
    return path


def _drop_file(catalog: Catalog, movie: Movie) -> None:
    """Delete the file of a poster that was kept under the home; others belong to the user."""
    if movie.poster is not None and Path(movie.poster).parent == catalog.home / "posters":
        Path(movie.poster).unlink(missing_ok=True)
