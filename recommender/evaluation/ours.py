"""Our own rows, as a reindex would make them of the people who are learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Rows
from recommender.affinity_model import AffinityModel
from recommender.defaults import default_weights, rated_kind, rest_weights, untold_of
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


def learn_ours(people: People, rows: Rows, predicted_genres: NDArray[np.float32], seed: int) -> Ours:
    """Learn from people, and from nobody else.

    Args:
        people: Whose ratings.
        rows: All movies, without taste.
        predicted_genres: What posters say of the movies' genres.
        seed: Of the split by which weights are learned.
    """
    ratings = people.as_ratings(rows.movie_ids)
    return Ours(
        with_taste(rows, TasteModel().fit(ratings, rows)),
        WeightLearner(seed=seed).fit(ratings, rows, predicted_genres),
        Lift(rows, AffinityModel().fit(ratings, rows.movie_ids)),
    )


def our_rows(ours: Ours, questions: Matched, told: NDArray[np.bool_]) -> dict[str, Scorer]:
    """Our taste block alone, the default list, its opening throughout, the best fixed blend in hindsight.

    Args:
        ours: What was learned.
        questions: What is asked; hindsight looks at them.
        told: bool, (n_movies,), movies whose genres are known.
    """
    rows, scale = ours.rows, scale_of(ours.rows)
    kinds = np.array([rated_kind(n) for n in rows.n_ratings.tolist()])
    kinds = np.where(told, kinds, [untold_of(kind) for kind in kinds.tolist()])
    opening = {kind: default_weights(ours.weights, kind) for kind in np.unique(kinds).tolist()}
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
