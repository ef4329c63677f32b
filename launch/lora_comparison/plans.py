"""Ranks by `layerbudget allocate`, one unit per module, a rank's cost its parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from pruning_comparison.tool import Tool

from .grid import FIRST_GAIN, PLANNED_RULES, Allocation
from .ranks import Ranks, Target, parameters, random_ranks, shuffled_ranks, uniform_ranks


class RankPlanner:
    """Everything that is known before training; `work` keeps plans and the tables they need."""

    def __init__(
        self, tool: Tool, targets: Sequence[Target], statistics: Path, work: Path, seed: int
    ) -> None:
        self.tool = tool
        self.targets = targets
        self.statistics = statistics
        self.work = work
        self.seed = seed

    def plan(self, allocation: Allocation, budget: int) -> Ranks:
        if allocation.rule == "uniform":
            ranks = uniform_ranks(self.targets, budget)
        elif allocation.rule == "random":
            ranks = random_ranks(self.targets, budget, self.generator())
        elif allocation.rule == "shuffled":
            ranks = shuffled_ranks(self.targets, self.planned(FIRST_GAIN, budget), self.generator())
        else:
            ranks = self.planned(allocation, budget)
        if (spent := parameters(self.targets, ranks)) > budget:
            raise CommandError(EXIT_DATA, f"{allocation.label} spends {spent}, more than {budget}")
        return ranks

    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    def planned(self, allocation: Allocation, budget: int) -> Ranks:
        file = self.file(allocation, budget)
        self.tool.run(
            *("allocate", "--statistics", self.statistics, "--group-by", "module", "--integer"),
            *("--unit", "rank", "--curvature", allocation.curvature),
            *("--bounds", self.bounds(allocation.least or 0)),
            *("--budget", f"{budget} parameters", "--quiet", "-o", file),
            *self.utility(allocation),
        )
        return read_ranks(file, self.targets)

    def file(self, allocation: Allocation, budget: int) -> Path:
        return self.work / f"{allocation.label}_{budget}.json"

    def exported(
        self, allocation: Allocation, budget: int, checkpoint: Path, scale: float
    ) -> Path | None:
        """A plan of the tool as peft's `adapter_config.json`; none of ranks from elsewhere."""
        if allocation.rule not in PLANNED_RULES:
            return None
        plan = self.file(allocation, budget)
        file = plan.with_name(f"{plan.stem}_adapter.json")
        self.tool.run(
            *("export", plan, "--to", "peft", "--checkpoint", checkpoint, "--quiet"),
            *("--alpha-per-rank", scale, "-o", file),
        )
        return file

    def utility(self, allocation: Allocation) -> tuple[object, ...]:
        if allocation.rule == "spectrum":
            return ("--utility", "spectrum")
        return ("--gain", allocation.gain, "--beta", allocation.beta)

    def bounds(self, least: int) -> Path:
        """No rank above the smaller side."""
        file = self.work / f"bounds_{least}.csv"
        rows = [f'"{target.name}",{least},{target.largest_rank}' for target in self.targets]
        file.write_text("\n".join(["name,lower,upper", *rows]) + "\n")
        return file


def read_ranks(file: Path, targets: Sequence[Target]) -> Ranks:
    """The whole ranks of a plan, by module name."""
    units = {unit["name"]: unit["integer"] for unit in json.loads(file.read_text())["units"]}
    if lost := [target.name for target in targets if target.name not in units]:
        raise CommandError(EXIT_DATA, f"{file} has no unit {lost[0]}")
    return tuple(units[target.name] for target in targets)
