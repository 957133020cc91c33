from __future__ import annotations

import numpy as np
import pytest

from indexer.types import Rows
from recommender.blend import Scale, blend, cosines, weights_in_force
from recommender.evaluation.scorers import Blend, Fixed, InnerProduct, ItemItem, Opened, in_force
from recommender.types import Weights


def partly_known(n: int = 30) -> Rows:
    rng = np.random.default_rng(5)
    blocks = []
    known = rng.random((n, 3)) < 0.7
    known[:, 1] |= ~known.any(axis=1)
    for i, width in enumerate((6, 4, 5)):
        block = rng.normal(size=(n, width)).astype(np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        blocks.append(block * known[:, [i]])
    return Rows(tuple(f"tt{i}" for i in range(n)), *blocks, known, np.zeros(n, np.int32))


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.2, 0.3, 0.5), (0.0, 0.5, 0.5)])
def test_the_judged_blend_is_the_blend_that_is_served(weights: tuple[float, float, float]) -> None:
    rows = partly_known()
    scale = Scale(np.array([0.01, 0.2, 0.1]), np.array([0.3, 0.2, 0.5]))
    scorer = Blend(rows, scale, np.array(weights))
    everything = np.arange(len(rows))
    for query in range(len(rows)):
        like = rows.take(np.array([query]))
        wanted = weights_in_force(Weights(*weights), rows.known[query], Weights(1, 1, 1))
        expected = blend(cosines(like, rows), wanted, scale)
        judged = scorer.pairs(np.array([query]), everything[None])[0]
        served = ~np.isnan(expected)
        order = np.argsort(judged[served], kind="stable")
        np.testing.assert_allclose(judged[served], expected[served], atol=1e-5)
        assert (np.diff(expected[served][order]) >= -1e-5).all()
        np.testing.assert_allclose(scorer.everything(np.array([query]))[0], judged, atol=1e-6)


def test_weights_of_many_queries_are_shared_out_as_those_of_one() -> None:
    known = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1) if a + b + c], dtype=bool)
    wanted = np.tile([0.5, 0.3, 0.2], (len(known), 1))
    for mine, row in zip(in_force(wanted, known), known, strict=True):
        one = weights_in_force(Weights(0.5, 0.3, 0.2), row, Weights(1, 1, 1))
        np.testing.assert_allclose(mine, one.as_tuple())


def test_an_inner_product_scores_pairs_and_everything_alike() -> None:
    items = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    scorer, queries = InnerProduct(items), np.array([3, 1])
    whole = scorer.everything(queries)
    np.testing.assert_allclose(whole, items[queries] @ items.T, rtol=1e-5)
    np.testing.assert_allclose(
        scorer.pairs(queries, np.array([[0, 2], [5, 1]])), whole[[[0], [1]], [[0, 2], [5, 1]]], atol=1e-6
    )


def test_a_table_answers_for_the_movies_it_has_and_puts_the_others_last() -> None:
    table = np.array([[0.0, 0.7], [0.2, 0.0]], dtype=np.float32)
    scorer = ItemItem(table, np.array([-1, 0, 1]))
    found = scorer.pairs(np.array([1, 0]), np.array([[2, 0], [1, 2]]))
    assert found[0].tolist() == [pytest.approx(0.7), -1.0]
    assert found[1].tolist() == [-1.0, -1.0]
    assert scorer.everything(np.array([2]))[0].tolist() == [-1.0, pytest.approx(0.2), 0.0]


def test_a_fixed_score_does_not_ask_who_asks() -> None:
    scorer = Fixed(np.array([3.0, 1.0]))
    assert scorer.everything(np.array([0, 1])).tolist() == [[3.0, 1.0], [3.0, 1.0]]
    assert scorer.pairs(np.array([0]), np.array([[1, 0]])).tolist() == [[1.0, 3.0]]


@pytest.mark.parametrize("lifted", [None, 31])
def test_the_nearest_and_the_lifted_open_a_list_in_one_order_and_it_goes_on_in_the_other(lifted) -> None:
    rng = np.random.default_rng(2)
    opening, rest = (InnerProduct(rng.normal(size=(40, 5)).astype(np.float32)) for _ in range(2))
    queries = np.array([3, 17, 3])
    lift = None if lifted is None else Fixed((np.arange(40) == lifted).astype(np.float64))
    led = Opened(opening, rest, lift, sizes=(4, 12))
    for i, query in enumerate(queries.tolist()):
        order = np.argsort(-led.everything(queries)[i])
        order = order[order != query]
        first, behind = (one.everything(np.array([query]))[0] for one in (opening, rest))
        others = np.delete(np.arange(40), query)
        near = {*others[np.argsort(-behind[others])][:12].tolist(), lifted}
        expected = [m for m in others[np.argsort(-first[others])].tolist() if m in near][:4]
        expected += [m for m in others[np.argsort(-behind[others])].tolist() if m not in expected]
        assert order.tolist() == expected
        candidates = rng.permutation(others)[:20]
        judged = led.pairs(queries[[i]], candidates[None])[0]
        assert candidates[np.argsort(-judged)].tolist() == [m for m in expected if m in candidates]
