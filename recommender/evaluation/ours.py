"""Our own rows, as a reindex would make them of the people who are learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexer.types import Rows
from recommender.affinity_model import AffinityModel
from recommender.defaults import WELL_RATED, default_weights, rest_weights
from recommender.evaluation.data import with_taste
from recommender.evaluation.lift import Lift, Lifted
from recommender.evaluation.matched import Matched
from recommender.evaluation.people import People
from recommender.evaluation.scorers import Blend, Opened, Scorer
from recommender.learned_weights import WeightLearner
from recommender.taste import TasteModel
from recommender.weight_choice import Shares, best_weights, make_lesson, scale_of


@dataclass(frozen=True)
class Ours:
    """What a catalog holds once it was indexed.

    Args:
        rows: All movies, placed by taste.
        weights: Learned default weights.
        lift: What affinity adds to an opening.
    """

    rows: Rows
    weights: Mapping[str, Shares]
    lift: Lift


def learn_ours(people: People, rows: Rows, seed: int) -> Ours:
    """Learn from people, and from nobody else.

    Args:
        people: Whose ratings.
        rows: All movies, without taste.
        seed: Of the split by which weights are learned.
    """
    ratings = people.as_ratings(rows.movie_ids)
    return Ours(
        with_taste(rows, TasteModel().fit(ratings, rows)),
        WeightLearner(seed=seed).fit(ratings, rows),
        Lift(rows, AffinityModel().fit(ratings, rows.movie_ids)),
    )


def our_rows(ours: Ours, questions: Matched) -> dict[str, Scorer]:
    """Our taste block alone, the default list, its opening throughout, the best fixed blend in hindsight."""
    rows, scale = ours.rows, scale_of(ours.rows)
    kinds = np.where(rows.n_ratings >= WELL_RATED, "rated", np.where(rows.n_ratings > 0, "few", "unrated"))
    opening = {kind: default_weights(ours.weights, kind) for kind in ("rated", "few", "unrated")}
    rest = {kind: rest_weights(ours.weights, kind) or opening[kind] for kind in opening}
    by_opening, by_rest = (
        Blend(rows, scale, np.array([weights[kind].as_tuple() for kind in kinds.tolist()]))
        for weights in (opening, rest)
    )
    lifted = Lifted(by_opening, ours.lift)
    hindsight = np.array(best_weights(make_lesson("hindsight", rows, questions)))
    return {
        "taste_placed": Blend(rows, scale, np.array([0.0, 0.0, 1.0])),
        "blend_default": Opened(lifted, by_rest, ours.lift),
        "blend_unlifted": Opened(by_opening, by_rest),
        "blend_opening": lifted,
        "blend_best": Blend(rows, scale, hindsight),
    }
