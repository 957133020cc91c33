"""Movies nobody rated: does a poster, and what else is known, lead to what people liked?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from indexer.types import Rows
from recommender.evaluation.data import CatalogData, with_genres, with_taste
from recommender.evaluation.ours import learn_ours, our_rows
from recommender.evaluation.outcome import Outcome
from recommender.evaluation.people import People
from recommender.evaluation.protocol import (
    HEADLINE,
    JudgeOptions,
    add_split,
    ask,
    content_scorers,
    splits,
)
from recommender.evaluation.scorers import Blend, Scorer
from recommender.learned_weights import COLD_SHARE
from recommender.taste import TasteModel
from recommender.weight_choice import scale_of


def judge_cold(data: CatalogData, others: People | None, options: JudgeOptions) -> Outcome:
    """Judge on a quarter of the rated movies, which lose every rating before anything is learned.

    The movie that asks, the one to be found and those beside it are all
    without ratings; they are matched by the popularity they had.

    Args:
        data: The catalog.
        others: People of a file to judge by; None splits the catalog's own.
        options: How.

    Raises:
        InvalidRequestError: Too few ratings to ask a single question.
    """
    outcome = Outcome("cold", HEADLINE, options.seed)
    for split in splits(data, others, options):
        former = split.learned.n_ratings
        rated = data.rows.known[:, 0] & (former + split.asked.n_ratings > 0)
        hidden = rated & (np.random.default_rng(split.seed).random(len(data)) < COLD_SHARE)
        people = split.learned.without_movies(hidden)
        questions = ask(data, split, former, hidden)
        ours = learn_ours(people, data.rows, data.predicted_genres, split.seed)
        scorers = content_scorers(data, former, split.seed, options)
        scorers |= our_rows(ours, questions.matched, data.told)
        scorers["taste"] = scorers.pop("taste_placed")
        del scorers["blend_unlifted"]  # nobody rated these: nothing is lifted
        scorers |= lesser_tastes(data.rows, people)
        untold = replace(ours, rows=_untold(data, people))
        untold_rows = our_rows(untold, questions.matched, np.zeros_like(data.told))
        scorers["blend_untold"] = untold_rows["blend_default"]
        questions = replace(questions, full=None)
        add_split(outcome, scorers, questions, split, data.known_genres)
        outcome.popularity.append(former[questions.matched.candidates[:, 0]])
        outcome.notes["default_weights"] = dict(ours.weights)
    outcome.notes["comparisons"] = [
        outcome.gain(row, against)
        for row, against in (
            ("blend_default", "genre_known"),
            ("blend_default", "taste"),
            ("taste", "genre_known"),
            ("taste", "taste_without_posters"),
            ("taste_of_genres_and_posters", "taste_of_genres"),
            ("taste_of_genres_and_posters", "genre_known"),
            ("blend_default", "era"),
            ("blend_untold", "genre_known"),
        )
    ]
    outcome.notes["comparisons_by_decile"] = [outcome.gain_by_decile("blend_default", "genre_known")]
    return outcome


def _placed(rows: Rows, people: People) -> Rows:
    return with_taste(rows, TasteModel().fit(people.as_ratings(rows.movie_ids), rows))


def _untold(data: CatalogData, people: People) -> Rows:
    """The rows of a catalog that was told no genres."""
    return _placed(with_genres(data.rows, data.predicted_genres), people)


def lesser_tastes(rows: Rows, people: People) -> dict[str, Scorer]:
    """Taste predicted from less than poster, genres and year: pairs of them say what posters add."""
    unseen = replace(rows, visual=np.zeros_like(rows.visual))
    known = {
        "taste_without_posters": unseen,
        "taste_of_genres_and_posters": replace(rows, years=None),
        "taste_of_genres": replace(unseen, years=None),
    }
    placed = {name: _placed(less, people) for name, less in known.items()}
    return {name: Blend(one, scale_of(one), np.array([0.0, 0.0, 1.0])) for name, one in placed.items()}
