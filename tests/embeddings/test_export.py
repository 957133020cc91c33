from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from embeddings.encoder import Encoder
from embeddings.errors import CheckpointError
from embeddings.export import export_onnx
from webui.cli import main

onnxruntime = pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")


@pytest.fixture(scope="module")
def exported(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_onnx(tiny_checkpoint, tmp_path_factory.mktemp("onnx") / "new").path


@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_graph_answers_as_torch_does_for_any_batch(n: int, exported: Path, tiny_checkpoint: Path) -> None:
    encoder = Encoder.load(tiny_checkpoint, "cpu")
    pixels = np.random.default_rng(n).integers(0, 255, (n, 72, 48, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    embedding, genre_probs = session.run(["embedding", "genre_probs"], {"pixels": pixels})
    with torch.inference_mode():
        expected = encoder.net(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    assert np.abs(embedding - expected.embedding.numpy()).max() <= 1e-4
    expected_probs = encoder.manifest.calibration.apply(expected.logits.numpy())
    assert np.abs(genre_probs - expected_probs).max() <= 1e-4


def test_the_file_says_how_to_prepare_a_poster(exported: Path, tiny_checkpoint: Path) -> None:
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta()
    metadata = facts.custom_metadata_map
    assert json.loads(metadata["preprocessing"]) == {
        "width": 48,
        "height": 72,
        "fit": "stretch",
        "interpolation": "bilinear",
        "color": "RGB",
        "dtype": "uint8",
        "layout": "NHWC",
    }
    assert json.loads(metadata["genres"]) == ["Action", "Comedy", "Drama", "Horror", "Romance"]
    assert metadata["fingerprint"] == Encoder.load(tiny_checkpoint, "cpu").fingerprint
    assert "resize to 48x72 with fit=stretch" in facts.description


def test_the_command_reports_the_difference_that_it_measured(tiny_checkpoint: Path, tmp_path: Path) -> None:
    arguments = ["export", str(tmp_path / "out"), "--onnx", "--model", str(tiny_checkpoint), "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert Path(report["onnx"]) == tmp_path / "out" / "model.onnx"
    assert report["bytes"] == Path(report["onnx"]).stat().st_size
    assert 0 <= report["max_difference"] <= 1e-4


def test_a_directory_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        export_onnx(tmp_path, tmp_path / "out")
