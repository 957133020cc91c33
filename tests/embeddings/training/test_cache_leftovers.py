"""What killed processes leave of a cache."""

import os
import subprocess
import sys
from pathlib import Path

from embeddings.training.cache import open_cache
from embeddings.transforms import Preprocessing


def test_a_new_cache_takes_the_leftovers_of_dead_processes_away_and_no_others(
    poster_world: tuple[Path, Path], tmp_path: Path
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    other = tmp_path / "16x24-other"
    other.mkdir()
    names = (f"pixels.{dead.pid}", f"movies.{dead.pid}", f"pixels.{os.getppid()}", "pixels.u8", "movies.json")
    for name in names:
        (other / name).write_text("{}")
    posters = {"tt0": poster_world[1] / "tt0.png"}
    cache = open_cache(posters, Preprocessing(16, 24), tmp_path)
    assert sorted(path.name for path in other.iterdir()) == sorted(names[2:])
    assert sorted(path.name for path in cache.folder.iterdir()) == ["movies.json", "pixels.u8"]
