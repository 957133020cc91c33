"""Taste-only models and their settings, judged by people held out from the catalog's ratings.

Example: python benchmarks/taste_models.py --home HOME --seed 0

Prints matched nDCG@10 (headline) and nDCG@10 among the 99 nearest in popularity
on whichever side, for every setting, on validation people: 20 % of those that
``evaluate-similar`` with the same seed learns from, so that nothing is tuned on
the people it asks.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np

from indexer.catalog import open_catalog
from indexer.settings import load_settings
from recommender.evaluation import baselines
from recommender.evaluation.data import CatalogData, read_catalog
from recommender.evaluation.judge import mean_by_person
from recommender.evaluation.matched import Matched, MatchRules, draw_matched
from recommender.evaluation.metrics import ndcg_of_rank, rank_of_first
from recommender.evaluation.people import People, split_people
from recommender.evaluation.protocol import TESTED_SHARE
from recommender.evaluation.scorers import InnerProduct, Scorer
from recommender.taste import TasteConfig, TasteModel

Fit = Callable[[People], Scorer]


def settings() -> Iterator[tuple[str, Fit]]:
    """Every model with every setting."""
    for factors in (32, 64, 128):
        for alpha, penalty in ((1.0, 3.0), (5.0, 30.0), (20.0, 80.0), (40.0, 100.0)):
            for unit in (True, False):
                kind = "cosine" if unit else "inner product"
                name = f"als {kind} factors={factors} alpha={alpha:g} penalty={penalty:g}"
                yield (
                    name,
                    functools.partial(
                        baselines.fit_als, factors=factors, alpha=alpha, penalty=penalty, unit=unit
                    ),
                )
    for penalty in (0.001, 0.01, 0.1):
        yield f"bpr penalty={penalty:g}", functools.partial(baselines.fit_bpr, penalty=penalty)
    yield "cosine", baselines.fit_cosine
    yield "tfidf", baselines.fit_tfidf
    for k1, b in ((1.2, 0.75), (10.0, 0.5), (100.0, 0.2), (100.0, 0.5), (100.0, 0.8)):
        yield f"bm25 k1={k1:g} b={b:g}", functools.partial(baselines.fit_bm25, k1=k1, b=b)
    for penalty in (300.0, 1000.0, 3000.0):
        yield f"ease penalty={penalty:g}", functools.partial(baselines.fit_ease, penalty=penalty)


OURS = {
    "our taste block": TasteConfig(),
    "our taste block without runs": TasteConfig(shares=(0.5, 0.5, 0.0, 0.0)),
    "our taste block, rows no longer for fame": TasteConfig(fame_power=0.0),
}


def placed(data: CatalogData, config: TasteConfig, people: People) -> Scorer:
    """Our own taste block."""
    factors = TasteModel(config).fit(people.as_ratings(data.rows.movie_ids), data.rows)
    if factors is None:
        raise click.ClickException("the catalog has too few ratings")
    return InnerProduct(factors.factors)


def figure(scorer: Scorer, questions: Matched) -> float:
    """Mean nDCG@10 over people."""
    ndcg = ndcg_of_rank(rank_of_first(scorer.pairs(questions.queries, questions.candidates)))
    return float(mean_by_person(ndcg, questions.people).mean())


@click.command()
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--seed", default=0)
def main(home: Path, seed: int) -> None:
    """Judge every setting and print one line each."""
    data = read_catalog(open_catalog(load_settings(home), create=False))
    everybody = People.of_ratings(data.ratings, data.rows.movie_ids)
    learned, _ = split_people(everybody, (1 - TESTED_SHARE, TESTED_SHARE), seed)
    fitted, asked = split_people(learned, (0.75, 0.25), seed)
    allowed = data.rows.known[:, 0] & (learned.n_ratings > 0)
    rng = np.random.default_rng(seed)
    draw = functools.partial(draw_matched, asked, fitted.n_ratings, data.films, allowed, rng)
    matched, loose = draw(MatchRules(20)), draw(MatchRules(20, balanced=False))
    click.echo(f"{len(asked)} people, {len(matched)} questions, {matched.n_left_out} pairs left out")
    ours = [(name, functools.partial(placed, data, config)) for name, config in OURS.items()]
    for name, fit in [*ours, *settings()]:
        started = time.perf_counter()
        scorer = fit(fitted)
        seconds = time.perf_counter() - started
        figures = f"matched {figure(scorer, matched):.4f}  nearest {figure(scorer, loose):.4f}"
        click.echo(f"{name:52s} {figures}  {seconds:5.1f} s")


if __name__ == "__main__":
    main()
