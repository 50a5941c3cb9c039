"""Several processes that train one model: each takes batches of its own, and all use the mean of their gradients.

On a busy machine two processes of one thread do more than one process of two threads, whose threads wait for each other in every
operator."""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

PATIENCE = timedelta(hours=12)  # a run may be stopped for a while


@dataclass(frozen=True)
class Ranks:
    """This process's number among `count`."""

    rank: int = 0
    count: int = 1

    def mean(self, tensors: list[torch.Tensor]) -> None:
        """Replaces the floats of every process's `tensors` (alike in number and shape) by their mean over the processes."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        for tensor, values in zip(tensors, flat.div_(self.count).split([tensor.numel() for tensor in tensors])):
            tensor.copy_(values.view_as(tensor))

    def agree(self, value: float) -> float:
        """Mean of a number over the processes."""
        number = torch.tensor([value], dtype=torch.float64)
        self.mean([number])
        return float(number)


def _join(work: Callable[[Ranks], None], ranks: Ranks, meeting: Path) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=ranks.rank, world_size=ranks.count, timeout=PATIENCE)
    work(ranks)
    distributed.destroy_process_group()


def run_together(work: Callable[[Ranks], None], count: int, folder: Path) -> None:
    """Runs `work` in `count` processes (forked, so that what is loaded is shared). When one dies the others fail at their next
    mean, so a run never goes on by half. `folder`: where they meet."""
    if count == 1:
        return work(Ranks())
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    meeting = (folder / "meeting").resolve()
    meeting.unlink(missing_ok=True)
    fork = multiprocessing.get_context("fork")
    others = [fork.Process(target=_join, args=(work, Ranks(rank, count), meeting)) for rank in range(1, count)]
    for process in others:
        process.start()
    _join(work, Ranks(0, count), meeting)
    for process in others:
        process.join()
