"""A small catalog that is real all through: drawn posters, a net with random weights, an index.

It is made once by the commands a user would type, and each test that
changes it works on a copy.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from embeddings.checkpoint import Calibration, CheckpointManifest
from embeddings.checkpoint_weights import save_checkpoint
from embeddings.genres import GenreVocabulary
from embeddings.models import NetSpec, build_model
from embeddings.transforms import Preprocessing
from indexer.demo import draw_poster, make_demo
from indexer.demo.titles import make_movies
from indexer.settings import Settings, load_settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.cli import main
from webui.settings import WebSettings

API_KEY = "a-key-for-tests"
N_MOVIES = 40
GENRES = GenreVocabulary(
    ("Action", "Animation", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Horror", "Romance", "War")
)


@pytest.fixture(scope="session")
def web_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small net with random weights."""
    directory = tmp_path_factory.mktemp("web-checkpoint")
    torch.manual_seed(0)
    net = build_model("custom_cnn", len(GENRES), 32, spec=NetSpec("", 1, width=48, height=72))
    posters = [draw_poster(movie, seed).resize((48, 72)) for seed, movie in enumerate(make_movies(16, 1))]
    batch = torch.from_numpy(np.stack([np.asarray(poster) for poster in posters])).permute(0, 3, 1, 2)
    # Batch norms that have seen posters tell them apart; those that saw noise hardly do.
    for _ in range(20):
        net.train()(batch)
    n = len(GENRES)
    manifest = CheckpointManifest(
        arch="",
        net={},
        embedding_dim=1,
        genres=GENRES,
        thresholds=(0.5,) * n,
        calibration=Calibration.none(n),
        preprocessing=Preprocessing(48, 72),
        provenance={"seed": 0},
        metrics={},
    )
    save_checkpoint(directory, net, manifest)
    return directory


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, web_checkpoint: Path) -> Settings:
    """The settings of a home with 40 movies, their posters, ratings and an index; not to be changed."""
    directory = tmp_path_factory.mktemp("web-home")
    files = make_demo(directory / "demo", n=N_MOVIES, n_viewers=120)
    home = directory / "home"
    for arguments in (
        ["import", str(files.labels), "--posters", str(files.posters)],
        ["import", str(files.ratings)],
        ["reindex", "--json"],
    ):
        done = CliRunner().invoke(
            main, ["--home", str(home), *arguments], env={"ONESHEET_MODEL": str(web_checkpoint)}
        )
        assert done.exit_code == 0, done.output
    settings = load_settings(home, {"ONESHEET_MODEL": str(web_checkpoint)})
    return replace(settings, api_keys=(API_KEY,), rate_limit="")


@pytest.fixture(scope="session")
def app(small_home: Settings) -> Flask:
    """The app over the small catalog; tests that use it change nothing."""
    return create_app(small_home, open_recommender(small_home), WebSettings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app over the small catalog."""
    return app.test_client()


@pytest.fixture
def own_home(small_home: Settings, tmp_path: Path) -> Settings:
    """A copy of the small home, to be changed."""
    home = tmp_path / "home"
    shutil.copytree(small_home.home, home)
    return load_settings(
        home,
        {
            "ONESHEET_MODEL": str(small_home.model),
            "ONESHEET_API_KEYS": API_KEY,
            "ONESHEET_RATE_LIMIT": "",
        },
    )


@pytest.fixture
def own_client(own_home: Settings) -> Iterator[FlaskClient]:
    """A client of an app over a copy of the small catalog."""
    recommender = open_recommender(own_home)
    yield create_app(own_home, recommender, WebSettings()).test_client()
    recommender.catalog.close()


@pytest.fixture
def movie_ids(client: FlaskClient) -> list[str]:
    """Ids of the small catalog, by title."""
    page = client.get("/api/v1/movies?sort=title&limit=200").get_json()
    return [movie["movie_id"] for movie in page["movies"]]


@pytest.fixture
def live_url(own_home: Settings) -> Iterator[str]:
    """Address of a server in this process over a copy of the small catalog."""
    recommender = open_recommender(own_home)
    server = make_server("127.0.0.1", 0, create_app(own_home, recommender, WebSettings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    recommender.catalog.close()
