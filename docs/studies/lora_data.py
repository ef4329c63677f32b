"""Rows of `launch/compare_lora.py` read back, each named; means over the seeds of a model."""

from __future__ import annotations

import collections
import dataclasses
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from pruning_data import Row, Run, chosen, only

NAMES = {
    "uniform": "uniform",
    "gain": "gain",
    "gradient-norm": "gradient norm",
    "spectrum": "spectrum",
    "eva": "EVA's ranks",
    "adalora": "AdaLoRA's ranks",
    "random": "random",
    "shuffled": "gain, kfac, cross-fitted, β 1, blocks shuffled",
}
TRAININGS = {
    ("eva", "eva"): "EVA, ranks and directions",
    ("uniform", "eva"): "uniform, EVA's directions",
    ("adalora", "adalora"): "AdaLoRA",
    ("uniform", "again"): "uniform, other first weights",
}
UNIFORM = "uniform"
ORDER = (
    UNIFORM,
    "uniform, other first weights",
    "gain, kfac, cross-fitted, β 1",
    "gain, kfac, cross-fitted, β 0.5",
    "gain, kfac, cross-fitted, β 1, at least 1",
    "gain, kfac, plain, β 1",
    "gain, kfac, plain, β 0.5",
    "spectrum, kfac",
    "spectrum, identity",
    "gradient norm, plain, β 1",
    "gradient norm, plain, β 0.5",
    "gain, kfac, cross-fitted, β 1, blocks shuffled",
    "random",
    "EVA's ranks",
    "AdaLoRA's ranks",
    "EVA, ranks and directions",
    "uniform, EVA's directions",
    "AdaLoRA",
)
LORA_ONLY = ORDER[: ORDER.index("EVA, ranks and directions")]  # all trained alike


def label(row: Row) -> str:
    if named := TRAININGS.get((row["rule"], row["training"])):
        return named
    words = [NAMES[row["rule"]]]
    words += [row["curvature"]] if row["rule"] in ("gain", "spectrum") else []
    words += [row["gain"]] if row["gain"] else []
    words += [f"β {row['beta']:g}"] if row["beta"] is not None else []
    words += [f"at least {row['least']}"] if row["least"] else []
    return ", ".join(words)


def read_run(file: Path) -> Run:
    found = json.loads(file.read_text())
    rows = [dict(zip(found["columns"], values, strict=True)) for values in found["rows"]]
    for row in rows:
        row["label"] = label(row)
        if row["label"] not in ORDER:
            raise SystemExit(f"{file}: {row['label']} has no place in the tables")
    return Run(found["facts"], rows, found["windows"])


def chosen_rate(runs: Sequence[Run]) -> float:
    """The learning rate of a model's comparison: that of nearly all rows."""
    rates = collections.Counter(row["learning_rate"] for run in runs for row in run.rows)
    return rates.most_common(1)[0][0]


@dataclasses.dataclass(frozen=True)
class Place:
    """The rows of one allocation at one budget, one per seed."""

    rows: tuple[Row, ...]

    @property
    def differences(self) -> list[float]:
        return [row["difference"] for row in self.rows]

    @property
    def mean(self) -> float:
        return statistics.mean(self.differences)

    @property
    def error(self) -> float | None:
        """Of the mean over seeds; none of a single seed."""
        count = len(self.rows)
        return statistics.stdev(self.differences) / math.sqrt(count) if count > 1 else None


def place_of(runs: Sequence[Run], rank: float, name: str, rate: float) -> Place | None:
    wanted = {"rank": rank, "label": name, "learning_rate": rate}
    rows = [row for run in runs if (row := only(run.rows, **wanted))]
    return Place(tuple(rows)) if rows else None


def ranks_of(runs: Sequence[Run], rate: float) -> list[float]:
    """The budgets at which something was compared with uniform ranks, by those."""
    rows = [row for run in runs for row in chosen(run.rows, learning_rate=rate)]
    return sorted({row["rank"] for row in rows if row["label"] != UNIFORM})


def labels_of(runs: Sequence[Run], rate: float) -> list[str]:
    found = {row["label"] for run in runs for row in chosen(run.rows, learning_rate=rate)}
    return [name for name in ORDER if name in found]
