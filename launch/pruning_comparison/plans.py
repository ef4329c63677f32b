"""Plans of every allocation: ours by the tool, the others as uniform plans with other counts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from torch import nn
from transformers.pytorch_utils import Conv1D

from .baselines import alpha_shares, hill_exponent, mean_curvature, outlier_share, owl_shares
from .damage_masks import damages
from .grid import Allocation
from .shares import Shares, exact_counts
from .stored_statistics import StoredStatistics
from .tool import Tool

KIND_OF_UNITS = "kfac"  # the uniform plan names the units; its kind does not matter
LARGEST_SHARE = 0.95  # of a unit, for our allocations
DIGITS = 6  # of a bound
# A uniform plan: without a quality, and with damage per weight, all units are alike.
ALIKE = ("--psi", "quadratic", "--kappa", 0, "--damage", "per-weight", "--quality", "gain")


MATRICES = (nn.Linear, Conv1D)


@dataclasses.dataclass(frozen=True)
class Unit:
    name: str
    modules: tuple[str, ...]
    weights: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """A plan file, and its number of weights to zero in every unit."""

    file: Path
    counts: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def shares(self) -> Shares:
        return [count / size for count, size in zip(self.counts, self.sizes, strict=True)]


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What everything is made of; `other_statistics` go before `statistics` for their kinds.

    `scores` are files of other methods, by the name of the allocation's rule.
    """

    checkpoint: Path
    statistics: Path
    work: Path
    other_statistics: dict[str, Path] = dataclasses.field(default_factory=dict)
    scores: dict[str, Path] = dataclasses.field(default_factory=dict)

    def statistics_for(self, curvature: str) -> Path:
        return self.other_statistics.get(curvature, self.statistics)


class Planner:
    def __init__(self, tool: Tool, model: nn.Module, inputs: Inputs) -> None:
        self.tool = tool
        self.inputs = inputs
        self.measures = Measures(model, StoredStatistics(inputs.statistics))
        self.plans: dict[tuple[Allocation, float], Plan] = {}

    def plan(self, allocation: Allocation, sparsity: float) -> Plan:
        """Made once; the tool's exactness is checked, for every number here rests on it."""
        key = (allocation, sparsity)
        if key not in self.plans:
            file = self.inputs.work / "plans" / f"{allocation.label}_{sparsity:g}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            self.write(allocation, sparsity, file)
            self.plans[key] = read_plan(file)
        return self.plans[key]

    def write(self, allocation: Allocation, sparsity: float, file: Path) -> None:
        prune = ("prune", "--sparsity", sparsity, "--quiet", "-o", file)
        if allocation.rule == "uniform":
            scores = self.scores(KIND_OF_UNITS, None, allocation.group)
            self.tool.run(*prune, *ALIKE, "--scores", scores)
        elif allocation.rule in ("owl", "alphapruning"):
            self.write_baseline(allocation, sparsity, file)
        else:
            bounds = self.bounds(allocation.reach, sparsity)
            self.tool.run(*prune, *bounds, *self.source(allocation))

    def bounds(self, reach: float | None, sparsity: float) -> tuple[object, ...]:
        if reach is None:
            return ("--max", LARGEST_SHARE)
        least, most = max(0.0, sparsity - reach), min(LARGEST_SHARE, sparsity + reach)
        return ("--min", round(least, DIGITS), "--max", round(most, DIGITS))

    def source(self, allocation: Allocation) -> list[object]:
        """The options of `prune` that say what an allocation of ours is made of."""
        if allocation.rule == "measured":
            words: list[object] = ["--psi", "measured", "--checkpoint", self.inputs.checkpoint]
            words += ["--statistics", self.inputs.statistics_for(allocation.curvature)]
            words += ["--curvature", allocation.curvature, "--group-by", allocation.group]
            return words + (["--kappa", allocation.kappa] if allocation.kappa is not None else [])
        words = ["--psi", allocation.psi, "--kappa", allocation.kappa]
        words += ["--damage", allocation.damage]
        words += ["--per-parameter"] if allocation.per_parameter else []
        if allocation.rule == "mean-curvature":
            return [*words, "--scores", self.curvature_scores(allocation.group)]
        if allocation.rule in self.inputs.scores:
            return [*words, "--scores", self.inputs.scores[allocation.rule]]
        quality = "damage" if allocation.rule == "damage" else "gain"
        scores = self.scores(allocation.curvature, allocation.gain, allocation.group)
        return [*words, "--quality", quality, "--scores", scores]

    def scores(self, curvature: str, gain: str | None, group: str) -> Path:
        file = self.inputs.work / "scores" / f"{curvature}_{gain or 'auto'}_{group}.json"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            self.tool.run(
                *("score", "--statistics", self.inputs.statistics_for(curvature)),
                *("--checkpoint", self.inputs.checkpoint, "--curvature", curvature),
                *("--gain", gain or "auto", "--group-by", group, "--quiet", "-o", file),
            )
        return file

    def curvature_scores(self, group: str) -> Path:
        """The mean curvature of every unit as scores of another method."""
        file = self.inputs.work / "scores" / f"mean-curvature_{group}.csv"
        if not file.is_file():
            rows = [
                f'"{unit.name}",{self.measures.mean_curvature(unit)!r},{unit.weights}'
                for unit in self.units(group)
            ]
            file.write_text("\n".join(["name,gain,parameters", *rows]) + "\n")
        return file

    def units(self, group: str) -> list[Unit]:
        scores = json.loads(self.scores(KIND_OF_UNITS, None, group).read_text())
        plan = json.loads(self.plan(Allocation("uniform", group), 0.5).file.read_text())
        weights = {unit["name"]: unit["weights"] for unit in plan["units"]}
        return [
            Unit(unit["name"], tuple(unit["modules"]), weights[unit["name"]])
            for unit in scores["units"]
        ]

    def write_baseline(self, allocation: Allocation, sparsity: float, file: Path) -> None:
        uniform = self.plan(Allocation("uniform", allocation.group), sparsity)
        units = self.units(allocation.group)
        make, measure = {
            "owl": (owl_shares, self.measures.outlier_share),
            "alphapruning": (alpha_shares, self.measures.exponent),
        }[allocation.rule]
        shares = make(uniform.sizes, [measure(unit) for unit in units], sparsity)
        counts = exact_counts(uniform.sizes, shares, sum(uniform.counts))
        write_plan(uniform.file, counts, file)


