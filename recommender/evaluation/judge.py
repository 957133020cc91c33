"""Judge a scorer: matched questions, and full rankings beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation import metrics
from recommender.evaluation.matched import Matched
from recommender.evaluation.people import People
from recommender.evaluation.scorers import Scorer

_AT_ONCE = 128
_DEPTH = 100


@dataclass(frozen=True)
class Verdict:
    """Figures of one scorer under one split.

    Args:
        by_person: Metric to one figure per person, (n_people,), the same people in the same order
            for every scorer of the split.
        question_ndcg: float64, (m,), nDCG@10 of each matched question.
        coverage: Share of the catalog in at least one full top ten.
    """

    by_person: dict[str, NDArray[np.float64]]
    question_ndcg: NDArray[np.float64]
    coverage: float


def judge(scorer: Scorer, matched: Matched, people: People, full: Matched | None, loose: Matched) -> Verdict:
    """Judge one scorer.

    Args:
        scorer: What is judged.
        matched: Headline questions.
        people: Everybody who is asked.
        full: Questions whose queries also rank the whole catalog; None leaves full ranking out.
        loose: Questions with the 99 nearest in popularity on whichever side.
    """
    ranks = metrics.rank_of_first(scorer.pairs(matched.queries, matched.candidates))
    ndcg = metrics.ndcg_of_rank(ranks)
    by_person = {
        "matched_ndcg_at_10": mean_by_person(ndcg, matched.people),
        "matched_hr_at_10": mean_by_person(metrics.hit_of_rank(ranks), matched.people),
    }
    loose_ranks = metrics.rank_of_first(scorer.pairs(loose.queries, loose.candidates))
    by_person["nearest_ndcg_at_10"] = mean_by_person(metrics.ndcg_of_rank(loose_ranks), loose.people)
    if full is None:
        return Verdict(by_person, ndcg, float("nan"))
    figures, covered = _full_ranking(scorer, full, people)
    return Verdict(by_person | figures, ndcg, covered)


def mean_by_person(figures: NDArray[np.float64], people: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean figure of each person, in the order of their positions: a heavy rater counts once."""
    _, index = np.unique(people, return_inverse=True)
    return np.asarray(np.bincount(index, figures) / np.maximum(np.bincount(index), 1))


def _full_ranking(
    scorer: Scorer, full: Matched, people: People
) -> tuple[dict[str, NDArray[np.float64]], float]:
    """Rank the whole catalog for each query; whatever else the person liked is relevant."""
    n_movies = people.values.shape[1]
    n_liked = np.array([len(people.liked(person)) for person in full.people.tolist()])
    lists = np.empty((len(full), _DEPTH), dtype=np.int64)
    relevant = np.zeros((len(full), _DEPTH), dtype=bool)
    for start in range(0, len(full), _AT_ONCE):
        part = np.arange(start, min(start + _AT_ONCE, len(full)))
        scores = scorer.everything(full.queries[part])
        scores[np.arange(len(part)), full.queries[part]] = -np.inf
        lists[part] = top(scores, min(_DEPTH, n_movies))
        for i in part.tolist():
            relevant[i] = np.isin(lists[i], people.liked(int(full.people[i])))
    n_relevant = np.maximum(n_liked - 1, 1)
    figures = {
        "ndcg_at_10": metrics.ndcg_of_list(relevant, n_relevant, 10),
        "recall_at_10": metrics.recall_of_list(relevant, n_relevant, 10),
        "recall_at_100": metrics.recall_of_list(relevant, n_relevant, 100),
    }
    by_person = {name: mean_by_person(values, full.people) for name, values in figures.items()}
    return by_person, metrics.coverage(lists[:, :10], n_movies)


def top(scores: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Positions of the k highest of each row, highest first; equal scores by position."""
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
