"""The sums over all batches, per module: products in float32, summed in float64.

With x the input and d the gradient at the output, one row per token: sum of d x^T per fold, sum of
x x^T, sum of d d^T, and the sum over sequences of (sum of d x^T)^2.
"""

from __future__ import annotations

import dataclasses
import math
import time

import torch
from torch import nn

from .alias_detection import input_identity
from .causal_model import run_batch
from .module_captures import Capture, Recorder, unusable
from .padded_batches import Batch
from .plain_errors import EXIT_DATA, CommandError


class Sums:
    """Float64 sums of one module: what `collect` asks for, over all batches so far."""

    def __init__(self, module: nn.Linear, folds: int, collect: frozenset[str], leads: bool) -> None:
        self.has_bias = module.bias is not None
        rows, columns = module.out_features, module.in_features + int(self.has_bias)

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, dtype=torch.float64)

        self.folds = zeros(max(1, folds), rows, columns)
        self.squares = zeros(rows, columns) if "diagonal" in collect else None
        self.inputs = zeros(columns, columns) if "kfac" in collect and leads else None
        self.outputs = zeros(rows, rows) if "kfac" in collect else None

    def add(self, capture: Capture, batch: Batch) -> None:
        """x [sequences, length, in(+1)] and d [sequences, length, out], zero where padded."""
        assert capture.input is not None and capture.output_gradient is not None
        shape = (*batch.inputs.shape, -1)
        keep = batch.mask[..., None]
        x = capture.input.reshape(shape).float() * keep
        d = capture.output_gradient.reshape(shape).float() * keep
        if self.has_bias:
            x = torch.cat([x, keep.float()], dim=-1)
        if self.squares is None:
            self.folds[batch.fold] += wide(d.flatten(0, 1).T @ x.flatten(0, 1))
        else:
            for sequence_x, sequence_d in zip(x, d, strict=True):
                gradient = wide(sequence_d.T @ sequence_x)
                self.folds[batch.fold] += gradient
                self.squares.addcmul_(gradient, gradient)
        if self.inputs is not None:
            self.inputs += wide(x.flatten(0, 1).T @ x.flatten(0, 1))
        if self.outputs is not None:
            self.outputs += wide(d.flatten(0, 1).T @ d.flatten(0, 1))


def wide(product: torch.Tensor) -> torch.Tensor:
    return product.to("cpu", torch.float64)


@dataclasses.dataclass(frozen=True)
class Totals:
    samples: int
    tokens: int
    loss: float


def collect(
    model: nn.Module,
    recorder: Recorder,
    leaders: dict[str, str],
    sums: dict[str, Sums],
    batches: list[Batch],
) -> Totals:
    """Adds every batch to `sums`."""
    samples, tokens, total, began = 0, 0, 0.0, time.monotonic()
    for number, batch in enumerate(batches, 1):
        recorder.clear()
        loss = run_batch(model, batch)
        if not math.isfinite(loss):
            raise CommandError(
                EXIT_DATA, f"the loss of batch {number} is {loss}: try --model-dtype float32"
            )
        add_batch(recorder, leaders, sums, batch)
        samples, tokens, total = (
            samples + len(batch.inputs),
            tokens + int(batch.mask.sum()),
            total + loss,
        )
        if number == len(batches) or number % max(1, len(batches) // 8) == 0:
            print(
                f"batch {number}/{len(batches)}  loss {total / tokens:.4f} per token  "
                f"{time.monotonic() - began:.0f} s",
                flush=True,
            )
    recorder.clear()
    return Totals(samples, tokens, total)


def add_batch(
    recorder: Recorder, leaders: dict[str, str], sums: dict[str, Sums], batch: Batch
) -> None:
    for name, module_sums in sums.items():
        capture = recorder.captures.get(name)
        if reason := unusable(capture, batch):
            raise CommandError(
                EXIT_DATA,
                f"{name}: {reason}, unlike in the first batch; leave it out with --modules",
            )
        assert capture is not None
        leader = recorder.captures[leaders[name]]
        bias = module_sums.has_bias
        if input_identity(capture, bias) != input_identity(leader, bias):
            raise CommandError(
                EXIT_DATA, f"{name}: shares its input with {leaders[name]} in some batches only"
            )
        module_sums.add(capture, batch)
