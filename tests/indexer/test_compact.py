"""A grown overlay is folded into a new snapshot by a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from embeddings.encoded import Poster
from indexer import compact, growth
from indexer.catalog import Catalog, MovieFacts
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.settings import Settings
from indexer.snapshots import SnapshotStore


def test_a_grown_overlay_is_compacted_while_the_old_snapshot_answers(
    settings: Settings,
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    draw_poster: Callable[[str], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growth, "LEAST_OVERLAY", 5)
    add_movies(["a", "b", "c"])
    before = reindex(catalog, small_encoder, store, options=ReindexOptions(progress=False)).snapshot
    compactor = compact.Compactor(settings)
    reader = IndexReader(catalog, store, [compactor.watch])
    ids = [f"new{i}" for i in range(6)]
    catalog.upsert_movies([MovieFacts(one) for one in ids[:5]], "csv")
    assert reader.view().manifest.name == before
    assert not compactor.is_running()
    catalog.upsert_movies([MovieFacts(one) for one in ids[5:]], "csv")
    encoded = small_encoder.encode([Poster(one, draw_poster(one)) for one in ids])
    catalog.save_embeddings(
        encoded, small_encoder.fingerprint, small_encoder.choose(encoded.genre_probs), ["0" * 64] * 6
    )
    view = reader.view()
    assert (view.manifest.name, len(view)) == (before, 9)
    assert compactor.wait() == 0
    view = reader.refresh()
    assert view.manifest.name != before
    assert (view.manifest.count, view.overlay_size, len(view)) == (9, 0, 9)
