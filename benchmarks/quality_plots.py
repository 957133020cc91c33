"""Draw the blend triangles and the diversity dial of ``docs/quality.md``, and print their figures.

Example: python benchmarks/quality_plots.py --home HOME --out docs/images

People of the catalog who are held out of the taste model ask; see
``WeightLearner.lessons`` for the triangles. The dial re-ranks the hundred
nearest movies of each query as the recommender does, and is judged by nDCG@10 of
the full ranking and by how alike the ten shown are to each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from indexer.catalog import open_catalog
from indexer.settings import load_settings
from indexer.types import Rows
from recommender.blend import Scale
from recommender.defaults import rest_of
from recommender.diversity import blended_similarities, mmr_order
from recommender.evaluation.data import CatalogData, read_catalog, with_taste
from recommender.evaluation.judge import mean_by_person
from recommender.evaluation.matched import Matched, draw_matched
from recommender.evaluation.metrics import intra_list_similarity, jaccard, ndcg_of_list, top
from recommender.evaluation.people import People, split_people
from recommender.evaluation.plots import plot_dial, plot_simplex
from recommender.evaluation.scorers import Blend
from recommender.learned_weights import WeightLearner
from recommender.opening import learned_orders
from recommender.taste import TasteModel
from recommender.types import Weights
from recommender.weight_choice import Shares, ndcg_by_person, scale_of, weight_grid

DIAL = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
POOL = 100
MOST_QUERIES = 600


def draw_triangles(data: CatalogData, out: Path) -> dict[str, Shares]:
    """One triangle per kind of query; returns the weights that are learned from each."""
    learned: dict[str, Shares] = {}
    for taught in WeightLearner().lessons(data.ratings, data.rows, data.predicted_genres):
        lesson = taught.lesson
        grid = weight_grid()
        figures = ndcg_by_person(lesson, grid).mean(axis=1)
        title = f"query: {lesson.knowledge}, {len(lesson.questions)} questions"
        plot_simplex(grid, figures, title, out / f"blend-{lesson.knowledge}.svg")
        opening, rest = learned_orders(lesson, taught.rows, taught.lift)
        learned |= {lesson.knowledge: opening, rest_of(lesson.knowledge): rest}
    return learned


def dial(data: CatalogData, weights: tuple[float, float, float], seed: int) -> dict[str, list[float]]:
    """Figures at each stop of the dial."""
    everybody = People.of_ratings(data.ratings, data.rows.movie_ids)
    fitted, asked = split_people(everybody, (0.75, 0.25), seed)
    placed = TasteModel().fit(fitted.as_ratings(data.rows.movie_ids), data.rows)
    rows = with_taste(data.rows, placed)
    allowed = rows.known[:, 0] & (fitted.n_ratings > 0)
    rng = np.random.default_rng(seed)
    questions = draw_matched(asked, fitted.n_ratings, data.films, allowed, rng)
    chosen = rng.permutation(len(questions))[:MOST_QUERIES]
    questions = questions.take(np.sort(chosen))
    scale = scale_of(rows)
    pools, scores = _pools(rows, scale, weights, questions)
    asked_of = _Blended(rows, data.known_genres, scale, weights)
    found: dict[str, list[float]] = {"nDCG@10": [], "alike (blend)": [], "alike (genres)": []}
    for stop in DIAL:
        figures = [
            _judge_list(asked_of, asked.liked(int(person)), pool, score, stop)
            for person, pool, score in zip(questions.people, pools, scores, strict=True)
        ]
        columns = np.array(figures).T
        for name, column in zip(found, columns, strict=True):
            found[name].append(round(float(mean_by_person(column, questions.people).mean()), 4))
    return found


def _pools(
    rows: Rows, scale: Scale, weights: tuple[float, float, float], questions: Matched
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest movies of each query and their scores, nearest first."""
    everything = Blend(rows, scale, np.array(weights)).everything(questions.queries)
    everything[np.arange(len(questions)), questions.queries] = -np.inf
    pools = top(everything, POOL)
    return pools, np.take_along_axis(everything, pools, axis=1)


@dataclass(frozen=True)
class _Blended:
    """Movies, their genres and how they are blended."""

    rows: Rows
    known_genres: NDArray[np.bool_]
    scale: Scale
    weights: tuple[float, float, float]


def _judge_list(
    movies: _Blended,
    liked: NDArray[np.int64],
    pool: NDArray[np.int64],
    scores: NDArray[np.float64],
    stop: float,
) -> tuple[float, float, float]:
    alike = blended_similarities(movies.rows.take(pool), Weights(*movies.weights), movies.scale)
    identical = float((np.asarray(movies.weights) / movies.scale.spreads).sum())
    order = np.array(mmr_order(scores / identical, alike, stop, 10))
    relevant = np.isin(pool[order], liked)[None]
    ndcg = float(ndcg_of_list(relevant, np.array([max(len(liked) - 1, 1)]))[0])
    genres = movies.known_genres[pool[order]]
    return (
        ndcg,
        intra_list_similarity(alike[np.ix_(order, order)]),
        intra_list_similarity(jaccard(genres[:, None], genres[None])),
    )


@click.command()
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--seed", default=0)
def main(home: Path, out: Path, seed: int) -> None:
    """Draw everything under ``out`` and print the figures as JSON."""
    out.mkdir(parents=True, exist_ok=True)
    data = read_catalog(open_catalog(load_settings(home), create=False))
    learned = draw_triangles(data, out)
    figures = dial(data, learned["rated"], seed)
    plot_dial(DIAL, figures, out / "diversity-dial.svg")
    click.echo(json.dumps({"learned_weights": learned, "dial": DIAL, **figures}, indent=1))


if __name__ == "__main__":
    main()
