"""docs/training.md names every setting, loss, sampler, schedule and experiment."""

from pathlib import Path

import pytest

from embeddings.training.config import TrainConfig
from embeddings.training.experiments import EXPERIMENTS
from embeddings.training.losses import LOSSES
from embeddings.training.samplers import SAMPLERS
from embeddings.training.schedules import SCHEDULES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
SETTINGS = [
    f"{name}.{inner}" if isinstance(value, dict) and name not in ("options", "schedule_options") else name
    for name, value in TrainConfig().model_dump().items()
    for inner in (value if isinstance(value, dict) else [""])
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_documented(setting: str) -> None:
    assert f"| `{setting}` |" in PAGE


@pytest.mark.parametrize("name", [*LOSSES, *SAMPLERS, *SCHEDULES, *EXPERIMENTS])
def test_every_name_is_documented(name: str) -> None:
    assert name in PAGE


def test_every_documented_setting_exists() -> None:
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `") and " | " in line]
    documented = [
        name for name in rows if "." in name and "/" not in name and not name.endswith(("json", "csv"))
    ]
    assert [name for name in documented if name not in SETTINGS and "safetensors" not in name] == []
