"""A cache on disk makes each thing once, and answers without a disk."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from webui.disk_cache import DiskCache


def test_a_thing_is_made_once_and_read_after(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, ".bin")
    assert cache.get("abc", lambda: b"made") == b"made"
    assert cache.get("abc", lambda: b"made again") == b"made"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["abc.bin"]


def test_a_cache_that_cannot_be_written_still_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with caplog.at_level(logging.WARNING, "webui"):
        assert DiskCache(blocked, ".bin").get("abc", lambda: b"made") == b"made"
    assert "cache not written" in caplog.text


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        DiskCache(tmp_path, ".bin").get("abc", fail)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
