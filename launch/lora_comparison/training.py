"""Adapters trained for a fixed number of steps; everything but the ranks is the same for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from torch import nn

WARM_UP = 0.1  # share of all steps
LARGEST_NORM = 1.0  # of the gradient of all adapters together
AfterStep = Callable[[int], None]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """AdamW without weight decay; a linear rise to the learning rate, then a linear fall to 0."""

    steps: int
    batch_size: int
    length: int

    def factor(self, step: int) -> float:
        """Of the learning rate, at steps 0 ..< steps."""
        rise = max(1, round(WARM_UP * self.steps))
        return min((step + 1) / rise, (self.steps - step) / max(1, self.steps - rise))


def batches(tokens: torch.Tensor, schedule: Schedule, seed: int) -> Iterator[torch.Tensor]:
    """int64 [batch, 1 + length]: windows that begin anywhere, the same for the same seed."""
    places = len(tokens) - schedule.length
    if places < 1:
        raise CommandError(
            EXIT_DATA,
            f"the training text has {len(tokens)} tokens, too few for one window of "
            f"{schedule.length}: more text or a smaller --length",
        )
    generator = torch.Generator().manual_seed(seed)
    within = torch.arange(schedule.length + 1)
    for _ in range(schedule.steps):
        starts = torch.randint(places, (schedule.batch_size,), generator=generator)
        yield tokens[starts[:, None] + within]


def train(
    model: nn.Module,
    tokens: torch.Tensor,
    schedule: Schedule,
    rate: float,
    seed: int,
    after_step: AfterStep | None = None,
) -> None:
    """`after_step` gets 1, 2, ... after the optimizer's step, while the gradients are still there.

    The model computes the loss itself, as AdaLoRA adds its own term to it.
    """
    model.train()
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    for step, batch in enumerate(batches(tokens, schedule, seed)):
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule.factor(step)
        labels = batch[:, 1:].contiguous()
        found = model(input_ids=batch[:, :-1], labels=labels, shift_labels=labels, use_cache=False)
        found.loss.backward()
        nn.utils.clip_grad_norm_(trained, LARGEST_NORM)
        optimizer.step()
        if after_step:
            after_step(step + 1)
        optimizer.zero_grad()
    model.eval()
