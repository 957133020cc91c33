"""A movie is put in while the catalog goes over to another encoder, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from embeddings.errors import CatalogError, NotFoundError
from indexer.catalog import Catalog, MovieFacts
from indexer.ingest import put_movie
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from recommender.encoding import EncoderInUse

QUIET = ReindexOptions(progress=False)
IDS = [f"tt{i:07d}" for i in range(4)]
NEW = "b" * 64

on_both_databases = pytest.mark.parametrize(
    "settings", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def indexed(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> Catalog:
    """A catalog that was indexed by the small encoder."""
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    return catalog


@on_both_databases
def test_a_server_that_runs_puts_movies_in_under_the_encoder_that_replaced_its_own(
    indexed: Catalog,
    store: SnapshotStore,
    make_encoder: Any,
    small_encoder: Any,
    draw_poster: Callable[[str], bytes],
) -> None:
    on_disk = [small_encoder]
    encoders = EncoderInUse(lambda: on_disk[0], lambda: on_disk[0].fingerprint)
    reader = IndexReader(indexed, store)

    def put(movie_id: str) -> None:
        in_use = indexed.active().fingerprint
        put_movie(indexed, store, lambda: encoders.of(in_use), MovieFacts(movie_id), draw_poster(movie_id))

    put("before")
    on_disk[0] = make_encoder(NEW)
    put("between")
    reindex(indexed, on_disk[0], store, options=QUIET)
    put("after")
    view = reader.refresh()
    assert view.manifest.fingerprint == NEW
    assert view.find_rows(["before", "between", "after"]).known[:, 0].all()


@on_both_databases
def test_a_poster_read_by_an_encoder_that_was_just_replaced_is_refused_and_nothing_stored(
    indexed: Catalog,
    store: SnapshotStore,
    make_encoder: Any,
    small_encoder: Any,
    draw_poster: Callable[[str], bytes],
) -> None:
    def replaced_meanwhile() -> Any:
        reindex(indexed, make_encoder(NEW), store, options=QUIET)
        return small_encoder

    with pytest.raises(CatalogError, match="send it again"):
        put_movie(indexed, store, replaced_meanwhile, MovieFacts("new"), draw_poster("new"))
    with pytest.raises(NotFoundError):
        indexed.get_movie("new")
    assert not list((indexed.home / "posters").glob("new*"))
