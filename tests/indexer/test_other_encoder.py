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


@on_both_databases
def test_a_server_that_runs_puts_movies_in_under_the_encoder_that_replaced_its_own(
    catalog: Catalog,
    store: SnapshotStore,
    make_encoder: Any,
    small_encoder: Any,
    add_movies: Callable[..., None],
    draw_poster: Callable[[str], bytes],
) -> None:
    on_disk = [small_encoder]
    encoders = EncoderInUse(lambda: on_disk[0], lambda: on_disk[0].fingerprint)
    reader = IndexReader(catalog, store)

    def put(movie_id: str) -> None:
        in_use = catalog.active().fingerprint
        put_movie(catalog, store, lambda: encoders.of(in_use), MovieFacts(movie_id), draw_poster(movie_id))

    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    put("before")
    on_disk[0] = make_encoder(NEW)
    put("between")
    reindex(catalog, on_disk[0], store, options=QUIET)
    put("after")
    view = reader.refresh()
    assert view.manifest.fingerprint == NEW
    assert view.find_rows(["before", "between", "after"]).known[:, 0].all()


@on_both_databases
def test_a_poster_read_by_an_encoder_that_was_just_replaced_is_refused_and_nothing_stored(
    catalog: Catalog,
    store: SnapshotStore,
    make_encoder: Any,
    small_encoder: Any,
    add_movies: Callable[..., None],
    draw_poster: Callable[[str], bytes],
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)

    def replaced_meanwhile() -> Any:
        reindex(catalog, make_encoder(NEW), store, options=QUIET)
        return small_encoder

    with pytest.raises(CatalogError, match="send it again"):
        put_movie(catalog, store, replaced_meanwhile, MovieFacts("new"), draw_poster("new"))
    with pytest.raises(NotFoundError):
        catalog.get_movie("new")
    assert not list((catalog.home / "posters").glob("new*"))
