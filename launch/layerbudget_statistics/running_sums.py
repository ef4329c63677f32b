"""The sums over all batches, per module: products in float32, summed in float64.

With x the input and d the gradient at the output, one row per token: sum of d x^T per fold, sum of
x x^T, sum of d d^T, and the sum over sequences of (sum of d x^T)^2.
"""

from __future__ import annotations

import torch

from .linear_maps import LinearMap
from .module_captures import Capture
from .padded_batches import Batch


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.float64)


class Sums:
    """Float64 sums of one module: what `collect` asks for, over all batches so far."""

    def __init__(self, own: LinearMap, folds: int, collect: frozenset[str], leads: bool) -> None:
        self.has_bias = own.has_bias
        rows, columns = own.outputs, own.columns
        self.folds = zeros(max(1, folds), rows, columns)
        self.squares = zeros(rows, columns) if "diagonal" in collect else None
        self.inputs = self.outputs = None
        if "kfac" in collect and leads:
            self.inputs = zeros(columns) if own.diagonal_inputs else zeros(columns, columns)
        if "kfac" in collect:
            self.outputs = zeros(rows) if own.diagonal_outputs else zeros(rows, rows)
        self.tokens = torch.zeros(1, dtype=torch.int64)  # rows that reached this module

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that is summed, by name, as it is held: writing into it changes the sums."""
        parts = {
            "folds": self.folds,
            "squares": self.squares,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "tokens": self.tokens,
        }
        return {name: tensor for name, tensor in parts.items() if tensor is not None}

    def add(self, capture: Capture, batch: Batch) -> None:
        """x [sequences, length, in(+1)] and d [sequences, length, out], zero where padded.

        A batch of one sequence has no padding, and the rows may be any that belong to it.
        """
        assert capture.input is not None and capture.output_gradient is not None
        alone = len(batch.inputs) == 1
        shape = (1, -1) if alone else tuple(batch.inputs.shape)
        x = capture.input.reshape(*shape, capture.input.shape[-1]).float()
        d = capture.output_gradient.reshape(*shape, capture.output_gradient.shape[-1]).float()
        keep = torch.ones_like(x[..., :1], dtype=torch.bool) if alone else batch.mask[..., None]
        x, d = x * keep, d * keep
        if self.has_bias:
            x = torch.cat([x, keep.float()], dim=-1)
        self.tokens += int(keep.sum())
        if self.squares is None:
            self.folds[batch.fold] += wide(d.flatten(0, 1).T @ x.flatten(0, 1))
        else:
            for sequence_x, sequence_d in zip(x, d, strict=True):
                gradient = wide(sequence_d.T @ sequence_x)
                self.folds[batch.fold] += gradient
                self.squares.addcmul_(gradient, gradient)
        add_moment(self.inputs, x.flatten(0, 1))
        add_moment(self.outputs, d.flatten(0, 1))


def add_moment(total: torch.Tensor | None, rows: torch.Tensor) -> None:
    """Adds the sum of r r^T over the rows, or its diagonal where that is all that is kept."""
    if total is not None and total.dim() == 2:
        total += wide(rows.T @ rows)
    elif total is not None:
        total += rows.square().sum(0, dtype=torch.float64).cpu()


def wide(product: torch.Tensor) -> torch.Tensor:
    return product.to("cpu", torch.float64)


class EmbeddingSums(Sums):
    """The same for an input embedding, W [out, vocabulary]: x is one-hot, so nothing is multiplied.

    A is the diagonal of how often each token comes.
    """

    def add(self, capture: Capture, batch: Batch) -> None:
        assert capture.output_gradient is not None
        gradient = capture.output_gradient.to("cpu")
        for tokens, d, keep in zip(batch.inputs.cpu(), gradient, batch.mask.cpu(), strict=True):
            seen, places = tokens[keep].unique(return_inverse=True)
            part = zeros(len(seen), d.shape[-1]).index_add_(0, places, d[keep].double()).T
            self.folds[batch.fold][:, seen] += part
            if self.squares is not None:
                self.squares[:, seen] += part.square()
            if self.inputs is not None:
                self.inputs[seen] += places.bincount(minlength=len(seen)).double()
        self.tokens += int(batch.mask.sum())
        add_moment(self.outputs, (gradient.float() * batch.mask.cpu()[..., None]).flatten(0, 1))


def make_sums(own: LinearMap, folds: int, collect: frozenset[str], leads: bool) -> Sums:
    kind = EmbeddingSums if own.kind == "embedding" else Sums
    return kind(own, folds, collect, leads)
