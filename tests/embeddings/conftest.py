"""Small checkpoints and pictures for the tests of ``embeddings``."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from embeddings.checkpoint import Calibration, CheckpointManifest
from embeddings.checkpoint_weights import save_checkpoint
from embeddings.genres import GenreVocabulary
from embeddings.models import NetSpec, build_model
from embeddings.transforms import Preprocessing

GENRES = GenreVocabulary(("Action", "Comedy", "Drama", "Horror", "Romance"))


@pytest.fixture
def picture() -> Image.Image:
    """60x90 pixels: red on the left, blue on the right, a white band on top."""
    pixels = np.zeros((90, 60, 3), np.uint8)
    pixels[:, :30, 0] = 255
    pixels[:, 30:, 2] = 255
    pixels[:20] = 255
    return Image.fromarray(pixels)


@pytest.fixture
def encode_image() -> Callable[..., bytes]:
    """Bytes of an image in a format, with Pillow's options."""

    def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def tiny_manifest() -> CheckpointManifest:
    """Five genres, unequal thresholds and a calibration that is not the identity."""
    return CheckpointManifest(
        arch="",
        net={},
        embedding_dim=1,
        genres=GENRES,
        thresholds=(0.3, 0.4, 0.5, 0.6, 0.7),
        calibration=Calibration((1.5, 1.0, 0.5, 1.0, 2.0), (0.1, -0.2, 0.0, 0.3, 0.0)),
        preprocessing=Preprocessing(48, 72),
        provenance={"seed": 0},
        metrics={"macro_f1": 0.5},
    )


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory, tiny_manifest: CheckpointManifest) -> Path:
    """A checkpoint of a small net with random weights, whose batch norms have seen pictures."""
    directory = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    net = build_model("custom_cnn", len(GENRES), 32, spec=NetSpec("", 1, width=48, height=72))
    for _ in range(20):
        net.train()(torch.rand(8, 3, 72, 48))
    save_checkpoint(directory, net, tiny_manifest)
    return directory
