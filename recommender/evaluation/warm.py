"""Movies that people rated: does one that a person liked lead to another that the person liked?"""

from __future__ import annotations

import numpy as np

from recommender.evaluation.baselines import fit_als, taste_models
from recommender.evaluation.data import CatalogData
from recommender.evaluation.judge import mean_by_person
from recommender.evaluation.matched import draw_matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.ours import learn_ours, our_rows
from recommender.evaluation.outcome import NEAREST, Outcome
from recommender.evaluation.people import People, split_people
from recommender.evaluation.protocol import (
    HEADLINE,
    JudgeOptions,
    Split,
    add_split,
    ask,
    content_scorers,
    splits,
)
from recommender.evaluation.scorers import Scorer


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
        ours = learn_ours(split.learned, data.rows, data.predicted_genres, split.seed)
        scorers = content_scorers(data, popularity, split.seed, options)
        scorers |= {"taste": taste, "taste_inner_product": fit_als(split.learned, unit=False)}
        scorers |= our_rows(ours, questions.matched, data.told)
        add_split(outcome, scorers, questions, split, data.known_genres)
        outcome.popularity.append(popularity[questions.matched.candidates[:, 0]])
        outcome.notes["default_weights"] = dict(ours.weights)
    outcome.notes["taste_models"] = chosen
    gains = [
        outcome.gain(row, against)
        for row, against in (
            ("blend_default", "taste"),
            ("blend_default", "taste_inner_product"),
            ("blend_default", "taste_placed"),
            ("blend_default", "blend_unlifted"),
            ("blend_default", "genre_known"),
            ("taste_placed", "taste"),
        )
    ]
    # Where fame still helps, the model that follows it is the one to be compared with.
    gains += [outcome.gain("blend_default", one, NEAREST) for one in ("taste", "taste_inner_product")]
    outcome.notes["comparisons"] = gains
    outcome.notes["comparisons_by_decile"] = [outcome.gain_by_decile("blend_default", "taste")]
    return outcome


def best_taste(data: CatalogData, split: Split) -> tuple[str, Scorer]:
    """The taste-only model that is best on people held out from those learned from, fitted to all of them."""
    fitted, validated = split_people(split.learned, (0.75, 0.25), split.seed)
    allowed = data.rows.known[:, 0] & (split.learned.n_ratings > 0)
    rng = np.random.default_rng(split.seed)
    questions = draw_matched(validated, fitted.n_ratings, data.films, allowed, rng)
    found = {}
    for name, fit in taste_models().items():
        ranks = rank_of_first(fit(fitted).pairs(questions.queries, questions.candidates))
        by_person = mean_by_person(ndcg_of_rank(ranks), questions.people)
        found[name] = float(by_person.mean()) if len(by_person) else 0.0
    best = max(found, key=lambda name: found[name])
    return best, taste_models()[best](split.learned)
