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
        of_lists: Figures of the top tens of the whole catalog: ``coverage``, the share of the catalog in
            at least one, and ``genre_agreement_at_10``, the mean Jaccard of known genres with the
            movie that asks. Empty without full rankings.
    """

    by_person: dict[str, NDArray[np.float64]]
    question_ndcg: NDArray[np.float64]
    of_lists: dict[str, float]


@dataclass(frozen=True)
class Questions:
    """The same questions for every row of a split.

    Args:
        matched: Headline questions.
        loose: Questions with the 99 nearest in popularity on whichever side.
        full: Questions whose queries also rank the whole catalog; None leaves full ranking out.
    """

    matched: Matched
    loose: Matched
    full: Matched | None


def judge(scorer: Scorer, questions: Questions, people: People, genres: NDArray[np.bool_]) -> Verdict:
    """Judge one scorer.

    Args:
        scorer: What is judged.
        questions: What is asked.
        people: Everybody who is asked.
        genres: Known genres of every movie, (n_movies, n_genres).
    """
    matched, loose, full = questions.matched, questions.loose, questions.full
    ranks = metrics.rank_of_first(scorer.pairs(matched.queries, matched.candidates))
    ndcg = metrics.ndcg_of_rank(ranks)
    by_person = {
        "matched_ndcg_at_10": mean_by_person(ndcg, matched.people),
        "matched_hr_at_10": mean_by_person(metrics.hit_of_rank(ranks), matched.people),
    }
    loose_ranks = metrics.rank_of_first(scorer.pairs(loose.queries, loose.candidates))
    by_person["nearest_ndcg_at_10"] = mean_by_person(metrics.ndcg_of_rank(loose_ranks), loose.people)
    if full is None:
        return Verdict(by_person, ndcg, {})
    figures, lists = _full_ranking(scorer, full, people)
    of_lists = {
        "coverage": metrics.coverage(lists[:, :10], people.values.shape[1]),
        "genre_agreement_at_10": _genre_agreement(genres, full.queries, lists[:, :10]),
    }
    return Verdict(by_person | figures, ndcg, of_lists)


def mean_by_person(figures: NDArray[np.float64], people: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean figure of each person, in the order of their positions: a heavy rater counts once."""
    _, index = np.unique(people, return_inverse=True)
    return np.asarray(np.bincount(index, figures) / np.maximum(np.bincount(index), 1))


def _full_ranking(
    scorer: Scorer, full: Matched, people: People
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Rank the whole catalog for each query; whatever else the person liked is relevant.

    Returns:
        Figures per person, and the first movies of each list, (m, 100).
    """
    n_movies = people.values.shape[1]
    n_liked = np.array([len(people.liked(person)) for person in full.people.tolist()])
    lists = np.empty((len(full), _DEPTH), dtype=np.int64)
    relevant = np.zeros((len(full), _DEPTH), dtype=bool)
    for start in range(0, len(full), _AT_ONCE):
        part = np.arange(start, min(start + _AT_ONCE, len(full)))
        scores = scorer.everything(full.queries[part])
        scores[np.arange(len(part)), full.queries[part]] = -np.inf
        lists[part] = metrics.top(scores, min(_DEPTH, n_movies))
        for i in part.tolist():
            relevant[i] = np.isin(lists[i], people.liked(int(full.people[i])))
    n_relevant = np.maximum(n_liked - 1, 1)
    figures = {
        "ndcg_at_10": metrics.ndcg_of_list(relevant, n_relevant, 10),
        "recall_at_10": metrics.recall_of_list(relevant, n_relevant, 10),
        "recall_at_100": metrics.recall_of_list(relevant, n_relevant, 100),
    }
    by_person = {name: mean_by_person(values, full.people) for name, values in figures.items()}
    return by_person, lists


def _genre_agreement(
    genres: NDArray[np.bool_], queries: NDArray[np.int64], lists: NDArray[np.int64]
) -> float:
    """Mean Jaccard with the movies of a list, over the movies that ask and whose genres are known."""
    known = genres[queries].any(axis=1)
    if not known.any():
        return float("nan")
    return float(metrics.jaccard(genres[queries[known]][:, None], genres[lists[known]]).mean())
