"""The linear maps a model consists of: one covered weight matrix each, whoever holds it.

nn.Linear and GPT-2's Conv1D hold one; a fused experts module holds one per expert and parameter; a
router is any other module with a matrix `weight` of its own; an embedding maps a one-hot row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import nn


@dataclasses.dataclass(frozen=True)
class LinearMap:
    """W [outputs, inputs], however its module stores it; a bias becomes one more column."""

    kind: str  # linear, Conv1D, embedding, product (a router) or expert
    module: nn.Module
    inputs: int
    outputs: int
    has_bias: bool
    parameters: int
    parameter: str = "weight"
    expert: int | None = None
    diagonal_inputs: bool = False
    diagonal_outputs: bool = False

    @property
    def columns(self) -> int:
        return self.inputs + int(self.has_bias)

    @property
    def description(self) -> str:
        """'[24, 16] and bias, Conv1D' for the coverage table."""
        text = f"[{self.outputs}, {self.inputs}]" + " and bias" * self.has_bias
        text += f", {self.kind}" * (self.kind not in ("linear", "product"))
        text += ", diagonal A" * self.diagonal_inputs
        return text + ", diagonal G" * self.diagonal_outputs


def linear_map(module: nn.Linear, parameters: int) -> LinearMap:
    """A subclass with a forward of its own may return more than the product: watched as such."""
    kind = "linear" if type(module).forward is nn.Linear.forward else "product"
    has_bias = module.bias is not None
    return LinearMap(kind, module, module.in_features, module.out_features, has_bias, parameters)


def conv1d_map(module: nn.Module, parameters: int) -> LinearMap:
    inputs, outputs = module.weight.shape  # stored [in, out]
    return LinearMap("Conv1D", module, inputs, outputs, True, parameters)


def embedding_map(module: nn.Embedding, parameters: int) -> LinearMap:
    """Its A is the diagonal of the token frequencies, exactly: no two tokens meet in one row."""
    rows, width = module.weight.shape
    return LinearMap("embedding", module, rows, width, False, parameters, diagonal_inputs=True)


def product_map(module: nn.Module, parameters: int) -> LinearMap:
    outputs, inputs = module.weight.shape
    has_bias = isinstance(getattr(module, "bias", None), nn.Parameter)
    return LinearMap("product", module, inputs, outputs, has_bias, parameters)


def stacked_matrices(module: nn.Module) -> dict[str, nn.Parameter]:
    """{name: parameter [experts, ., .]} of a fused experts module; empty for every other."""
    if isinstance(module, nn.modules.conv._ConvNd):  # its third side is the kernel
        return {}
    own = module.named_parameters(recurse=False)
    return {name: parameter for name, parameter in own if parameter.dim() == 3}


def expert_maps(name: str, module: nn.Module) -> Iterator[tuple[str, LinearMap]]:
    """('...experts.3.down_proj', map) for every expert of every stacked parameter."""
    transposed = bool(getattr(module, "is_transposed", False))
    for parameter, stack in stacked_matrices(module).items():
        experts, first, second = stack.shape
        outputs, inputs = (second, first) if transposed else (first, second)
        own_bias = getattr(module, f"{parameter}_bias", None)
        has_bias = isinstance(own_bias, torch.Tensor) and own_bias.shape == (experts, outputs)
        size = outputs * (inputs + int(has_bias))
        for expert in range(experts):
            yield (
                f"{name}.{expert}.{parameter}",
                LinearMap(
                    "expert", module, inputs, outputs, has_bias, size, parameter, expert=expert
                ),
            )
