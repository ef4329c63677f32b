"""Products with a watched weight, seen wherever a forward pass computes them.

A fused experts module or a router multiplies by its own parameters without an nn.Linear that could
carry a hook. While this mode is on, every product whose weight is a watched parameter, or a slice
`parameter[expert]` of one, is reported with its input and its result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .linear_maps import LinearMap

PRODUCTS = (
    functional.linear,
    torch.matmul,
    torch.mm,
    torch.Tensor.matmul,
    torch.Tensor.__matmul__,
    torch.Tensor.mm,
)
SAME_WEIGHT = (  # what may stand between a parameter and its product without changing its numbers
    torch.Tensor.to,
    torch.Tensor.type,
    torch.Tensor.float,
    torch.Tensor.contiguous,
    torch.Tensor.t,
    torch.Tensor.transpose,
    torch.Tensor.T.__get__,
    torch.Tensor.mT.__get__,
)

Report = Callable[[str, torch.Tensor, torch.Tensor], None]


class WeightProducts(TorchFunctionMode):
    """Calls `report(name, input, result)` for every product with a watched weight."""

    def __init__(self, maps: dict[str, LinearMap], report: Report) -> None:
        super().__init__()
        self.report = report
        self.whole: dict[int, str] = {}
        self.stacks: dict[int, dict[int, str]] = {}
        for name, own in maps.items():
            weight = getattr(own.module, own.parameter)
            if own.kind == "product":
                self.whole[id(weight)] = name
            elif own.kind == "expert" and own.expert is not None:
                self.stacks.setdefault(id(weight), {})[own.expert] = name
        self.derived: dict[int, tuple[str, torch.Tensor]] = {}

    def __exit__(self, *reason: object) -> None:
        self.derived.clear()  # held until now, so that no id was used twice
        super().__exit__(*reason)

    def name_of(self, weight: object) -> str | None:
        found = self.derived.get(id(weight))
        return found[0] if found else self.whole.get(id(weight))

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: tuple[type, ...],
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 (whatever the function gives)
        result = function(*arguments, **(options or {}))
        if function is torch.Tensor.__getitem__ and id(arguments[0]) in self.stacks:
            self.sliced(self.stacks[id(arguments[0])], arguments[1], result)
        elif function in SAME_WEIGHT and (name := self.name_of(arguments[0])):
            self.derived[id(result)] = (name, result)
        elif function in PRODUCTS:
            named = options or {}
            read = arguments[0] if arguments else named.get("input")
            weight = arguments[1] if len(arguments) > 1 else named.get("weight")
            if name := self.name_of(weight):
                self.report(name, read, result)
        return result

    def sliced(self, names: dict[int, str], index: object, weight: torch.Tensor) -> None:
        single = isinstance(index, int) or (isinstance(index, torch.Tensor) and index.dim() == 0)
        if single and int(index) in names:  # type: ignore[call-overload]
            self.derived[id(weight)] = (names[int(index)], weight)  # type: ignore[call-overload]
