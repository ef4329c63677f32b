"""Every allocation planned, applied and measured: the steps of the command, in order."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from layerbudget_statistics.plain_errors import EXIT_USAGE, CommandError

from .grid import Allocation, allocations_of, contenders
from .held_out_loss import HeldOut, perplexity, prepare, standard_error
from .plans import Inputs, Plan, Planner
from .pruner import Manner, Pruner
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
        others, scores = other_statistics(options), dict(options.scores)
        inputs = Inputs(options.model, options.statistics, work, others, scores)
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
    others = {**other_statistics(options), **dict(options.scores)}
    return {**found, "others": {name: checksum(path) for name, path in others.items()}}


class Comparison:
    def __init__(
        self, options: argparse.Namespace, held_out: HeldOut, planner: Planner, rows: Rows
    ) -> None:
        self.options = options
        self.held_out = held_out
        self.planner = planner
        self.pruner = Pruner(planner, held_out.model)
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
        scores = [name for name, _ in self.options.scores]
        every = allocations_of(self.options.grid, kinds, scores)
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
        self.pruner.prune(plan, Manner(row["method"], row["within"], row["group"]))
        return self.held_out.losses()


UNIFORM = Allocation("uniform")


def row_of(sparsity: float, method: str, within: str, allocation: Allocation) -> Row:
    return {"sparsity": sparsity, "method": method, "within": within, **vars(allocation)}


def allocation_of(row: Row) -> Allocation:
    return Allocation(**{name: row[name] for name in vars(UNIFORM)})


def windows_key(row: Row) -> str:
    return f"{row['method']} {row['sparsity']:g} {allocation_of(row).label}"


def rounded(losses: torch.Tensor) -> list[float]:
    return [round(value, DIGITS - 1) for value in losses.tolist()]
