"""What the protocols share: how people are split, what is asked, and the rows that need no ratings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.types import Rows
from recommender.evaluation.data import CatalogData
from recommender.evaluation.judge import Questions, judge
from recommender.evaluation.matched import MatchRules, draw_matched
from recommender.evaluation.outcome import Figures, Outcome, RowResult
from recommender.evaluation.people import People, drop_acquainted, split_people
from recommender.evaluation.scorers import Chance, Fixed, InnerProduct, Scorer

HEADLINE = "matched_ndcg_at_10"
TESTED_SHARE = 0.2
FULL_PER_PERSON = 3


@dataclass(frozen=True)
class JudgeOptions:
    """How a protocol is run.

    Args:
        seed: Of the first split; the others take the next numbers.
        repeats: Splits.
        looks: Further ways to see a poster, name to unit rows, (n_movies, dim), that are judged beside.
    """

    seed: int = 0
    repeats: int = 3
    looks: Mapping[str, NDArray[np.float32]] | None = None


@dataclass(frozen=True)
class Split:
    """People who are learned from and people who are asked; they have nobody in common."""

    learned: People
    asked: People
    seed: int


def splits(data: CatalogData, others: People | None, options: JudgeOptions) -> Iterator[Split]:
    """Deal people anew for each repeat; other people's ratings are never dealt to those learned from."""
    everybody = People.of_ratings(data.ratings, data.rows.movie_ids)
    for seed in range(options.seed, options.seed + options.repeats):
        if others is not None:
            yield Split(everybody, drop_acquainted(others, everybody), seed)
        else:
            learned, asked = split_people(everybody, (1 - TESTED_SHARE, TESTED_SHARE), seed)
            yield Split(learned, asked, seed)


def ask(
    data: CatalogData, split: Split, popularity: NDArray[np.int64], allowed: NDArray[np.bool_]
) -> Questions:
    """Draw the questions of a split.

    Raises:
        InvalidRequestError: There is none.
    """
    rng = np.random.default_rng(split.seed)
    matched = draw_matched(split.asked, popularity, data.films, allowed, rng)
    if not len(matched):
        raise InvalidRequestError(
            f"{len(split.asked)} people and {int(allowed.sum())} rated movies give no question to judge by; "
            "at least 150 movies with posters must be rated, and people must have liked two of them."
        )
    loose = draw_matched(split.asked, popularity, data.films, allowed, rng, MatchRules(balanced=False))
    full = loose.take(_first_of_each(loose.people, FULL_PER_PERSON))
    return Questions(matched, loose, full)


def content_scorers(
    data: CatalogData, popularity: NDArray[np.int64], seed: int, options: JudgeOptions
) -> dict[str, Scorer]:
    """Rows that know no rating but how many there are."""
    known = data.known_genres.astype(np.float32)
    known /= np.maximum(np.linalg.norm(known, axis=1, keepdims=True), 1e-12)
    looks = options.looks or {}
    return {
        "random": Chance(len(data), seed),
        "popularity": Fixed(popularity.astype(np.float64)),
        "genre_known": InnerProduct(known),
        "genre_predicted": InnerProduct(data.predicted_genres),
        "visual": InnerProduct(data.rows.visual),
        **{name: InnerProduct(rows) for name, rows in looks.items()},
        "era": InnerProduct(era_rows(data.rows)),
    }


def era_rows(rows: Rows) -> NDArray[np.float32]:
    """Rows whose inner product falls with the years between two movies; zero where a year is unknown."""
    years = rows.years_or_zero().astype(np.float32)
    centres = np.arange(1890, 2030, 5, dtype=np.float32)
    bumps = np.exp(-0.5 * ((years[:, None] - centres) / 7.0) ** 2) * (years[:, None] > 0)
    return np.asarray(bumps / np.maximum(np.linalg.norm(bumps, axis=1, keepdims=True), 1e-12), np.float32)


def add_split(
    outcome: Outcome,
    scorers: Mapping[str, Scorer],
    questions: Questions,
    split: Split,
    genres: NDArray[np.bool_],
) -> None:
    """Judge every row of a split and add what was found."""
    outcome.askers.append(split.asked.user_ids[questions.matched.people])
    matched_names = split.asked.user_ids[np.unique(questions.matched.people)]
    loose_names = split.asked.user_ids[np.unique(questions.loose.people)]
    for name, scorer in scorers.items():
        verdict = judge(scorer, questions, split.asked, genres)
        result = outcome.rows.setdefault(name, RowResult())
        for metric, values in verdict.by_person.items():
            names = matched_names if metric.startswith("matched") else loose_names
            result.metrics.setdefault(metric, []).append(Figures(names, values))
        result.questions.append(verdict.question_ndcg)
        for figure, value in verdict.of_lists.items():
            result.of_lists.setdefault(figure, []).append(value)
    outcome.people |= set(matched_names.tolist())
    outcome.n_queries += len(questions.matched)
    outcome.n_left_out += questions.matched.n_left_out


def _first_of_each(people: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """The first questions of each person; ``people`` ascends."""
    starts = np.searchsorted(people, people, side="left")
    return np.asarray(np.arange(len(people)) - starts < most)
