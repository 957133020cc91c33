"""A server goes on while its checkpoint is replaced and the home indexed with the new one."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from embeddings.checkpoint import CheckpointManifest
from embeddings.checkpoint_weights import load_net, save_checkpoint
from indexer.settings import Settings
from recommender.recommender import open_recommender
from webui.app import create_app
from webui.cli import main
from webui.settings import WebSettings

KEY = {"Authorization": "Bearer a-key-for-tests"}


def similar(client: FlaskClient, poster: bytes) -> TestResponse:
    return client.post("/api/v1/similar", data={"poster": (io.BytesIO(poster), "p.jpg"), "k": "3"})


def test_a_server_takes_the_new_checkpoint_when_the_index_does(own_home: Settings, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    assert own_home.model is not None
    shutil.copytree(own_home.model, checkpoint)
    settings = replace(own_home, model=checkpoint)
    recommender = open_recommender(settings)
    client = create_app(settings, recommender, WebSettings()).test_client()
    movie = client.get("/api/v1/movies?limit=1").get_json()["movies"][0]["movie_id"]
    poster = client.get(f"/posters/{movie}").data
    assert similar(client, poster).status_code == 200
    old = CheckpointManifest.read(checkpoint)
    changed = replace(old, thresholds=(0.25,) * len(old.genres))
    new = save_checkpoint(checkpoint, load_net(checkpoint, old), changed, "float32")
    assert new.fingerprint != old.fingerprint
    assert client.get("/api/v1/model").get_json()["thresholds"][0] == 0.25
    # Not indexed with yet: the encoder in memory goes on.
    assert similar(client, poster).status_code == 200
    done = CliRunner().invoke(
        main, ["--home", str(settings.home), "reindex", "--json"], env={"ONESHEET_MODEL": str(checkpoint)}
    )
    assert done.exit_code == 0, done.output
    recommender.reader.refresh()
    assert similar(client, poster).status_code == 200
    put = client.put("/api/v1/movies/new-1", headers=KEY, data={"poster": (io.BytesIO(poster), "p.jpg")})
    assert put.status_code == 201
    rows = recommender.catalog.read_rows(new.fingerprint, None, ["new-1"]).rows
    assert rows.known[:, 0].tolist() == [True]
    # A checkpoint that the home was never indexed with, and no other to fall back on.
    fresh = open_recommender(replace(settings, model=own_home.model))
    refused = similar(create_app(settings, fresh, WebSettings()).test_client(), poster)
    assert refused.status_code == 503
    assert "onesheet reindex" in refused.get_json()["detail"]
    for one in (recommender, fresh):
        one.catalog.close()
