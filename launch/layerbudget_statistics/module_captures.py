"""What the covered linear maps read and the gradients at their outputs, kept for one pass."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from .linear_maps import LinearMap
from .padded_batches import Batch
from .weight_products import WeightProducts


@dataclasses.dataclass
class Capture:
    """What one linear map did in one pass."""

    calls: int = 0
    input: torch.Tensor | None = None  # [sequences, length, in], or rows of its own [rows, in]
    output_gradient: torch.Tensor | None = None  # the same with out
    output_shape: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True where an expert was called with no row at all."""
        return self.input is not None and self.input.numel() == 0


class Recorder:
    """Hooks that keep each map's input and the gradient at its output during one pass.

    Parameters need no gradient: the outputs of the input embedding are made the leaves instead, so
    a backward pass costs only the gradients with respect to activations.
    """

    def __init__(self, model: nn.Module, maps: dict[str, LinearMap]) -> None:
        self.captures: dict[str, Capture] = {}
        model.requires_grad_(False)
        embedding = model.get_input_embeddings()
        self.handles = [embedding.register_forward_hook(make_leaf)]
        hooked = {name: own for name, own in maps.items() if own.kind not in ("product", "expert")}
        for name, own in hooked.items():
            self.handles.append(own.module.register_forward_hook(self.hook(name)))
        seen_as_products = {name: own for name, own in maps.items() if name not in hooked}
        self.products = WeightProducts(seen_as_products, self.keep) if seen_as_products else None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Around a forward pass."""
        with self.products or contextlib.nullcontext():
            yield

    def hook(self, name: str) -> Any:  # noqa: ANN401 (the type torch wants is private)
        def record(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            self.keep(name, inputs[0], output)

        return record

    def keep(self, name: str, read: torch.Tensor, output: torch.Tensor) -> None:
        capture = self.captures.setdefault(name, Capture())
        capture.calls += 1
        capture.input = read.detach()
        capture.output_shape = tuple(output.shape)

        def keep_gradient(gradient: torch.Tensor) -> None:
            capture.output_gradient = gradient.detach()

        if output.requires_grad:
            output.register_hook(keep_gradient)

    def clear(self) -> None:
        self.captures.clear()

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def make_leaf(_: nn.Module, __: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
    return output.detach().requires_grad_(True)


def has_batch_rows(capture: Capture, batch: Batch) -> bool:
    """Whether its rows are the batch's tokens, in order."""
    expected = tuple(batch.inputs.shape)
    assert capture.input is not None
    for shape in (tuple(capture.input.shape), capture.output_shape):
        flat = len(shape) == 2 and shape[0] == math.prod(expected)
        if not flat and (len(shape) != 3 or shape[:2] != expected):
            return False
    return True


def unusable(own: LinearMap, capture: Capture | None, batch: Batch) -> str | None:
    """Why what a map did in a pass cannot be used; None when it can.

    Rows that are not the batch's tokens (an expert's, a pooler's) can be told apart only when the
    batch is one sequence: then all of them belong to it.
    """
    if capture is None:
        return "never called"
    if capture.calls > 1:
        return f"called {capture.calls} times in one pass"
    assert capture.input is not None
    if own.kind == "embedding":
        return None if capture.output_gradient is not None else "no gradient reaches its output"
    sides = (capture.input.shape[-1], capture.output_shape[-1])
    if sides != (own.inputs, own.outputs):
        return f"its sides are {sides}, not {(own.inputs, own.outputs)}"
    if len(batch.inputs) > 1 and not has_batch_rows(capture, batch):
        return f"its rows are not the batch's tokens (shape {list(capture.input.shape)})"
    if capture.output_gradient is None:
        return "no gradient reaches its output"
    return None
