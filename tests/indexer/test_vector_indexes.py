"""The contract of every kind of vector index, run by each of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.vectors.base import RowNeighbours, VectorIndex
from indexer.vectors.blocks import Widths, slices
from indexer.vectors.codes import CodedRows
from indexer.vectors.exact import ExactIndex
from indexer.vectors.milvus import MilvusIndex
from indexer.vectors.milvus_server import MilvusServer
from indexer.vectors.scan import ScanIndex

WIDTHS: Widths = (32, 8, 16)
N_ROWS = 3_000
KINDS: list[type[VectorIndex]] = [ExactIndex, ScanIndex]
WEIGHTS = [
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1 / 3, 1 / 3, 1 / 3),
    (0.6, 0.3, 0.1),
    (0.05, 0.9, 0.05),
    (0.02, 0.98, 0),
]


def some_rows(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit blocks in clusters; many rows share a genre vector, as movies do."""
    rng = np.random.default_rng(seed)
    genres = np.unpackbits(rng.integers(1, 256, (20, 1), dtype=np.uint8), axis=1)[rng.integers(0, 20, n)]
    centres = rng.standard_normal((30, WIDTHS[0]))
    visual = centres[rng.integers(0, 30, n)] + 0.5 * rng.standard_normal((n, WIDTHS[0]))
    taste = rng.standard_normal((n, WIDTHS[2]))
    blocks = [block / np.linalg.norm(block, axis=1, keepdims=True) for block in (visual, genres, taste)]
    return np.concatenate(blocks, axis=1).astype(np.float16).astype(np.float32)


def weighted(row: NDArray[np.float32], weights: tuple[float, float, float]) -> NDArray[np.float32]:
    query = row.copy()
    for part, weight in zip(slices(WIDTHS), weights, strict=True):
        query[part] *= weight
    return query


def brute_force(
    rows: NDArray[np.float32], query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None
) -> tuple[list[int], NDArray[np.float32]]:
    scores = (rows.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    at = np.arange(len(rows)) if allowed is None else np.flatnonzero(allowed)
    order = at[np.lexsort((at, -scores[at]))][:k]
    return order.tolist(), scores[order]


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float32]:
    return some_rows(N_ROWS)


@pytest.fixture(scope="module", params=[*KINDS, MilvusIndex], ids=lambda kind: kind.kind)
def index(
    request: pytest.FixtureRequest, rows: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory
) -> VectorIndex:
    """Each kind, saved and mapped again, as readers use it."""
    kind: type[VectorIndex] = request.param
    directory = tmp_path_factory.mktemp(kind.kind)
    if kind is MilvusIndex:
        kind = MilvusIndex.at(MilvusServer(f"{directory}-rows.db"))
    names = kind.build(rows, WIDTHS).save(directory)
    assert sorted(names) == sorted(path.name for path in directory.iterdir())
    return kind.load(directory, WIDTHS)


def check_answer(
    index: VectorIndex,
    rows: NDArray[np.float32],
    query: NDArray[np.float32],
    found: RowNeighbours,
    allowed: NDArray[np.bool_] | None = None,
) -> int:
    """Compare ten found rows with brute force; how many are as good as the true tenth."""
    expected, scores = brute_force(rows, query, 10, allowed)
    true = (rows[found.rows].astype(np.float64) @ query).astype(np.float32)
    assert len(found) == len(expected)
    assert len(set(found.rows.tolist())) == len(found)
    assert (np.diff(found.scores) <= 0).all()
    if index.exact:
        assert found.rows.tolist() == expected
        assert found.scores.tolist() == scores.tolist()
    # Scores are inner products with rows as they are stored.
    assert np.abs(found.scores - true).max(initial=0) < index.row_error * float(np.linalg.norm(query))
    return int((true >= scores[-1] - 1e-3 * np.linalg.norm(query)).sum()) if len(scores) else 0


@pytest.mark.parametrize("weights", WEIGHTS)
def test_any_blend_equals_brute_force(
    index: VectorIndex, rows: NDArray[np.float32], weights: tuple[float, float, float]
) -> None:
    right = 0
    for number in range(0, N_ROWS, 150):
        query = weighted(rows[number], weights)
        [found] = index.search(query[None], 10)
        right += check_answer(index, rows, query, found)
    assert right >= 0.99 * 200


