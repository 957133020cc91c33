"""The README's commands run, its links lead somewhere, and its settings are the real ones."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.settings import _KEYS
from webui.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("ONESHEET_")}
    program = Path(sys.executable).parent / command[0]
    return subprocess.run([str(program), *command[1:]], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.mark.slow
def test_the_commands_of_the_tour_run_one_after_the_other(tmp_path: Path) -> None:
    demo = run(["onesheet", "--home", "demo-home", "demo", "--no-serve"], tmp_path)
    assert demo.returncode == 0, demo.stderr
    kept = {path.name for path in (tmp_path / "demo-home" / "cache").iterdir()}
    assert "pictures.npy" in kept, "the pages of the demo want what posters share"
    [snapshot] = (tmp_path / "demo-home" / "index" / "snapshots").iterdir()
    assert (snapshot / "map.npz").is_file(), "the pages of the demo want a map"
    tour = re.search(r"```console\n(.*?)```", README, re.DOTALL)
    assert tour is not None
    commands = [shlex.split(line) for line in tour[1].splitlines() if line.strip()]
    assert len(commands) >= 8
    for command in commands:
        done = run(command, tmp_path)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout.strip(), command


def test_the_readme_names_every_command_family_and_setting() -> None:
    for key in _KEYS:
        assert f"ONESHEET_{key.upper()}" in README
    text = README + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", text)] == []


def test_the_links_and_pictures_of_the_readme_exist() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_make_knows_the_two_commands() -> None:
    make = shutil.which("make")
    assert make is not None
    for command in (["demo", "SERVE=0"], ["test"]):
        plan = subprocess.run([make, "-n", *command], cwd=ROOT, capture_output=True, text=True)
        assert plan.returncode == 0, plan.stderr
        assert ("onesheet" if command[0] == "demo" else "pytest") in plan.stdout
