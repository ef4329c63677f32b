"""What the processes add up at the end: all sums and all counts, and the rows of raw captures."""

from __future__ import annotations

import torch

from .checkpoints import Progress
from .collection_pass import Collected
from .processes import Processes


def add_up_all(processes: Processes, collected: Collected, own: Progress) -> Progress:
    """The totals of all processes; every sum of `collected` becomes the sum over them.

    Collective. Losses are local sums and are only added here, never averaged.
    """
    if processes.count == 1:
        return own
    counts = torch.tensor([own.batches, own.samples, own.tokens, own.predicted])
    loss = torch.tensor([own.loss], dtype=torch.float64)
    for tensor in (counts, loss):
        processes.add_up(tensor)
    for sums in collected.sums.values():
        for tensor in sums.state().values():
            processes.add_up(tensor)
    for record in collected.records.values():
        for state in processes.gather(record.state()):
            record.merge(state)
    return Progress(*counts.tolist(), loss=float(loss))
