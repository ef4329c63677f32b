"""Rows of `launch/compare_pruning.py` read back: one run per model and seed, each row named."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

NAMES = {
    "owl": "OWL",
    "alphapruning": "AlphaPruning",
    "gradient-norm": "gradient norm",
    "mean-curvature": "mean curvature",
    "block-loss": "block loss",
}
METHODS = ("magnitude", "wanda", "sparsegpt", "damage-kfac", "damage-diagonal")
UNIFORM, MEASURED = "uniform", "measured, kfac"


@dataclasses.dataclass(frozen=True)
class Run:
    """All rows of one model and one seed."""

    facts: dict[str, Any]
    rows: list[Row]
    windows: dict[str, list[float]]

    @property
    def model(self) -> str:
        return self.facts["name"]

    @property
    def seed(self) -> int:
        return self.facts["seed"]

    @property
    def dense(self) -> list[float]:
        return self.windows["dense"]


def label(row: Row) -> str:
    """An allocation in words, without what changes nothing for units of equal size."""
    words = [NAMES.get(row["rule"], row["rule"])]
    words += [row[name] for name in ("curvature", "gain") if row[name]]
    if row["kappa"] is not None:
        words.append(f"κ {row['kappa']:g}")
    words += [row["psi"]] if row["psi"] else []
    words += [f"S ± {row['reach']:g}"] if row["reach"] else []
    if row["group"] == "module":
        words += [row["damage"]] if row["damage"] else []
        words += ["per parameter"] if row["per_parameter"] else []
        words.append("modules")
    return ", ".join(word for word in words if word != "identity")


def read_run(file: Path) -> Run:
    found = json.loads(file.read_text())
    rows = [dict(zip(found["columns"], values, strict=True)) for values in found["rows"]]
    for row in rows:
        row["label"] = label(row)
    return Run(found["facts"], once_each(rows), found["windows"])


def once_each(rows: Iterable[Row]) -> list[Row]:
    """Of rows with one label and place the first; the others must be the same plan."""
    found: dict[tuple, Row] = {}
    for row in rows:
        first = found.setdefault((row["label"], *place(row)), row)
        if not math.isclose(first["loss"], row["loss"], abs_tol=1e-6):
            raise SystemExit(f"two plans under one name: {row['label']} at {place(row)}")
    return list(found.values())


def place(row: Row) -> tuple[float, str, str]:
    return row["sparsity"], row["method"], row["within"]


def chosen(rows: Iterable[Row], **wanted: object) -> list[Row]:
    """Rows whose columns have these values; a tuple allows several."""
    return [
        row
        for row in rows
        if all(
            row[name] in value if isinstance(value, tuple) else row[name] == value
            for name, value in wanted.items()
        )
    ]


def only(rows: Iterable[Row], **wanted: object) -> Row | None:
    found = chosen(rows, **wanted)
    return found[0] if found else None


def values_of(rows: Iterable[Row], name: str) -> list[Any]:
    """Distinct values of a column, in order; methods as they are named everywhere."""
    found = {row[name] for row in rows}
    return [m for m in METHODS if m in found] if name == "method" else sorted(found)


def by_model(runs: Sequence[Run]) -> dict[str, list[Run]]:
    ordered = sorted(runs, key=lambda run: (run.facts["parameters"], run.model, run.seed))
    return {
        model: list(found) for model, found in itertools.groupby(ordered, lambda run: run.model)
    }


def paired(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Mean difference over windows, and its standard error."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return (
        statistics.mean(differences),
        statistics.stdev(differences) / math.sqrt(len(differences)),
    )


def verdict(row: Row) -> str:
    """better or worse than uniform by more than two standard errors, else even."""
    if abs(row["difference"]) <= 2 * row["standard_error"]:
        return "even"
    return "better" if row["difference"] < 0 else "worse"


def difference(row: Row | None) -> str:
    """Bold where it is more than two standard errors."""
    if row is None:
        return "–"
    text = f"{row['difference']:+.3f} ± {row['standard_error']:.3f}".replace("-", "−")
    return text if verdict(row) == "even" else f"**{text}**"


def mean_of(rows: Sequence[Row], value: Callable[[Row], float]) -> float:
    return statistics.mean(map(value, rows))
