"""The order of the demo's lists is pinned: whoever changes it, means to.

``ONESHEET_UPDATE_GOLDEN=1 pytest tests/recommender/test_golden.py`` writes the
lists anew; the difference belongs into the same commit as its reason. The
encoder of the tests stands in, so that a new checkpoint changes nothing here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer.catalog import open_catalog
from indexer.demo import POSTER_SIZE, DemoFiles, make_demo
from indexer.demo.titles import DemoMovie
from indexer.importers import import_source
from indexer.learning import Fitters
from indexer.reader import IndexReader
from indexer.reindex import reindex
from indexer.settings import load_settings
from indexer.snapshots import open_store
from recommender.affinity_model import AffinityModel
from recommender.defaults import OPENING
from recommender.learned_weights import WeightLearner
from recommender.recommender import Recommender
from recommender.taste import TasteModel
from recommender.types import SimilarRequest, Weights

HERE = Path(__file__).parent
BLENDS = {
    "default": None,
    "visual": Weights(1, 0, 0),
    "genre": Weights(0, 1, 0),
    "taste": Weights(0, 0, 1),
    "even": Weights(1, 1, 1),
}
QUESTIONS: dict[str, dict[str, Any]] = {
    "thirty": {"k": 30},
    "series first": {"k": 12, "series": "first"},
    "diverse": {"k": 12, "diversity": 0.5},
    "less of another": {"k": 12, "unlike": ("tt9900120",)},
}
Open = Callable[..., Recommender]
Lists = dict[str, dict[str, list[str]]]


def flat_poster(movie: DemoMovie, seed: int) -> Image.Image:
    """Four quarters in four colours, near those of other movies of its series: drawn in no time."""
    colours = np.random.default_rng(movie.style_seed).integers(40, 216, 3)
    quarters = colours + np.random.default_rng(seed).integers(-40, 41, (2, 2, 3))
    return Image.fromarray(quarters.astype(np.uint8)).resize(POSTER_SIZE, Image.Resampling.NEAREST)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, make_colour_encoder) -> Recommender:
    """A home of drawn posters, where taste alone is learned."""
    files = make_demo(tmp_path_factory.mktemp("drawn"), n=120, seed=0, n_viewers=150)
    return opened(files, make_colour_encoder(), Fitters(TasteModel()), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def open_fitted(tmp_path_factory: pytest.TempPathFactory, make_colour_encoder) -> Iterator[Open]:
    """Opens a home that learns all that decides an order, as ``onesheet reindex`` does.

    It has as many movies and viewers as default weights need to be learned.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.demo.draw_poster", flat_poster)
        files = make_demo(tmp_path_factory.mktemp("fitted"), n=200, seed=0, n_viewers=600)
    fitters = Fitters(TasteModel(), WeightLearner(), None, AffinityModel())
    yield partial(opened, files, make_colour_encoder(), fitters)


@pytest.fixture(scope="module")
def fitted(open_fitted: Open, tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    return open_fitted(tmp_path_factory.mktemp("home"))


def opened(
    files: DemoFiles, encoder: Any, fitters: Fitters, home: Path, ratings_first: bool = False
) -> Recommender:
    settings = load_settings(home, environ={})
    catalog, store = open_catalog(settings), open_store(settings)
    sources = [(files.labels, "csv", files.posters), (files.ratings, "movielens")]
    for source in reversed(sources) if ratings_first else sources:
        import_source(catalog, *source)
    reindex(catalog, encoder, store, fitters)
    return Recommender(catalog, IndexReader(catalog, store), lambda: encoder)


def lists_of(recommender: Recommender, asked: dict[str, dict[str, Any]], every: int) -> Lists:
    """Lists by query and question; every so many movies one is asked about."""
    movie_ids = [movie_id.decode() for movie_id in recommender.reader.view().facts.movie_ids]
    return {
        query: {
            name: [
                f"{result.movie_id} {result.score:.4f}"
                for result in recommender.similar(SimilarRequest(like=(query,), **more)).results
            ]
            for name, more in asked.items()
        }
        for query in movie_ids[::every]
    }


def drawn_lists(recommender: Recommender) -> Lists:
    return lists_of(recommender, {name: {"weights": weights} for name, weights in BLENDS.items()}, 24)


def fitted_lists(recommender: Recommender) -> Lists:
    return lists_of(recommender, QUESTIONS, 33)


def check(found: Lists, golden: Path) -> None:
    if os.environ.get("ONESHEET_UPDATE_GOLDEN"):
        golden.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(golden.read_text(encoding="utf-8"))


def test_the_lists_of_the_demo_stay_as_they_are(drawn: Recommender) -> None:
    check(drawn_lists(drawn), HERE / "golden_demo.json")


def test_the_lists_of_a_home_that_learned_everything_stay_as_they_are(fitted: Recommender) -> None:
    check(fitted_lists(fitted), HERE / "golden_fitted.json")


def test_the_home_that_learned_everything_shows_what_it_is_there_for(fitted: Recommender) -> None:
    manifest, lists = fitted.reader.view().manifest, fitted_lists(fitted)
    assert {"rated", "rated_rest"} <= set(manifest.default_weights)
    assert manifest.default_weights["rated"] != manifest.default_weights["rated_rest"]
    assert fitted.reader.view().affinities
    for kind in ("series first", "diverse", "less of another"):
        assert any(one[kind] != one["thirty"][:12] for one in lists.values())
    assert all(len(one["thirty"]) == 30 > OPENING for one in lists.values())


def test_a_second_home_of_the_same_catalog_gives_the_same_lists(
    open_fitted: Open, fitted: Recommender, tmp_path: Path
) -> None:
    # Imported in the other order: the catalog is the same, and so are the lists.
    again = open_fitted(tmp_path, ratings_first=True)
    assert json.dumps(fitted_lists(again)) == json.dumps(fitted_lists(fitted))
