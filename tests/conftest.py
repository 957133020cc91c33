"""Fixtures that every package's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real posters and ratings; the test is reported as skipped where it is absent."""
    folder = Path(os.environ.get("ONESHEET_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "labels.csv").is_file():
        pytest.skip(f"no real posters at {folder}; set ONESHEET_TEST_DATA to a folder that has them")
    return folder