@pytest.mark.parametrize("weights", [(0.6, 0.3, 0.1), (0.02, 0.98, 0)])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.05, 0.001])
def test_filters_are_applied_before_the_k_are_taken(
    index: VectorIndex,
    rows: NDArray[np.float32],
    share: float,
    weights: tuple[float, float, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("indexer.vectors.base.FEW_ROWS", 20)
    allowed = np.random.default_rng(1).random(N_ROWS) < share
    query = weighted(rows[7], weights)
    [by_mask] = index.search(query[None], 10, allowed)
    [by_rows] = index.search(query[None], 10, np.flatnonzero(allowed)[::-1].copy())
    assert by_mask.rows.tolist() == by_rows.rows.tolist()
    assert allowed[by_mask.rows].all()
    assert check_answer(index, rows, query, by_mask, allowed) == min(10, allowed.sum())


def test_equal_scores_come_in_the_order_of_the_rows(index: VectorIndex, rows: NDArray[np.float32]) -> None:
    query = weighted(rows[11], (0, 1, 0))
    same = np.flatnonzero((rows[:, slices(WIDTHS)[1]] == rows[11, slices(WIDTHS)[1]]).all(axis=1))
    assert len(same) > 50
    [found] = index.search(query[None], 20)
    assert found.rows.tolist() == same[:20].tolist()
    assert len(set(found.scores.tolist())) == 1


def test_an_answer_does_not_depend_on_the_batch(index: VectorIndex, rows: NDArray[np.float32]) -> None:
    queries = np.stack([weighted(row, (0.5, 0.2, 0.3)) for row in rows[:64]])
    together = index.search(queries, 10)
    for query, found in zip(queries, together, strict=True):
        [alone] = index.search(query[None], 10)
        assert alone.rows.tolist() == found.rows.tolist()
        assert alone.scores.tobytes() == found.scores.tobytes()


def test_asking_for_more_than_there_is_gives_every_row_once_and_no_padding(
    index: VectorIndex, rows: NDArray[np.float32]
) -> None:
    [found] = index.search(rows[:1], N_ROWS + 5)
    assert sorted(found.rows.tolist()) == list(range(N_ROWS))
    three = np.array([5, 2, 2999], dtype=np.int64)
    [found] = index.search(rows[:1], 10, three)
    assert sorted(found.rows.tolist()) == [2, 5, 2999]


def test_nothing_allowed_gives_nothing(index: VectorIndex, rows: NDArray[np.float32]) -> None:
    [found] = index.search(rows[:1], 10, np.zeros(N_ROWS, dtype=np.bool_))
    assert len(found) == 0


def test_rows_are_read_back(index: VectorIndex, rows: NDArray[np.float32]) -> None:
    wanted = np.array([2, 0, 2999, 2], dtype=np.int64)
    assert np.abs(index.read_rows(wanted) - rows[wanted]).max() < 1e-3


@pytest.mark.parametrize(
    ("query", "k", "allowed", "message"),
    [
        (np.zeros((1, 5), np.float32), 10, None, r"shape \(1, 5\)"),
        (np.zeros(56, np.float32), 10, None, r"shape \(56,\)"),
        (np.full((1, 56), np.nan, np.float32), 10, None, "not finite"),
        (np.zeros((1, 56), np.float32), 0, None, "k is 0"),
        (np.zeros((1, 56), np.float32), 1, np.ones(7, np.bool_), "mask"),
        (np.zeros((1, 56), np.float32), 1, np.array([N_ROWS]), "Allowed rows"),
    ],
)
def test_a_wrong_question_is_one_sentence(
    index: VectorIndex, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        index.search(query, k, allowed)


def test_a_search_leaves_the_query_as_it_was(index: VectorIndex, rows: NDArray[np.float32]) -> None:
    query = weighted(rows[:1][0], (0.2, 0.3, 0.5))[None]
    before = query.copy()
    index.search(query, 10)
    assert query.tobytes() == before.tobytes()


def test_a_filter_that_leaves_out_the_nearest_rows_still_fills_the_page(
    index: VectorIndex, rows: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.vectors.base.FEW_ROWS", 20)
    query = weighted(rows[7], (0.6, 0.3, 0.1))
    allowed = np.ones(N_ROWS, dtype=np.bool_)
    allowed[brute_force(rows, query, N_ROWS // 2)[0]] = False
    [found] = index.search(query[None], 10, allowed)
    assert check_answer(index, rows, query, found, allowed) == 10


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_genres_alone_are_ranked_exactly_by_every_kind(
    index: VectorIndex, rows: NDArray[np.float32], share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.vectors.base.FEW_ROWS", 20)
    allowed = np.random.default_rng(2).random(N_ROWS) < share if share < 1 else None
    for number in (3, 700, 2999):
        query = weighted(rows[number], (0, 1, 0))
        for k in (1, 10, 500):
            expected, _ = brute_force(rows, query, k, allowed)
            [found] = index.search(query[None], k, allowed)
            assert found.rows.tolist() == expected


def test_rows_without_a_poster_that_are_all_alike_do_not_hide_the_others() -> None:
    rows = some_rows(N_ROWS, seed=4)
    rows[:1500, slices(WIDTHS)[0]] = 0.0
    rows[:1500, slices(WIDTHS)[1]] = rows[0, slices(WIDTHS)[1]]
    rows[:1500, slices(WIDTHS)[2]] = 0.0
    for kind in KINDS:
        index = kind.build(rows, WIDTHS)
        right = 0
        for number in range(1500, N_ROWS, 75):
            query = weighted(rows[number], (0.6, 0.3, 0.1))
            right += check_answer(index, rows, query, index.search(query[None], 10)[0])
        assert right >= 0.99 * 200
        # The alike rows are found, too, from a query that only they suit.
        [found] = index.search(weighted(rows[0], (0.3, 0.4, 0.3))[None], 10)
        assert (found.scores == found.scores[0]).all()


@pytest.mark.parametrize("k", [100, 400])
def test_long_lists_are_as_good_as_short_ones(index: VectorIndex, rows: NDArray[np.float32], k: int) -> None:
    right = 0
    for number in range(0, N_ROWS, 300):
        query = weighted(rows[number], (0.5, 0.2, 0.3))
        expected, scores = brute_force(rows, query, k)
        [found] = index.search(query[None], k)
        assert len(found) == len(expected)
        true = rows[found.rows].astype(np.float64) @ query
        right += int((true >= scores[-1] - 1e-3).sum())
    assert right >= 0.99 * 10 * k


def test_twelve_bits_lose_a_sixteenth_of_what_eight_do() -> None:
    rows = some_rows(500)
    coded = CodedRows.encode(rows)
    numbers = np.arange(500, dtype=np.int64)
    eight = coded.coarse.reconstruct_batch(numbers)[:, : rows.shape[1]]
    lost = float(np.sqrt(((coded.read(numbers) - rows) ** 2).mean()))
    assert lost < 0.08 * float(np.sqrt(((eight - rows) ** 2).mean()))