class Measures:
    """What baselines measure on the model's weights as they were at first; each once per unit."""

    def __init__(self, model: nn.Module, statistics: StoredStatistics) -> None:
        self.matrices = {
            name: matrix_of(model, name).detach().clone()
            for name, module in model.named_modules()
            if isinstance(module, MATRICES)
        }
        self.statistics = statistics
        self.outlier_share: Callable[[Unit], float] = cache(self._outlier_share)
        self.exponent: Callable[[Unit], float] = cache(self._exponent)
        self.damages: Callable[[str, str], torch.Tensor] = cache(self._damages)

    def weight(self, module: str) -> torch.Tensor:
        """W [outputs, inputs] as it is in the checkpoint."""
        if module not in self.matrices:
            raise CommandError(EXIT_DATA, f"the model has no linear layer {module}")
        return self.matrices[module]

    def _outlier_share(self, unit: Unit) -> float:
        weights = [self.weight(module) for module in unit.modules]
        moments = [
            self.statistics.input_moments(module, weight.shape[1])
            for module, weight in zip(unit.modules, weights, strict=True)
        ]
        return outlier_share(weights, moments)

    def _damages(self, module: str, curvature: str) -> torch.Tensor:
        return damages(self.weight(module), self.statistics, module, curvature)

    def _exponent(self, unit: Unit) -> float:
        """The plain mean over the modules, as AlphaPruning takes it."""
        found = [hill_exponent(self.weight(module)) for module in unit.modules]
        return sum(found) / len(found)

    def mean_curvature(self, unit: Unit) -> float:
        weights = [self.weight(module) for module in unit.modules]
        means = [
            self.statistics.mean_curvature(module, weight.shape[1])
            for module, weight in zip(unit.modules, weights, strict=True)
        ]
        return mean_curvature([weight.numel() for weight in weights], means)


def matrix_of(model: nn.Module, name: str) -> torch.Tensor:
    """W [outputs, inputs] of a linear layer, a view."""
    weight = model.get_submodule(name).weight
    return weight.T if isinstance(model.get_submodule(name), Conv1D) else weight


def read_plan(file: Path) -> Plan:
    plan = json.loads(file.read_text())
    units = plan["units"]
    found = Plan(
        file,
        tuple(unit["integer"] for unit in units),
        tuple(unit["weights"] for unit in units),
    )
    if sum(found.counts) != plan["budget"]:
        raise CommandError(
            EXIT_DATA, f"{file} removes {sum(found.counts)} weights, not {plan['budget']}"
        )
    return found


def write_plan(uniform: Path, counts: Sequence[int], file: Path) -> None:
    """The uniform plan with other counts; what described the old ones goes."""
    plan = json.loads(uniform.read_text())
    for unit, count in zip(plan["units"], counts, strict=True):
        unit["integer"] = count
        unit["continuous"] = count / unit["weights"]
        unit["at_bound"] = None
    plan["budget"] = plan["spent"] = plan["spent_integer"] = sum(counts)
    plan["notes"] = ["counts of another method"]
    file.write_text(json.dumps(plan, indent=2, sort_keys=True) + "\n")
