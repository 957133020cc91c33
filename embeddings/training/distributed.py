"""Several processes that train one net, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is.

    Args:
        rank: Number of this process; 0 judges and writes.
        world: Number of processes.
    """

    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process judges and writes."""
        return self.rank == 0

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.world > 1:
            dist.barrier()

    def agree(self, value: float, device: torch.device) -> float:
        """The leading process's value, in every process."""
        if self.world == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=device)
        dist.broadcast(shared, src=0)
        return float(shared)


ALONE = Processes()


def local_device(device: str) -> str:
    """This process's own GPU where ``torchrun`` started several; otherwise ``device`` as it is."""
    local = os.environ.get("LOCAL_RANK")
    several = local is not None and torch.cuda.is_available() and device in ("auto", "cuda")
    return f"cuda:{local}" if several else device


@contextmanager
def joined_processes(device: torch.device) -> Iterator[Processes]:
    """Join the other processes that ``torchrun`` started; alone without it."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
