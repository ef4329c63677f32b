"""Hooks that keep the inputs and output gradients of the covered modules for one pass."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import nn

from .padded_batches import Batch


@dataclasses.dataclass
class Capture:
    """What the hooks of one module saw in one pass."""

    calls: int = 0
    input: torch.Tensor | None = None  # [sequences, length, in]
    output_gradient: torch.Tensor | None = None  # [sequences, length, out]
    output_shape: tuple[int, ...] = ()


class Recorder:
    """Hooks that keep each module's input and the gradient at its output during one pass.

    Parameters need no gradient: the outputs of the input embedding are made the leaves instead, so
    a backward pass costs only the gradients with respect to activations.
    """

    def __init__(self, model: nn.Module, modules: dict[str, nn.Linear]) -> None:
        self.captures: dict[str, Capture] = {}
        model.requires_grad_(False)
        self.handles = [model.get_input_embeddings().register_forward_hook(make_leaf)]
        for name, module in modules.items():
            self.handles.append(module.register_forward_hook(self.hook(name)))

    def hook(self, name: str) -> Any:  # noqa: ANN401 (the type torch wants is private)
        def record(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            capture = self.captures.setdefault(name, Capture())
            capture.calls += 1
            capture.input = inputs[0].detach()
            capture.output_shape = tuple(output.shape)

            def keep(gradient: torch.Tensor) -> None:
                capture.output_gradient = gradient.detach()

            if output.requires_grad:
                output.register_hook(keep)

        return record

    def clear(self) -> None:
        self.captures.clear()

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def make_leaf(_: nn.Module, __: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
    return output.detach().requires_grad_(True)


def unusable(capture: Capture | None, batch: Batch) -> str | None:
    """Why what a module did in a pass cannot be used; None when it can."""
    if capture is None:
        return "never called"
    if capture.calls > 1:
        return f"called {capture.calls} times in one pass"
    assert capture.input is not None
    expected = tuple(batch.inputs.shape)
    for shape in (tuple(capture.input.shape), capture.output_shape):
        flat = len(shape) == 2 and shape[0] == math.prod(expected)
        if not flat and (len(shape) != 3 or shape[:2] != expected):
            return f"its rows are not the batch's tokens (shape {list(shape)})"
    if capture.output_gradient is None:
        return "no gradient reaches its output"
    return None
