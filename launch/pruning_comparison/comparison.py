"""Every allocation planned, applied and measured: the steps of the command, in order."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, EXIT_USAGE, CommandError

from .damage_masks import CURVATURE_OF, unit_masks
from .grid import Allocation, allocations_of, contenders
from .held_out_loss import HeldOut, perplexity, prepare, standard_error
from .plans import Inputs, Plan, Planner, matrix_of
from .pruned_model import take_weights, zeros_in
from .rows import Row, Rows
from .tool import Tool

DENSE = "dense"
DIGITS = 6
ROWS_PER_LINE = 25


def run(options: argparse.Namespace) -> bool:
    """Whether every row is there at the end."""
    tool = Tool(options.layerbudget)
    if not tool.has("apply"):
        raise CommandError(EXIT_USAGE, f"{tool.path} has no command 'apply': a newer build")
    held_out = prepare(options)
    with work_folder(options.work) as work:
        inputs = Inputs(options.model, options.statistics, other_statistics(options), work)
        rows = Rows(options.output, facts_of(options, held_out))
        comparison = Comparison(options, held_out, Planner(tool, held_out.model, inputs), rows)
        try:
            return comparison.run()
        finally:
            rows.write()


@contextlib.contextmanager
def work_folder(named: Path | None) -> Iterator[Path]:
    """Scores and plans are kept only in a folder that was asked for."""
    if named:
        named.mkdir(parents=True, exist_ok=True)
        yield named
    else:
        with tempfile.TemporaryDirectory(prefix="layerbudget-comparison-") as folder:
            yield Path(folder)


def other_statistics(options: argparse.Namespace) -> dict[str, Path]:
    return {"ekfac": options.ekfac_statistics} if options.ekfac_statistics else {}


def checksum(path: Path) -> str:
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    found = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                found.update(block)
    return found.hexdigest()[:16]


def facts_of(options: argparse.Namespace, held_out: HeldOut) -> dict[str, Any]:
    """What must be the same for rows to stand side by side."""
    found = {
        "name": options.name or options.model.name,
        "parameters": held_out.model.num_parameters(),
        "model": checksum(options.model),
        "statistics": checksum(options.statistics),
        "text": checksum(options.text),
        "seed": options.seed,
        "windows": len(held_out.windows),
        "length": options.length,
    }
    others = {kind: checksum(path) for kind, path in other_statistics(options).items()}
    return {**found, **({"other_statistics": others} if others else {})}


class Comparison:
    def __init__(
        self, options: argparse.Namespace, held_out: HeldOut, planner: Planner, rows: Rows
    ) -> None:
        self.options = options
        self.held_out = held_out
        self.planner = planner
        self.rows = rows
        self.losses: dict[tuple, torch.Tensor] = {}  # by what was pruned, whoever planned it
        self.began = time.monotonic()
        self.evaluations = 0

    def run(self) -> bool:
        self.measure_dense()
        wanted = list(self.wanted())
        missing = [row for row in wanted if not self.rows.has(row)]
        print(f"{len(wanted)} rows, {len(wanted) - len(missing)} of them there already")
        for number, row in enumerate(missing):
            if self.out_of_time():
                print(f"stopped after {self.options.limit_minutes:g} minutes: ", end="")
                print(f"{len(missing) - number} rows are left, repeat the command to go on")
                return False
            self.add(row)
            if (number + 1) % ROWS_PER_LINE == 0 or number + 1 == len(missing):
                self.report(number + 1, len(missing))
        return True

    def out_of_time(self) -> bool:
        limit = self.options.limit_minutes
        return limit is not None and time.monotonic() - self.began > 60 * limit

    def report(self, done: int, count: int) -> None:
        seconds = time.monotonic() - self.began
        print(f"{done}/{count} rows, {self.evaluations} evaluations, {seconds:.0f} s", flush=True)

    def wanted(self) -> Iterator[Row]:
        """What is compared with everything first; of each kind uniform before all others."""
        kinds = [*other_statistics(self.options)]
        every = allocations_of(self.options.grid, kinds)
        first = contenders(kinds)
        later = [allocation for allocation in every if allocation not in first]
        for allocations in (first, later):
            for method in self.options.methods:
                for within in self.options.within:
                    for sparsity in self.options.sparsities:
                        for allocation in allocations:
                            if allocation.group == "block" or within == "uniform":
                                yield row_of(sparsity, method, within, allocation)

    def measure_dense(self) -> None:
        losses = self.held_out.losses()
        self.rows.windows.setdefault(DENSE, rounded(losses))
        loss = float(losses.mean())
        print(f"dense: loss {loss:.4f} nats per token, perplexity {perplexity(loss):.3f}")

    def add(self, row: Row) -> None:
        """The difference to uniform is paired, window by window."""
        allocation = allocation_of(row)
        plan = self.planner.plan(allocation, row["sparsity"])
        losses = self.losses_of(plan, row)
        uniform = self.uniform_losses(row)
        difference = losses - uniform
        if allocation in contenders() and row["within"] == "uniform":
            self.rows.windows[windows_key(row)] = rounded(losses)
        values = {
            "loss": round(float(losses.mean()), DIGITS),
            "difference": round(float(difference.mean()), DIGITS),
            "standard_error": round(standard_error(difference) or 0.0, DIGITS),
            "smallest_share": round(min(plan.shares), 4),
            "largest_share": round(max(plan.shares), 4),
        }
        self.rows.add({**row, **values})

    def uniform_losses(self, row: Row) -> torch.Tensor:
        """Of the blocks, pruned by the same method, each matrix by the same share."""
        uniform = self.planner.plan(Allocation("uniform"), row["sparsity"])
        return self.losses_of(uniform, row_of(row["sparsity"], row["method"], "uniform", UNIFORM))

    def losses_of(self, plan: Plan, row: Row) -> torch.Tensor:
        """Equal counts, pruned alike, are measured once."""
        key = (row["method"], row["within"], row["group"], plan.counts)
        if key not in self.losses:
            self.losses[key] = self.measure(plan, row)
            self.evaluations += 1
        return self.losses[key]

    def measure(self, plan: Plan, row: Row) -> torch.Tensor:
        if row["method"] in CURVATURE_OF:
            self.prune_here(plan, row)
        else:
            self.prune_by_tool(plan, row)
        self.check_zeros(plan, row["group"])
        return self.held_out.losses()

    def prune_here(self, plan: Plan, row: Row) -> None:
        """By the damage of single weights, on the matrices as they were at first."""
        measures, curvature = self.planner.measures, CURVATURE_OF[row["method"]]
        for unit, count in zip(self.planner.units(row["group"]), plan.counts, strict=True):
            weights = [measures.weight(module) for module in unit.modules]
            costs = [measures.damages(module, curvature) for module in unit.modules]
            masks = unit_masks(costs, count, row["within"])
            for module, weight, mask in zip(unit.modules, weights, masks, strict=True):
                matrix_of(self.held_out.model, module).data.copy_(weight.masked_fill(mask, 0))

    def prune_by_tool(self, plan: Plan, row: Row) -> None:
        pruned = self.planner.inputs.work / "pruned"
        shutil.rmtree(pruned, ignore_errors=True)
        needed = () if row["method"] == "magnitude" else self.statistics_words()
        self.planner.tool.run(
            *("apply", plan.file, "--checkpoint", self.options.model, "-o", pruned, "--quiet"),
            *("--method", row["method"], "--within", row["within"], *needed),
        )
        take_weights(self.held_out.model, pruned)

    def statistics_words(self) -> tuple[object, ...]:
        return ("--statistics", self.options.statistics)

    def check_zeros(self, plan: Plan, group: str) -> None:
        """A checkpoint that had zeros of its own may have a few more than planned, never fewer."""
        units = self.planner.units(group)
        found = zeros_in(self.held_out.model, [name for unit in units for name in unit.modules])
        if found < sum(plan.counts):
            raise CommandError(
                EXIT_DATA, f"{plan.file} asks for {sum(plan.counts)} zeros, the model has {found}"
            )


UNIFORM = Allocation("uniform")


def row_of(sparsity: float, method: str, within: str, allocation: Allocation) -> Row:
    return {"sparsity": sparsity, "method": method, "within": within, **vars(allocation)}


def allocation_of(row: Row) -> Allocation:
    return Allocation(**{name: row[name] for name in vars(UNIFORM)})


def windows_key(row: Row) -> str:
    return f"{row['method']} {row['sparsity']:g} {allocation_of(row).label}"


def rounded(losses: torch.Tensor) -> list[float]:
    return [round(value, DIGITS - 1) for value in losses.tolist()]
