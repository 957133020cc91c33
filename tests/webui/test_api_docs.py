"""Every command and every line of Python in docs/api.md runs against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from indexer.settings import Settings
from webui.settings import load_web_settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_curl_commands_run(
    live_url: str, small_home: Settings, movie_ids: list[str], tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    posters = small_home.home.parent / "demo" / "posters"
    known = {
        "MOVIE": movie_ids[0],
        "OTHER": movie_ids[1],
        "POSTER": str(posters / f"{movie_ids[2]}.jpg"),
        "KEY": "a-key-for-tests",
    }
    commands = "\n".join(blocks("sh")).replace("http://127.0.0.1:8000", live_url)
    assert commands.count("curl ") >= 15
    done = subprocess.run(
        ["bash", "-euc", commands],
        env={**os.environ, **known},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (tmp_path / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "poster.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_python_lines_run(live_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (lines,) = blocks("python")
    # The page is ours, not a stranger's.
    exec(compile(lines.replace("http://127.0.0.1:8000", live_url), "docs/api.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_every_setting_of_the_web_door_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in re.findall(r"ONESHEET_[A-Z_]+", load_web_settings.__doc__ or ""):
        assert f"| `{name}` |" in page, name
