"""Every allocation planned, trained and measured: the steps of the command, in order."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import peft
import torch
from layerbudget_statistics.plain_errors import EXIT_USAGE, CommandError
from peft import PeftModel
from pruning_comparison.comparison import DIGITS, checksum, rounded, work_folder
from pruning_comparison.held_out_loss import standard_error, window_losses
from pruning_comparison.rows import Row
from pruning_comparison.stored_statistics import StoredStatistics
from pruning_comparison.tool import Tool
from torch import nn

from . import adalora
from .adapters import with_ranks
from .eva import Eva, input_batches
from .grid import UNIFORM, Allocation, allocations_of
from .plans import RankPlanner
from .ranks import Ranks, Target, budget_of, parameters, targets_of, uniform_ranks
from .rows import LoraRows, allocation_of, row_of, windows_key
from .texts import Texts, prepare
from .training import AfterStep, Schedule, train

UNADAPTED = "unadapted"
WINDOWS_PER_PASS = 16
ANOTHER_START = 1000  # added to the seed of the weights where they begin again
Trained = tuple[PeftModel, Ranks, int]  # a model, its ranks, its adapters' parameters


def run(options: argparse.Namespace) -> bool:
    """Whether every row is there at the end."""
    tool = Tool(options.layerbudget)
    if not (tool.has("allocate", "--unit") and tool.has("export")):
        raise CommandError(EXIT_USAGE, f"{tool.path} has no 'allocate --unit rank': a newer build")
    base, texts = prepare(options)
    targets = targets_of(base, gradients_in(options.statistics))
    for rank in options.ranks:
        uniform_ranks(targets, budget_of(targets, rank))  # fails now, not after hours
    rows = LoraRows(options.output, facts_of(options, base, targets, texts))
    with work_folder(options.work) as work:
        planner = RankPlanner(tool, targets, options.statistics, work, options.seed)
        try:
            return Comparison(options, base, texts, planner, rows).run()
        finally:
            rows.write()


def gradients_in(statistics: Path) -> list[str]:
    """The modules whose gradient the statistics hold."""
    keys = StoredStatistics(statistics).places
    return [key.removesuffix(".gradient") for key in keys if key.endswith(".gradient")]


def facts_of(
    options: argparse.Namespace, base: nn.Module, targets: Sequence[Target], texts: Texts
) -> dict[str, Any]:
    """What must be the same for rows to stand side by side."""
    return {
        "name": options.name or options.model.name,
        "parameters": base.num_parameters(),
        "model": checksum(options.model),
        "statistics": checksum(options.statistics),
        "calibration": checksum(options.calibration),
        "training": checksum(options.training),
        "text": checksum(options.text),
        "seed": options.seed,
        "windows": len(texts.held_out),
        "calibration_windows": len(texts.calibration),
        "tuning_windows": len(texts.tuning),
        "length": options.length,
        "steps": options.steps,
        "batch_size": options.batch_size,
        "scale": options.scale,
        "peft": peft.__version__,
        "modules": [target.name for target in targets],
    }


class Comparison:
    def __init__(
        self,
        options: argparse.Namespace,
        base: nn.Module,
        texts: Texts,
        planner: RankPlanner,
        rows: LoraRows,
    ) -> None:
        self.options = options
        self.base = base
        self.texts = texts
        self.planner = planner
        self.targets = planner.targets
        self.rows = rows
        self.schedule = Schedule(options.steps, options.batch_size, options.length)
        self.began = time.monotonic()

    def run(self) -> bool:
        self.measure_unadapted()
        wanted = list(self.wanted())
        missing = [row for row in wanted if not self.rows.has(row)]
        print(f"{len(wanted)} rows, {len(wanted) - len(missing)} of them there already", flush=True)
        for number, row in enumerate(missing):
            if self.out_of_time():
                print(f"stopped after {self.options.limit_minutes:g} minutes: ", end="")
                print(f"{len(missing) - number} rows are left, repeat the command to go on")
                return False
            self.add(row)
            print(f"{number + 1}/{len(missing)} {self.told(row)}", flush=True)
        return True

    def out_of_time(self) -> bool:
        limit = self.options.limit_minutes
        return limit is not None and time.monotonic() - self.began > 60 * limit

    def told(self, row: Row) -> str:
        found = self.rows.rows[self.rows.key_of(row)]
        spent = f"{found['parameters']} of {found['budget']}"
        return (
            f"{windows_key(row)}: {spent}, loss {found['loss']:.4f}, "
            f"{found['difference']:+.4f} ± {found['standard_error']:.4f}, {found['seconds']:.0f} s"
        )

    def wanted(self) -> Iterator[Row]:
        """Of each budget uniform first, as the others are compared with it."""
        for rate in self.options.learning_rates:
            for rank in self.options.ranks:
                for allocation in allocations_of(self.options.grid):
                    yield row_of(rank, rate, allocation)

    def losses(self, model: nn.Module, windows: torch.Tensor) -> torch.Tensor:
        return window_losses(model, windows, WINDOWS_PER_PASS)

    def measure_unadapted(self) -> None:
        if UNADAPTED not in self.rows.windows:
            self.rows.windows[UNADAPTED] = rounded(self.losses(self.base, self.texts.held_out))
        known = self.rows.windows[UNADAPTED]
        print(f"without an adapter: loss {sum(known) / len(known):.4f} nats per token")

    def add(self, row: Row) -> None:
        """The difference to uniform ranks is paired, window by window, from losses as kept."""
        began = time.process_time()
        allocation, budget = allocation_of(row), budget_of(self.targets, row["rank"])
        model, ranks, spent = self.trained(row, allocation, budget)
        kept = rounded(self.losses(model, self.texts.held_out))
        self.rows.windows[windows_key(row)] = kept
        uniform = self.rows.windows[windows_key({**row, **vars(UNIFORM)})]
        difference = torch.tensor(kept).double() - torch.tensor(uniform).double()
        tuning = self.losses(model, self.texts.tuning)
        values = {
            "budget": budget,
            "parameters": spent,
            "unadapted": ranks.count(0),
            "smallest_rank": min(ranks),
            "largest_rank": max(ranks),
            "loss": round(sum(kept) / len(kept), DIGITS),
            "difference": round(float(difference.mean()), DIGITS),
            "standard_error": round(standard_error(difference) or 0.0, DIGITS),
            "calibration_loss": round(float(tuning.mean()), DIGITS),
            "seconds": round(time.process_time() - began, 1),
            "ranks": list(ranks),
        }
        self.rows.add({**row, **values})

    def trained(self, row: Row, allocation: Allocation, budget: int) -> Trained:
        seed, rate = self.options.seed, row["learning_rate"]

        def training(model: PeftModel, after_step: AfterStep | None = None) -> None:
            train(model, self.texts.training, self.schedule, rate, seed, after_step)

        if allocation.training == "adalora":
            own = (self.base, self.targets, budget, self.options.scale, seed, self.schedule.steps)
            return adalora.trained(*own, training)
        model, ranks = self.begun(row, allocation, budget)
        training(model)
        return model, ranks, parameters(self.targets, ranks)

    def begun(self, row: Row, allocation: Allocation, budget: int) -> tuple[PeftModel, Ranks]:
        """Adapters before their training."""
        scale, seed = self.options.scale, self.options.seed
        if allocation.training == "eva":
            return self.begun_by_eva(allocation, budget)
        if allocation.training == "again":
            seed += ANOTHER_START
        ranks = self.ranks_of(row, allocation, budget)
        exported = self.planner.exported(allocation, budget, self.options.model, scale)
        return with_ranks(self.base, self.targets, ranks, scale, seed, exported), ranks

    def ranks_of(self, row: Row, allocation: Allocation, budget: int) -> Ranks:
        """Those that EVA and AdaLoRA ended with are taken from their own rows, if there."""
        if allocation.rule not in ("eva", "adalora"):
            return self.planner.plan(allocation, budget)
        own = {**row, **vars(Allocation(allocation.rule, training=allocation.rule))}
        if not self.rows.has(own):
            self.add(own)
        return tuple(self.rows.rows[self.rows.key_of(own)]["ranks"])

    def begun_by_eva(self, allocation: Allocation, budget: int) -> tuple[PeftModel, Ranks]:
        batches = input_batches(self.texts.calibration, WINDOWS_PER_PASS)
        eva = Eva(self.base, self.targets, self.options.scale, self.options.seed, batches)
        uniform = self.planner.plan(UNIFORM, budget)
        if allocation.rule == "uniform":
            return eva.uniform(uniform), uniform
        start = budget * len(self.targets) // sum(target.cost for target in self.targets)
        return eva.redistributed(budget, start)
