"""What a run writes, where it cannot be written."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from embeddings.errors import TrainingError
from embeddings.training.run_state import write_tensors

# A process of its own: the limit holds for every file that a process writes, the tests' report too.
_WITH_LITTLE_SPACE = """
import resource, signal, sys
from pathlib import Path
import torch
from embeddings.errors import TrainingError
from embeddings.training.run_state import write_tensors
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
try:
    write_tensors({"weight": torch.ones(3000)}, Path(sys.argv[1]))
except TrainingError as error:
    sys.exit(str(error))
"""


def test_weights_that_find_no_room_are_one_sentence_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    done = subprocess.run(
        [sys.executable, "-c", _WITH_LITTLE_SPACE, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "best.safetensors cannot be written" in done.stderr
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert not path.exists()


def test_a_folder_that_vanished_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be written"):
        write_tensors({"weight": torch.ones(3)}, tmp_path / "absent" / "best.safetensors")
