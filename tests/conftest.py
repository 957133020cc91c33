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


ALLOWED_SKIPS = ("no real posters at", "no CUDA device")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With ``ONESHEET_NO_SKIPS=1`` (CI), name the skips that have no business there."""
    for reason in _unexpected_skips(terminalreporter):
        terminalreporter.write_line(f"unexpected skip: {reason}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == 0 and _unexpected_skips(reporter):
        session.exitstatus = 1


def _unexpected_skips(reporter: pytest.TerminalReporter) -> list[str]:
    if os.environ.get("ONESHEET_NO_SKIPS") != "1":
        return []
    reasons = [str(report.longrepr) for report in reporter.stats.get("skipped", [])]
    return [reason for reason in reasons if not any(allowed in reason for allowed in ALLOWED_SKIPS)]
