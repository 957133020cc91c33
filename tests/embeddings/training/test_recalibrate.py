"""A finished checkpoint gets probabilities and cuts for other posters, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from embeddings.checkpoint import CheckpointManifest
from embeddings.encoded import Poster
from embeddings.encoder import Encoder
from embeddings.eras import ERAS_NAME
from embeddings.errors import TrainingError
from embeddings.training.config import TrainConfig
from embeddings.training.labels import Labels, find_labelled_posters
from embeddings.training.recalibrate import recalibrate
from embeddings.training.splits import Split
from embeddings.training.train import train
from webui.cli import main

World = tuple[Path, Path]


@pytest.fixture(scope="module")
def run(
    poster_world: World,
    world_labels: Labels,
    small_config: TrainConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("run")
    assert train(world_labels, poster_world[1], out, small_config.with_values({"epochs": 1})) is not None
    return out


def test_embeddings_stay_to_the_bit_and_probabilities_become_honest_for_the_posters(
    run: Path, poster_world: World, world_labels: Labels, tmp_path: Path
) -> None:
    old = run / "checkpoint"
    manifest = CheckpointManifest.read(old)
    (old / ERAS_NAME).write_text(json.dumps({"fingerprint": manifest.fingerprint, "eras": ["1990s"]}))
    finished = recalibrate(old, world_labels, poster_world[1], tmp_path / "new")
    posters = [Poster(i, p) for i, p in find_labelled_posters(world_labels, poster_world[1]).items()]
    before, after = (Encoder.load(one, "cpu").encode(posters) for one in (old, tmp_path / "new"))
    assert np.array_equal(before.embeddings, after.embeddings)
    shares = world_labels.select(after.movie_ids).targets(manifest.genres).mean(axis=0)
    # A genre of forty posters is drawn towards the calibration that all have in common.
    np.testing.assert_allclose(after.genre_probs.mean(axis=0), shares, atol=0.1)
    assert CheckpointManifest.read(tmp_path / "new").thresholds == finished.manifest.thresholds
    reading = json.loads((tmp_path / "new" / ERAS_NAME).read_text())
    assert reading == {"fingerprint": finished.manifest.fingerprint, "eras": ["1990s"]}


def test_the_sides_of_a_run_give_what_the_run_itself_fitted(
    run: Path, poster_world: World, world_labels: Labels, tmp_path: Path
) -> None:
    split = Split.load(run / "split.json")
    finished = recalibrate(
        run / "checkpoint", world_labels, poster_world[1], tmp_path / "again", split, "cpu"
    )
    fitted = CheckpointManifest.read(run / "checkpoint")
    assert finished.manifest.calibration.scale == pytest.approx(fitted.calibration.scale, rel=0.02)
    assert finished.manifest.thresholds == pytest.approx(fitted.thresholds, abs=0.02)
    assert finished.test is not None
    assert finished.manifest.metrics["test"]["n"] == len(split.test)
    common = finished.test["common_cuts"]
    assert 0.01 <= common["micro_f1"]["threshold"] <= 0.99
    assert finished.validation["common_cuts"]["micro_f1"]["threshold"] == common["micro_f1"]["threshold"]


def test_the_command_says_what_it_judged_on(run: Path, poster_world: World, tmp_path: Path) -> None:
    arguments = ["calibrate", *map(str, poster_world), "--model", str(run / "checkpoint")]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "new"), "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["n"] == 120
    assert told["judged_on"] == "the posters that were fitted on, which flatters"


def test_a_handful_of_posters_is_refused_and_nothing_is_written(
    run: Path, poster_world: World, world_labels: Labels, tmp_path: Path
) -> None:
    few = world_labels.select(world_labels.movie_ids[:10])
    with pytest.raises(TrainingError, match=r"10 labelled posters .* give 20 or more"):
        recalibrate(run / "checkpoint", few, poster_world[1], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_and_genres_that_nobody_knows_are_sentences(
    run: Path, poster_world: World, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    strange = tmp_path / "strange.csv"
    strange.write_text("Id,Genre\n" + "\n".join(f"tt{i},Nonsense" for i in range(30)))
    model = ["--model", str(run / "checkpoint")]
    for arguments in (
        ["calibrate", *map(str, poster_world), *model, "--out", str(tmp_path / "file" / "x")],
        ["evaluate", *map(str, poster_world), *model, "--report", str(tmp_path / "file" / "x")],
        ["evaluate", str(strange), str(poster_world[1]), *model],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 1
        assert "Traceback" not in result.stderr
        assert result.stderr.strip().splitlines()[-1].startswith("onesheet: ")
