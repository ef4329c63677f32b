"""What `apply` must write: the reference's answer put into the tensors a checkpoint stores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import torch
from apply_runs import Tensors
from pruning_reference import (
    Pattern,
    measure_of,
    nearest_pattern,
    pruned,
    spread_global,
    spread_uniform,
)


@dataclasses.dataclass(frozen=True)
class Stored:
    """Where a checkpoint keeps consecutive rows of W [outputs, inputs]."""

    tensor: str
    expert: int | None = None
    transposed: bool = False

    def view(self, tensors: Tensors) -> torch.Tensor:
        own = tensors[self.tensor]
        own = own if self.expert is None else own[self.expert]
        return own.T if self.transposed else own


Places = Callable[[str], Sequence[Stored]]


def by_name(module: str) -> list[Stored]:
    return [Stored(f"{module}.weight")]


def conv1d(module: str) -> list[Stored]:
    return [Stored(f"{module}.weight", transposed=True)]


@dataclasses.dataclass(frozen=True)
class Reference:
    method: str
    within: str = "uniform"
    pattern: Pattern | None = None
    covariances: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    places: Places = by_name

    def weight(self, tensors: Tensors, module: str) -> np.ndarray:
        return torch.cat([place.view(tensors) for place in self.places(module)]).double().numpy()

    def answers(self, unit: dict, weights: dict[str, np.ndarray]) -> dict[str, int | Pattern]:
        """The number or the pattern of every module of a unit."""
        total = unit["integer"]
        if "pattern" in unit:
            return dict.fromkeys(weights, Pattern.parsed(unit["pattern"]))
        if self.pattern is not None:
            share = Fraction(total, sum(array.size for array in weights.values()))
            return dict.fromkeys(weights, nearest_pattern(share, self.pattern))
        arrays = list(weights.values())
        if self.within == "uniform":
            counts = spread_uniform(total, [array.size for array in arrays])
        else:
            measures = [
                measure_of(self.method, array, self.covariances.get(module))
                for module, array in weights.items()
            ]
            counts = spread_global(total, arrays, measures)
        return dict(zip(weights, counts, strict=True))

    def modules(self, tensors: Tensors, units: Sequence[dict]) -> dict[str, int | Pattern]:
        found: dict[str, int | Pattern] = {}
        for unit in units:
            weights = {module: self.weight(tensors, module) for module in unit["modules"]}
            found |= self.answers(unit, weights)
        return found

    def checkpoint(self, tensors: Tensors, units: Sequence[dict]) -> Tensors:
        """A copy of the tensors, pruned."""
        result = {name: tensor.clone() for name, tensor in tensors.items()}
        for module, how in self.modules(tensors, units).items():
            weight = self.weight(tensors, module)
            rows = torch.tensor(pruned(self.method, weight, how, self.covariances.get(module)))
            for place in self.places(module):
                view = place.view(result)
                part, rows = rows[: len(view)], rows[len(view) :]
                view.copy_(part)
        return result


def count(how: int | Pattern, shape: Sequence[int]) -> int:
    return how if isinstance(how, int) else how.zeros(shape)


def same_bits(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return False
    one, other = (tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (found, wanted))
    return torch.equal(one, other)
