"""The model in memory pruned by a plan: by the tool, or here where the tool has no such method."""

from __future__ import annotations

import dataclasses
import shutil

from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from torch import nn

from .damage_masks import CURVATURE_OF, unit_masks
from .plans import Plan, Planner, matrix_of
from .pruned_model import take_weights, zeros_in


@dataclasses.dataclass(frozen=True)
class Manner:
    """Which weights of a unit go, and how they are shared among its matrices."""

    method: str
    within: str = "uniform"
    group: str = "block"


class Pruner:
    def __init__(self, planner: Planner, model: nn.Module) -> None:
        self.planner = planner
        self.model = model

    def prune(self, plan: Plan, manner: Manner) -> None:
        """Always from the weights as they were at first."""
        if manner.method in CURVATURE_OF:
            self.prune_here(plan, manner)
        else:
            self.prune_by_tool(plan, manner)
        self.check_zeros(plan, manner)

    def prune_by_tool(self, plan: Plan, manner: Manner) -> None:
        inputs = self.planner.inputs
        pruned = inputs.work / "pruned"
        shutil.rmtree(pruned, ignore_errors=True)
        needed = () if manner.method == "magnitude" else ("--statistics", inputs.statistics)
        self.planner.tool.run(
            *("apply", plan.file, "--checkpoint", inputs.checkpoint, "-o", pruned, "--quiet"),
            *("--method", manner.method, "--within", manner.within, *needed),
        )
        take_weights(self.model, pruned)

    def prune_here(self, plan: Plan, manner: Manner) -> None:
        """By the damage of single weights."""
        measures, curvature = self.planner.measures, CURVATURE_OF[manner.method]
        for unit, count in zip(self.planner.units(manner.group), plan.counts, strict=True):
            costs = [measures.damages(module, curvature) for module in unit.modules]
            masks = unit_masks(costs, count, manner.within)
            for module, mask in zip(unit.modules, masks, strict=True):
                weight = measures.weight(module).masked_fill(mask, 0)
                matrix_of(self.model, module).data.copy_(weight)

    def check_zeros(self, plan: Plan, manner: Manner) -> None:
        """A checkpoint that had zeros of its own may have a few more than planned, never fewer."""
        units = self.planner.units(manner.group)
        found = zeros_in(self.model, [name for unit in units for name in unit.modules])
        if found < sum(plan.counts):
            raise CommandError(
                EXIT_DATA, f"{plan.file} asks for {sum(plan.counts)} zeros, the model has {found}"
            )
