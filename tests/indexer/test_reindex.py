"""Reindexing real files into a real catalog, with a quick encoder at the border."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.catalog import Catalog, MovieFacts
from indexer.ingest import put_movie, remove_movie
from indexer.learning import Fitters
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.taste_map import ERA_DIM, PREDICTED_LENGTH
from indexer.types import Ratings, Rows, TasteFactors
from indexer.verify import repair

QUIET = ReindexOptions(progress=False, batch_size=4)
IDS = [f"tt{i:07d}" for i in range(20)]


class ColourTaste:
    """Taste factors that are the first columns of the visual block, so that tests know them."""

    identity = "colour"

    def __init__(self) -> None:
        self.n_fits = 0

    def fit(self, ratings: Ratings, rows: Rows) -> TasteFactors | None:
        self.n_fits += 1
        dim = rows.visual.shape[1] + rows.genre.shape[1] + ERA_DIM + 1
        taste_map = np.eye(dim, 5, dtype=np.float32)
        factors = rows.visual[:, :5]
        factors = factors / np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
        return TasteFactors(rows.movie_ids, factors, rows.n_ratings, taste_map, f"colour-{len(ratings)}")


def test_the_first_run_embeds_everything_and_the_second_nothing(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> None:
    add_movies(IDS)
    first = reindex(catalog, small_encoder, store, options=QUIET)
    assert (first.embedded, first.unchanged, first.removed, first.failed) == (20, 0, 0, ())
    second = reindex(catalog, small_encoder, store, options=QUIET)
    assert (second.embedded, second.unchanged, second.removed) == (0, 20, 0)
    assert small_encoder.n_encoded == 20
    assert second.snapshot == first.snapshot
    assert second.posters_per_second == 0.0


def test_one_deleted_one_changed_and_one_added_file_are_exactly_what_is_acted_on(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    posters_dir: Path,
    draw_poster: Callable[[str], bytes],
) -> None:
    add_movies(IDS)
    catalog.upsert_movies([MovieFacts("tt9999999", "Came later", 2001)], "csv")
    reindex(catalog, small_encoder, store, options=QUIET)
    (posters_dir / f"{IDS[0]}.png").unlink()
    (posters_dir / f"{IDS[1]}.png").write_bytes(draw_poster("something else"))
    (posters_dir / "tt9999999.jpg").write_bytes(draw_poster("new"))
    report = reindex(catalog, small_encoder, store, options=QUIET)
    assert (report.embedded, report.unchanged, report.removed) == (2, 18, 1)
    view = IndexReader(catalog, store).view()
    assert view.row_numbers([IDS[0], IDS[1], "tt9999999"]).tolist()[0] == -1
    found = view.find_rows([IDS[1]])
    expected = small_encoder.encode([_poster(IDS[1], draw_poster("something else"))]).embeddings[0]
    assert np.abs(found.visual[0] - expected).max() < 1e-3


def test_of_files_never_read_alone_new_ones_are_embedded_and_known_ones_are_not_looked_at(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    posters_dir: Path,
    draw_poster: Callable[[str], bytes],
) -> None:
    add_movies(IDS[:10])
    reindex(catalog, small_encoder, store, options=QUIET)
    (posters_dir / f"{IDS[0]}.png").unlink()
    (posters_dir / f"{IDS[1]}.png").write_bytes(draw_poster("something else"))
    add_movies(IDS[10:])
    (posters_dir / f"{IDS[18]}.png").write_bytes(b"not a picture")
    (posters_dir / f"{IDS[19]}.png").unlink()
    report = reindex(catalog, small_encoder, store, options=replace(QUIET, unread_only=True))
    assert (report.embedded, report.unchanged, report.removed) == (8, 0, 0)
    assert [one.movie_id for one in report.failed] == [IDS[18], IDS[19]]
    assert (IndexReader(catalog, store).view().row_numbers(IDS) >= 0).tolist() == [True] * 18 + [False] * 2
    whole = reindex(catalog, small_encoder, store, options=QUIET)
    assert (whole.embedded, whole.unchanged, whole.removed) == (1, 16, 1)
    assert [one.movie_id for one in whole.failed] == [IDS[18]]


def test_a_touched_file_with_the_same_bytes_is_not_embedded_again(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    posters_dir: Path,
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    path = posters_dir / f"{IDS[3]}.png"
    path.write_bytes(path.read_bytes())
    assert reindex(catalog, small_encoder, store, options=QUIET).embedded == 0


def test_an_unreadable_poster_is_reported_by_movie_and_the_others_go_on(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    posters_dir: Path,
) -> None:
    add_movies(IDS)
    (posters_dir / f"{IDS[5]}.png").write_bytes(b"not a picture")
    for _ in range(2):
        report = reindex(catalog, small_encoder, store, options=QUIET)
        assert [one.movie_id for one in report.failed] == [IDS[5]]
        assert report.as_json()["failed"][0]["poster"].endswith(f"{IDS[5]}.png")
    assert report.unchanged == 19


def test_a_missing_directory_is_a_disk_that_is_not_mounted_and_empties_nothing(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    posters_dir: Path,
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    posters_dir.rename(posters_dir.with_name("elsewhere"))
    report = reindex(catalog, small_encoder, store, options=QUIET)
    assert (report.removed, len(report.failed), report.unchanged) == (0, 20, 20)
    assert "is missing" in report.failed[0].error


def test_an_interrupted_run_is_taken_up_where_it_stopped(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> None:
    add_movies(IDS)
    batches = small_encoder.encode_batches

    def stops_after_two(*args: Any, **kwargs: Any) -> Any:
        for i, batch in enumerate(batches(*args, **kwargs)):
            if i == 2:
                raise KeyboardInterrupt
            yield batch

    small_encoder.encode_batches = stops_after_two
    with pytest.raises(KeyboardInterrupt):
        reindex(catalog, small_encoder, store, options=QUIET)
    assert store.pointer() is None
    small_encoder.encode_batches = batches
    report = reindex(catalog, small_encoder, store, options=QUIET)
    assert (report.embedded, report.unchanged) == (12, 8)


def test_another_encoder_embeds_again_while_the_old_snapshot_answers(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, make_encoder: Any, add_movies: Any
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    reader = IndexReader(catalog, store)
    newer = make_encoder("b" * 64)
    seen: list[str] = []
    batches = newer.encode_batches

    def watched(*args: Any, **kwargs: Any) -> Any:
        for batch in batches(*args, **kwargs):
            yield batch
            view = reader.view()
            assert len(view.search(view_row(view, IDS[0]), 5)) == 5
            seen.append(view.manifest.fingerprint)

    newer.encode_batches = watched
    report = reindex(catalog, newer, store, options=QUIET)
    assert (report.embedded, set(seen)) == (20, {"a" * 64})
    assert reader.refresh().manifest.fingerprint == "b" * 64
    assert catalog.active().fingerprint == "b" * 64


def test_taste_is_refreshed_and_a_new_movie_gets_it_predicted_from_its_poster(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    draw_poster: Callable[[str], bytes],
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, Fitters(ColourTaste()), QUIET)
    reader = IndexReader(catalog, store)
    assert reader.view().manifest.widths == (48, 3, 5)
    put_movie(catalog, store, lambda: small_encoder, MovieFacts("new"), draw_poster("new"))
    row = reader.view().find_rows(["new"])
    expected = PREDICTED_LENGTH * row.visual[0, :5] / np.linalg.norm(row.visual[0, :5])
    assert row.known[0].tolist() == [True, True, True]
    assert np.abs(row.taste[0] - expected).max() < 2e-3


class EvenWeights:
    """Weights that are told from the rest."""

    identity = "even"

    def fit(
        self, ratings: Ratings, rows: Rows, predicted_genres: NDArray[np.float32]
    ) -> dict[str, tuple[float, float, float]]:
        return {"rated": (0.25, 0.25, 0.5)}


def test_what_was_learned_is_learned_again_only_when_ratings_or_rows_changed(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> None:
    add_movies(IDS[:10])
    taste = ColourTaste()
    fitters = Fitters(taste, EvenWeights())
    first = reindex(catalog, small_encoder, store, fitters, QUIET)
    assert reindex(catalog, small_encoder, store, fitters, QUIET).snapshot == first.snapshot
    assert taste.n_fits == 1
    add_movies(IDS[10:])
    reindex(catalog, small_encoder, store, fitters, QUIET)
    assert taste.n_fits == 2


def test_a_lost_index_does_not_lose_the_learned_weights(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, Fitters(ColourTaste(), EvenWeights()), QUIET)
    shutil.rmtree(store.root)
    assert IndexReader(catalog, store).view().manifest.default_weights == {"rated": (0.25, 0.25, 0.5)}
    assert repair(catalog, store).repaired
    assert IndexReader(catalog, store).view().manifest.default_weights == {"rated": (0.25, 0.25, 0.5)}


def test_a_movie_is_found_when_the_call_that_put_it_in_returns_and_gone_when_it_is_removed(
    catalog: Catalog,
    store: SnapshotStore,
    small_encoder: Any,
    add_movies: Callable[..., None],
    draw_poster: Callable[[str], bytes],
) -> None:
    add_movies(IDS)
    reindex(catalog, small_encoder, store, options=QUIET)
    reader = IndexReader(catalog, store)
    for _ in range(2):
        stored = put_movie(catalog, store, lambda: small_encoder, MovieFacts("new"), draw_poster(IDS[4]))
        assert stored.created
        view = reader.view()
        nearest = view.search(view_row(view, "new"), 2)
        assert set(nearest.movie_ids) == {"new", IDS[4]}
        assert nearest.scores[0] == nearest.scores[1]
        remove_movie(catalog, "new")
        gone = reader.view()
        assert gone.row_numbers(["new"]).tolist() == [-1]
        assert "new" not in gone.search(view_row(gone, IDS[4]), 30).movie_ids
        assert not Path(stored.movie.poster or "").exists()


def _poster(movie_id: str, data: bytes) -> Any:
    from embeddings.encoded import Poster

    return Poster(movie_id, data)


def view_row(view: Any, movie_id: str) -> Any:
    rows = view.find_rows([movie_id])
    return np.concatenate([rows.visual, rows.genre, rows.taste], axis=1)[0]
