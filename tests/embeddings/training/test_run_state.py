"""What a run writes, where it cannot be written."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from embeddings.errors import TrainingError
from embeddings.training.run_state import write_tensors


@pytest.fixture
def little_space() -> Iterator[None]:
    """The system refuses to let a file grow beyond a kilobyte, as a full disk does."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("little_space")
def test_weights_that_find_no_room_are_one_sentence_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"best\.safetensors cannot be written .*free some space"):
        write_tensors({"weight": torch.ones(3000)}, tmp_path / "best.safetensors")
    assert not (tmp_path / "best.safetensors").exists()


def test_a_folder_that_vanished_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be written"):
        write_tensors({"weight": torch.ones(3)}, tmp_path / "absent" / "best.safetensors")
