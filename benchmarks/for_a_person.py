"""How well recommendations for a person are, beside popularity and taste alone.

    python benchmarks/for_a_person.py HOME [--seeds 3]

A quarter of the people is held out of the taste model. Half of what each of
them rated is shown, and a movie they liked out of the other half must be
found: *matched*, among 99 that they did not rate, of like popularity; *full*,
in the list of ten out of the whole catalog. Prints one JSON document.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from indexer.catalog import open_catalog
from indexer.settings import load_settings
from indexer.types import Rows
from recommender.blend import UNLIKE_SHARE, Scale, known_signals, weights_in_force
from recommender.defaults import default_weights, knowledge_of, rest_weights
from recommender.evaluation.bootstrap import interval
from recommender.evaluation.data import CatalogData, read_catalog, with_taste
from recommender.evaluation.matched import Matched, draw_matched
from recommender.evaluation.metrics import ndcg_of_list, ndcg_of_rank, rank_of_first
from recommender.evaluation.people import LIKED, People, split_people
from recommender.learned_weights import WeightLearner
from recommender.person import DISLIKE_SHARE, split_ratings
from recommender.search import Query
from recommender.taste import TasteModel
from recommender.types import RatedMovie, Weights
from recommender.weight_choice import scale_of

LEAST_SHOWN_LIKES = 5
Figures = dict[str, dict[str, list[float]]]
Learned = dict[str, tuple[float, float, float]]


@click.command()
@click.argument("home", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--seeds", default=3, show_default=True, help="Splits of the people.")
def main(home: Path, seeds: int) -> None:
    """Judge every row and print the figures as JSON."""
    data = read_catalog(open_catalog(load_settings(home), create=False))
    figures: Figures = {}
    for seed in range(seeds):
        judge(data, seed, figures)
        click.echo(f"seed {seed} done", err=True)
    click.echo(json.dumps({name: summary(found) for name, found in figures.items()}, indent=1))


def judge(data: CatalogData, seed: int, figures: Figures) -> None:
    """Add the figures of one split of the people."""
    rng = np.random.default_rng(seed)
    everybody = People.of_ratings(data.ratings, data.rows.movie_ids)
    fitted, asked = split_people(everybody, (0.75, 0.25), seed)
    learned_from = fitted.as_ratings(data.rows.movie_ids)
    rows = with_taste(data.rows, TasteModel().fit(learned_from, data.rows))
    learned = WeightLearner(seed=seed).fit(learned_from, data.rows, data.predicted_genres)
    allowed = rows.known[:, 0] & (fitted.n_ratings > 0)
    questions = draw_matched(asked, fitted.n_ratings, data.films, allowed, rng)
    scale = scale_of(rows)
    for person in range(len(asked)):
        rated = asked.rated(person)
        shown = rng.random(len(rated)) < 0.5
        values = asked.values[person].data
        if (
            int((shown & (values >= LIKED)).sum()) < LEAST_SHOWN_LIKES
            or not (~shown & (values >= LIKED)).any()
        ):
            continue
        mine = questions.take(
            (questions.people == person) & np.isin(questions.candidates[:, 0], rated[~shown])
        )
        scores = {"popularity": fitted.n_ratings.astype(np.float64)}
        scores |= by_blend(rows, data.told, scale, rated[shown], values[shown], learned)
        relevant = np.zeros(len(rows), dtype=bool)
        relevant[rated[~shown & (values >= LIKED)]] = True
        for name, score in scores.items():
            add(figures.setdefault(name, {}), score, mine, relevant, rated[shown])


def by_blend(
    rows: Rows,
    told: NDArray[np.bool_],
    scale: Scale,
    rated: NDArray[np.int64],
    values: NDArray[np.float32],
    learned: Learned,
) -> dict[str, NDArray[np.float64]]:
    """Score every movie for a person as ``Recommender.recommend`` does."""
    ratings = [RatedMovie(str(i), float(v)) for i, v in zip(rated.tolist(), values.tolist(), strict=True)]
    liked, unliked = (np.array([int(m) for m in side], dtype=np.int64) for side in split_ratings(ratings))
    like = rows.take(liked)
    knowledge = knowledge_of(like.n_ratings.tolist(), told[liked].tolist())
    default = default_weights(learned, knowledge)
    rest = rest_weights(learned, knowledge) or default
    wanted = {
        "blend_rest": (rest, DISLIKE_SHARE),
        "blend_default": (default, DISLIKE_SHARE),
        "blend_likes_only": (default, 0.0),
        "blend_dislikes_half": (default, UNLIKE_SHARE),
        "taste_only": (Weights(0, 0, 1), DISLIKE_SHARE),
        "genre_only": (Weights(0, 1, 0), DISLIKE_SHARE),
        "visual_only": (Weights(1, 0, 0), DISLIKE_SHARE),
    }
    found = {}
    for name, (weights, share) in wanted.items():
        in_force = weights_in_force(weights, known_signals(like), default)
        query = Query(like, rows.take(unliked) if len(unliked) else None, in_force, scale, share)
        found[name] = np.nan_to_num(query.score(rows, query.columns(rows)), nan=-1e9)
    return found


def add(
    figures: dict[str, list[float]],
    score: NDArray[np.float64],
    questions: Matched,
    relevant: NDArray[np.bool_],
    shown: NDArray[np.int64],
) -> None:
    """Add one person's figures."""
    if len(questions):
        ranks = rank_of_first(score[questions.candidates])
        figures.setdefault("matched_ndcg_at_10", []).append(float(ndcg_of_rank(ranks).mean()))
    left = score.copy()
    left[shown] = -np.inf
    top = np.argsort(-left, kind="stable")[:10]
    n_relevant = np.array([relevant.sum()], dtype=np.int64)
    found = ndcg_of_list(relevant[top][None], n_relevant)
    figures.setdefault("ndcg_at_10", []).append(float(found[0]))


def summary(found: dict[str, list[float]]) -> dict[str, object]:
    """Mean and 95 % interval over people of each figure."""
    return {
        metric: {
            "mean": round(float(np.mean(values)), 4),
            "ci95": [round(end, 4) for end in interval(np.array(values), 0)],
            "n_people": len(values),
        }
        for metric, values in found.items()
    }


if __name__ == "__main__":
    main()
