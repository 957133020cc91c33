"""Movies that people rated: does one that a person liked lead to another that the person liked?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import InvalidRequestError
from indexer.types import Rows
from recommender.defaults import WELL_RATED, default_weights, rest_weights
from recommender.evaluation.baselines import fit_als, taste_models
from recommender.evaluation.data import CatalogData, with_genres, with_taste
from recommender.evaluation.judge import Questions, judge
from recommender.evaluation.matched import Matched, MatchRules, draw_matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.outcome import Figures, Outcome, RowResult
from recommender.evaluation.people import People, drop_acquainted, split_people
from recommender.evaluation.scorers import Blend, Chance, Fixed, InnerProduct, Opened, Scorer
from recommender.learned_weights import WeightLearner
from recommender.taste import TasteModel
from recommender.weight_choice import best_weights, make_lesson, scale_of

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


def judge_warm(data: CatalogData, others: People | None, options: JudgeOptions) -> Outcome:
    """Judge by people who were not learned from, on movies that were rated.

    Args:
        data: The catalog.
        others: People of a file to judge by; None splits the catalog's own.
        options: How.

    Raises:
        InvalidRequestError: Too few ratings to ask a single question.
    """
    outcome = Outcome("warm", HEADLINE, options.seed)
    chosen: list[str] = []
    for split in splits(data, others, options):
        popularity = split.learned.n_ratings
        allowed = data.rows.known[:, 0] & (popularity + split.asked.n_ratings > 0)
        questions = ask(data, split, popularity, allowed)
        name, taste = best_taste(data, split)
        chosen.append(name)
        rows = with_taste(
            data.rows, TasteModel().fit(split.learned.as_ratings(data.rows.movie_ids), data.rows)
        )
        learned = WeightLearner(seed=split.seed).fit(split.learned.as_ratings(data.rows.movie_ids), data.rows)
        scorers = content_scorers(data, popularity, split.seed, options)
        scorers |= {"taste": taste, "taste_inner_product": fit_als(split.learned, unit=False)}
        scorers |= blends(rows, learned, questions.matched)
        add_split(outcome, scorers, questions, split, data.known_genres)
        outcome.popularity.append(popularity[questions.matched.candidates[:, 0]])
        outcome.notes["default_weights"] = learned
    outcome.notes["taste_models"] = chosen
    outcome.notes["comparisons"] = [
        outcome.gain(row, against)
        for row, against in (
            ("blend_default", "taste"),
            ("blend_default", "taste_inner_product"),
            ("blend_default", "taste_placed"),
            ("blend_default", "genre_known"),
            ("taste_placed", "taste"),
        )
    ]
    return outcome


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


def blends(
    rows: Rows, learned: Mapping[str, tuple[float, float, float]], questions: Matched
) -> dict[str, Scorer]:
    """Our taste block alone, the default blend, and the best fixed blend in hindsight."""
    scale = scale_of(rows)
    kinds = np.where(rows.n_ratings >= WELL_RATED, "rated", np.where(rows.n_ratings > 0, "few", "unrated"))
    opening = {kind: default_weights(learned, kind) for kind in ("rated", "few", "unrated")}
    rest = {kind: rest_weights(learned, kind) or opening[kind] for kind in opening}
    by_opening, by_rest = (
        Blend(rows, scale, np.array([weights[kind].as_tuple() for kind in kinds.tolist()]))
        for weights in (opening, rest)
    )
    hindsight = np.array(best_weights(make_lesson("hindsight", rows, questions)))
    return {
        "taste_placed": Blend(rows, scale, np.array([0.0, 0.0, 1.0])),
        "blend_default": Opened(by_opening, by_rest),
        "blend_opening": by_opening,
        "blend_best": Blend(rows, scale, hindsight),
    }


def best_taste(data: CatalogData, split: Split) -> tuple[str, Scorer]:
    """The taste-only model that is best on people held out from those learned from, fitted to all of them."""
    fitted, validated = split_people(split.learned, (0.75, 0.25), split.seed)
    allowed = data.rows.known[:, 0] & (split.learned.n_ratings > 0)
    rng = np.random.default_rng(split.seed)
    questions = draw_matched(validated, fitted.n_ratings, data.films, allowed, rng)
    found = {}
    for name, fit in taste_models().items():
        ranks = rank_of_first(fit(fitted).pairs(questions.queries, questions.candidates))
        found[name] = float(ndcg_of_rank(ranks).mean()) if len(ranks) else 0.0
    best = max(found, key=lambda name: found[name])
    return best, taste_models()[best](split.learned)


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


def predicted_only(data: CatalogData) -> Rows:
    """The rows of a catalog that was told no genres."""
    return with_genres(replace(data.rows), data.predicted_genres)


def _first_of_each(people: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """The first questions of each person; ``people`` ascends."""
    starts = np.searchsorted(people, people, side="left")
    return np.asarray(np.arange(len(people)) - starts < most)
