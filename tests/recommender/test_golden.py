"""The order of the demo's lists is pinned: whoever changes it, means to.

``ONESHEET_UPDATE_GOLDEN=1 pytest tests/recommender/test_golden.py`` writes the
lists anew; the difference belongs into the same commit as its reason. The
encoder of the tests stands in, so that a new checkpoint changes nothing here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from indexer.catalog import open_catalog
from indexer.demo import make_demo
from indexer.importers import import_source
from indexer.learning import Fitters
from indexer.reader import IndexReader
from indexer.reindex import reindex
from indexer.settings import load_settings
from indexer.snapshots import open_store
from recommender.recommender import Recommender
from recommender.taste import TasteModel
from recommender.types import SimilarRequest, Weights

GOLDEN = Path(__file__).with_name("golden_demo.json")
BLENDS = {
    "default": None,
    "visual": Weights(1, 0, 0),
    "genre": Weights(0, 1, 0),
    "taste": Weights(0, 0, 1),
    "even": Weights(1, 1, 1),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, make_colour_encoder) -> Recommender:
    settings = load_settings(tmp_path_factory.mktemp("demo"), environ={})
    files = make_demo(settings.home / "demo", n=120, seed=0, n_viewers=150)
    catalog, encoder = open_catalog(settings), make_colour_encoder()
    import_source(catalog, files.labels, "csv", files.posters)
    import_source(catalog, files.ratings, "movielens")
    store = open_store(settings)
    reindex(catalog, encoder, store, Fitters(taste=TasteModel()))
    return Recommender(catalog, IndexReader(catalog, store), lambda: encoder)


def lists(demo: Recommender) -> dict[str, dict[str, list[str]]]:
    queries = [movie_id.decode() for movie_id in demo.reader.view().facts.movie_ids[::24]]
    return {
        query: {
            name: [
                f"{result.movie_id} {result.score:.4f}"
                for result in demo.similar(SimilarRequest(like=(query,), weights=weights)).results
            ]
            for name, weights in BLENDS.items()
        }
        for query in queries
    }


def test_the_lists_of_the_demo_stay_as_they_are(demo: Recommender) -> None:
    found = lists(demo)
    if os.environ.get("ONESHEET_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_a_second_home_of_the_same_catalog_gives_the_same_lists(
    demo: Recommender, tmp_path: Path, make_colour_encoder
) -> None:
    settings = load_settings(tmp_path, environ={})
    files = make_demo(settings.home / "demo", n=120, seed=0, n_viewers=150)
    catalog = open_catalog(settings)
    # Imported in the other order: the catalog is the same, and so are the lists.
    import_source(catalog, files.ratings, "movielens")
    import_source(catalog, files.labels, "csv", files.posters)
    encoder, store = make_colour_encoder(), open_store(settings)
    reindex(catalog, encoder, store, Fitters(taste=TasteModel()))
    again = Recommender(catalog, IndexReader(catalog, store), lambda: encoder)
    assert json.dumps(lists(again)) == json.dumps(lists(demo))
