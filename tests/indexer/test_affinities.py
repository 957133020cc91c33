from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import SnapshotError
from indexer.affinities import (
    AFFINITIES_FILE,
    BELIEVED_HALF,
    Affinities,
    Agreement,
    affinities_bytes,
    parse_affinities,
)
from indexer.catalog import Catalog
from indexer.compact import compact
from indexer.learning import Fitters
from indexer.reader import IndexReader
from indexer.reindex import ReindexOptions, reindex
from indexer.snapshots import SnapshotStore
from indexer.types import Ratings, Rows
from indexer.verify import repair, verify

QUIET = ReindexOptions(progress=False)
KNOWN = Affinities(
    np.array([b"tt1", b"tt2", b"tt3"]),
    np.array([0, 2, 3, 3]),
    np.array([1, 2, 0], dtype=np.int32),
    np.array([0.5, 0.25, 0.5], dtype=np.float32),
    np.array([200, 40, 200], dtype=np.int32),
    "some ratings",
)


class Pairs:
    """Finds the same whatever was rated, and counts how often it looked."""

    identity = "pairs"

    def __init__(self) -> None:
        self.n_fits = 0

    def fit(self, ratings: Ratings, movie_ids: tuple[str, ...]) -> Affinities:
        self.n_fits += 1
        return replace(KNOWN, source="")


class EvenWeights:
    identity = "even"

    def fit(
        self, ratings: Ratings, rows: Rows, predicted_genres: NDArray[np.float32]
    ) -> dict[str, tuple[float, float, float]]:
        return {}


def test_affinities_read_back_as_they_were_written() -> None:
    read = parse_affinities(affinities_bytes(KNOWN))
    assert read.source == KNOWN.source
    assert [read.of(one) for one in ("tt1", "tt2", "tt3")] == [KNOWN.of(one) for one in ("tt1", "tt2", "tt3")]


def test_the_movies_of_a_movie_come_strongest_first_with_how_many_people_agree() -> None:
    assert KNOWN.of("tt1") == {"tt2": Agreement(0.5, 200), "tt3": Agreement(0.25, 40)}
    assert list(KNOWN.of("tt1")) == ["tt2", "tt3"]
    assert KNOWN.of("tt3") == {}


@pytest.mark.parametrize("unknown", ["tt0", "tt9", "", "tt10000000000"])
def test_a_movie_that_nobody_looked_at_has_none(unknown: str) -> None:
    assert KNOWN.of(unknown) == {}


def test_half_of_a_correlation_is_believed_at_so_many_people() -> None:
    assert Agreement(0.6, int(BELIEVED_HALF)).strength == pytest.approx(0.3)


@pytest.mark.parametrize(
    "data",
    [b"", b"no archive", affinities_bytes(replace(KNOWN, ends=KNOWN.ends[:-1]))],
    ids=["empty", "garbage", "short"],
)
def test_bytes_that_are_no_affinities_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="onesheet reindex"):
        parse_affinities(data)


@pytest.fixture
def alike(
    catalog: Catalog, store: SnapshotStore, small_encoder: Any, add_movies: Callable[..., None]
) -> SnapshotStore:
    """A published snapshot of twelve posters with affinities."""
    add_movies([f"tt{i}" for i in range(12)])
    reindex(catalog, small_encoder, store, Fitters(weights=EvenWeights(), affinities=Pairs()), QUIET)
    return store


def rate(catalog: Catalog) -> None:
    names = [np.array([name], dtype=object) for name in ("somebody", "tt1")]
    catalog.add_ratings(Ratings(*names, np.array([4.0], np.float32), np.array([1])))


def test_affinities_are_published_with_their_snapshot_and_fitted_once(
    catalog: Catalog, alike: SnapshotStore, small_encoder: Any
) -> None:
    view = IndexReader(catalog, alike).view()
    assert view.affinities is not None
    assert view.affinities.of("tt1") == KNOWN.of("tt1")
    assert AFFINITIES_FILE in view.manifest.files
    fitter = Pairs()
    again = reindex(
        catalog, small_encoder, alike, Fitters(weights=EvenWeights(), affinities=fitter), QUIET
    ).snapshot
    assert (fitter.n_fits, again) == (0, view.manifest.name)


def test_other_ratings_have_affinities_fitted_anew(
    catalog: Catalog, alike: SnapshotStore, small_encoder: Any
) -> None:
    rate(catalog)
    fitter = Pairs()
    reindex(catalog, small_encoder, alike, Fitters(weights=EvenWeights(), affinities=fitter), QUIET)
    assert fitter.n_fits == 1


def test_compaction_carries_affinities_on(
    catalog: Catalog, alike: SnapshotStore, add_movies: Callable[..., None]
) -> None:
    before = alike.beside().affinities
    catalog.remove_movies(["tt7"])
    compact(catalog, alike)
    after = alike.beside().affinities
    assert before is not None and after is not None
    assert (after.source, after.of("tt1")) == (before.source, before.of("tt1"))


def test_affinities_that_were_changed_are_found_by_verify_and_back_after_a_reindex(
    catalog: Catalog, alike: SnapshotStore, small_encoder: Any
) -> None:
    manifest = alike.manifest()
    assert manifest is not None
    path = alike.directory / manifest.name / AFFINITIES_FILE
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)
    assert f"{AFFINITIES_FILE} is damaged" in verify(catalog, alike).problems[0]
    assert repair(catalog, alike).ok
    assert alike.beside().affinities is None
    reindex(catalog, small_encoder, alike, Fitters(weights=EvenWeights(), affinities=Pairs()), QUIET)
    assert alike.beside().affinities is not None
