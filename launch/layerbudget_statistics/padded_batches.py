"""Sequences side by side: padded on the right, masked, never across two folds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import nn

IGNORED = -100  # the label of a padded position


@dataclasses.dataclass(frozen=True)
class Batch:
    """`inputs` and `labels` [sequences, length]; `mask` is true where a token is predicted."""

    inputs: torch.Tensor
    labels: torch.Tensor
    mask: torch.Tensor
    fold: int


def make_batches(
    sequences: list[torch.Tensor], folds: int, size: int, device: str
) -> Iterator[Batch]:
    """Batches in order, padded on the right, none of them across two folds."""
    per_fold = len(sequences) // max(1, folds)
    for fold in range(max(1, folds)):
        members = sequences[fold * per_fold : (fold + 1) * per_fold]
        for start in range(0, per_fold, size):
            yield make_batch(members[start : start + size], fold, device)


def make_batch(rows: list[torch.Tensor], fold: int, device: str) -> Batch:
    pad = nn.utils.rnn.pad_sequence
    inputs = pad([row[:-1] for row in rows], batch_first=True)
    labels = pad([row[1:] for row in rows], batch_first=True, padding_value=IGNORED)
    return Batch(inputs.to(device), labels.to(device), (labels != IGNORED).to(device), fold)
