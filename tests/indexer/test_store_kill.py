"""A bounded run of the stress script: writers killed at random instants, under concurrent readers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_killed_writers_leave_the_old_state_or_the_new_one(database: str) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.store_kill",
        "--kills",
        "8",
        "--database",
        database,
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert (result["wrong"], result["reader_errors"]) == ([], [])
    assert sum(result["hit"].values()) == 8
    assert result["reader_answers"] > 10
    assert done.returncode == 0
