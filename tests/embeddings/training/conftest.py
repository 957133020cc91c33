"""A world of small posters whose genres can be seen: colour and stripes say what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embeddings.training.config import TrainConfig
from embeddings.training.labels import Labels, read_labels

SMALL: dict[str, Any] = {
    "model": {
        "arch": "custom_cnn",
        "init": "none",
        "width": 16,
        "height": 24,
        "embedding_dim": 16,
        "dropout": 0.0,
    },
    "data": {"min_support": 5, "fractions": (0.6, 0.2, 0.2)},
    "augment": {"border": 0, "jpeg": 0, "low_resolution": 0, "blur": 0},
    "optim": {
        "lr": 5e-3,
        "backbone_lr_scale": 1.0,
        "ema_decay": 0.8,
        "schedule": "constant",
        "warmup_epochs": 0,
    },
    "epochs": 3,
    "batch_size": 16,
    "device": "cpu",
    "precision": "float32",
}


def draw_poster(kind: str, rng: np.random.Generator) -> Image.Image:
    """Horror is dark, Comedy light; War has stripes besides."""
    level = {"Horror": 50, "Comedy": 200, "War": 120}[kind]
    pixels = rng.normal(level, 25, (48, 32, 3))
    if kind == "War":
        pixels[::8] -= 90
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def poster_world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Labels file and folder of 120 posters, and 8 more posters without a label."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    kinds = ["Horror", "Comedy", "War"]
    lines = ["Id,Genre,title,year"]
    (folder / "posters").mkdir()
    for number in range(128):
        kind = kinds[number % 3]
        draw_poster(kind, rng).save(folder / "posters" / f"tt{number}.png")
        if number < 120:
            lines.append(
                f"tt{number},{kind}{'|Drama' if number % 2 else ''},Movie {number},{1950 + number % 60}"
            )
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder / "labels.csv", folder / "posters"


@pytest.fixture(scope="session")
def world_labels(poster_world: tuple[Path, Path]) -> Labels:
    return read_labels(poster_world[0])


@pytest.fixture(scope="session")
def small_config() -> TrainConfig:
    return TrainConfig.model_validate(SMALL)
