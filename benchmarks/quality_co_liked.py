"""A look that learns from people: a projection that brings posters of movies liked together closer.

Example: python -m benchmarks.quality_co_liked --home HOME --labels test_labels.csv

Two movies that one person liked are a pair, the other movies of the batch are
not (InfoNCE); a linear map or a net of two layers learns it on top of the
embedding. It is judged beside the embedding as it is by the genre protocol (trained
without the posters that are judged) and by the cold one (trained on the
people and movies of each split that may be learned from).
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from indexer.catalog import open_catalog
from indexer.settings import load_settings
from indexer.taste_map import unit_rows
from recommender.cli_evaluate import read_truth
from recommender.evaluation.data import CatalogData, read_catalog
from recommender.evaluation.genre import judge_genre
from recommender.evaluation.outcome import Outcome
from recommender.evaluation.people import People
from recommender.evaluation.protocol import HEADLINE, JudgeOptions, add_split, ask, splits
from recommender.evaluation.report import as_markdown
from recommender.evaluation.scorers import InnerProduct, Scorer
from recommender.learned_weights import COLD_SHARE

TEMPERATURE = 0.1
BATCH = 512
STEPS = 1_500
RATE = 1e-3
SEED = 20_006
Rows = NDArray[np.float32]


def projected(visual: Rows, people: People, n_layers: int) -> Rows:
    """Unit rows after a projection learned from what these people liked together.

    Args:
        visual: Embeddings, zero without a poster.
        people: Whose likings; movies that must not be learned from are not among them.
        n_layers: 1 or 2.

    Source:
        A. van den Oord, Y. Li and O. Vinyals, "Representation Learning with
        Contrastive Predictive Coding", 2018 (InfoNCE, here with both sides asking).
    """
    torch.manual_seed(SEED)
    dim = visual.shape[1]
    first = nn.Linear(dim, dim)
    nn.init.eye_(first.weight)  # one layer starts as the look as it is
    net = nn.Sequential(first, *([nn.ReLU(), nn.Linear(dim, dim)] if n_layers == 2 else []))
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    table = torch.from_numpy(visual)
    for pairs in _batches(people, np.any(visual != 0, axis=1)):
        one, other = (nn.functional.normalize(net(table[torch.from_numpy(side)])) for side in pairs.T)
        similar = one @ other.T / TEMPERATURE
        wanted = torch.arange(len(similar))
        loss = nn.functional.cross_entropy(similar, wanted) + nn.functional.cross_entropy(similar.T, wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.inference_mode():
        found = net(table).numpy()
    return unit_rows(np.where(np.any(visual != 0, axis=1)[:, None], found, 0).astype(np.float32))


def _batches(people: People, has_poster: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pairs of different movies, each liked by one person, every person alike: (STEPS, BATCH, 2)."""
    rng = np.random.default_rng(SEED)
    liked = [people.liked(i) for i in range(len(people))]
    liked = [one[has_poster[one]] for one in liked]
    liked = [one for one in liked if len(one) > 1]
    counts = np.array([len(one) for one in liked])
    starts = np.cumsum(counts) - counts
    who = rng.integers(len(liked), size=(STEPS, BATCH))
    first = rng.integers(counts[who])
    second = rng.integers(counts[who] - 1)
    second += second >= first
    places = starts[who][..., None] + np.stack([first, second], axis=-1)
    return np.asarray(np.concatenate(liked)[places], dtype=np.int64)


def looks_from(data: CatalogData, people: People) -> dict[str, Rows]:
    """Both projections, learned from some people."""
    return {
        "visual_co_liked_linear": projected(data.rows.visual, people, 1),
        "visual_co_liked_two_layers": projected(data.rows.visual, people, 2),
    }


def judge_cold_looks(data: CatalogData, repeats: int) -> Outcome:
    """Looks alone under the cold protocol; those that learn see neither its people nor its movies."""
    outcome = Outcome("cold", HEADLINE, 0)
    for split in splits(data, None, JudgeOptions(repeats=repeats)):
        former = split.learned.n_ratings
        rated = data.rows.known[:, 0] & (former + split.asked.n_ratings > 0)
        hidden = rated & (np.random.default_rng(split.seed).random(len(data)) < COLD_SHARE)
        looks = {"visual": data.rows.visual, **looks_from(data, split.learned.without_movies(hidden))}
        scorers: dict[str, Scorer] = {name: InnerProduct(rows) for name, rows in looks.items()}
        questions = ask(data, split, former, hidden)
        add_split(outcome, scorers, questions, split, data.known_genres)
        outcome.popularity.append(former[questions.matched.candidates[:, 0]])
    names = [name for name in outcome.rows if name != "visual"]
    outcome.notes["comparisons"] = [outcome.gain(name, "visual") for name in names]
    return outcome


@click.command()
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--repeats", default=3, show_default=True, help="Splits.")
def main(home: Path, labels: Path, repeats: int) -> None:
    """Learn the projections and print both tables."""
    data, truth = read_catalog(open_catalog(load_settings(home), create=False)), read_truth(labels)
    everybody = People.of_ratings(data.ratings, data.rows.movie_ids)
    judged = np.isin(np.array(data.rows.movie_ids), np.array(sorted(truth)))
    looks = looks_from(data, everybody.without_movies(judged))
    click.echo(as_markdown(judge_genre(data, truth, JudgeOptions(repeats=repeats, looks=looks))))
    click.echo(as_markdown(judge_cold_looks(data, repeats)))


if __name__ == "__main__":
    main()
