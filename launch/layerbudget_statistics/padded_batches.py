"""Sequences side by side: padded on the right, masked, never across two folds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import nn

IGNORED = -100  # the label of a position that is not predicted


@dataclasses.dataclass(frozen=True)
class Sample:
    """One sequence: `inputs` and `labels` [length]."""

    inputs: torch.Tensor
    labels: torch.Tensor


@dataclasses.dataclass(frozen=True)
class Batch:
    """`inputs` and `labels` [sequences, length]; `mask` is true where a token is no padding."""

    inputs: torch.Tensor
    labels: torch.Tensor
    mask: torch.Tensor
    fold: int
    samples: tuple[int, ...]  # which of all samples, in fold order

    @property
    def predicted(self) -> int:
        return int((self.labels != IGNORED).sum())


def next_token_samples(sequences: list[torch.Tensor]) -> list[Sample]:
    return [Sample(sequence[:-1], sequence[1:]) for sequence in sequences]


def make_batches(
    samples: list[Sample],
    folds: int,
    size: int,
    device: str,
    rank: int = 0,
    processes: int = 1,
) -> Iterator[Batch]:
    """A process's share of every fold: in order, padded on the right, none across two folds."""
    per_fold = len(samples) // max(1, folds)
    for fold in range(max(1, folds)):
        first = fold * per_fold + per_fold * rank // processes
        end = fold * per_fold + per_fold * (rank + 1) // processes
        for start in range(first, end, size):
            numbers = tuple(range(start, min(start + size, end)))
            yield make_batch([samples[number] for number in numbers], fold, device, numbers)


def make_batch(rows: list[Sample], fold: int, device: str, numbers: tuple[int, ...] = ()) -> Batch:
    pad = nn.utils.rnn.pad_sequence
    inputs = pad([row.inputs for row in rows], batch_first=True)
    labels = pad([row.labels for row in rows], batch_first=True, padding_value=IGNORED)
    mask = pad([torch.ones_like(row.inputs, dtype=torch.bool) for row in rows], batch_first=True)
    return Batch(inputs.to(device), labels.to(device), mask.to(device), fold, numbers)
