"""The verdict on layer allocations: how often each is better or worse than uniform pruning.

Counted where it matters to a user of the tool: 50 to 70 %, by the methods that `layerbudget apply`
has, the modules of a block pruned alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from pruning_data import Row, Run, chosen, mean_of, only, verdict
from study_tools import markdown

SPARSITIES = (0.5, 0.6, 0.7)
METHODS = ("magnitude", "wanda", "sparsegpt")
OTHERS = ("OWL", "AlphaPruning")
DEFAULT = "damage, kfac, κ 0.25, log"
JUDGED = (
    DEFAULT,
    "mean curvature, κ 0.25, log",
    "mean curvature, κ 0.25, quadratic",
    "block loss, κ 0.25, log",
    "damage, kfac, κ 0.25, quadratic",
    "OWL",
    "gain, kfac, cross-fitted, κ 0.25, log",
    "gradient norm, plain, κ 1, quadratic",
    "damage, kfac, κ 1, quadratic",
    "AlphaPruning",
    "measured, kfac",
    "measured, kfac, modules",
    "gain, kfac, cross-fitted, κ 1, quadratic",
)
HEAD = [
    "allocation",
    "places",
    "better than uniform",
    "even",
    "worse",
    "mean difference",
    "worst difference",
    "worse than the better of OWL and AlphaPruning",
]


def verdict_table(runs: Sequence[Run]) -> str:
    """One row per judged allocation; a place is a model, seed, method and sparsity."""
    places = [
        chosen(run.rows, within="uniform", method=method, sparsity=sparsity)
        for run in runs
        for method in METHODS
        for sparsity in SPARSITIES
    ]
    return markdown(HEAD, [line(name, places) for name in JUDGED])


def line(name: str, places: Sequence[Sequence[Row]]) -> list[str]:
    found = [(rows, row) for rows in places if (row := only(rows, label=name))]
    own = [row for _, row in found]
    verdicts = [verdict(row) for row in own]
    numbers = (mean_of(own, lambda row: row["difference"]), max(row["difference"] for row in own))
    beaten = sum(row["loss"] > best_of_others(rows) for rows, row in found)
    return [
        f"**{name} (the default)**" if name == DEFAULT else name,
        str(len(own)),
        *(str(verdicts.count(one)) for one in ("better", "even", "worse")),
        *(f"{number:+.3f}".replace("-", "−") for number in numbers),
        "–" if name in OTHERS else str(beaten),
    ]


def best_of_others(rows: Sequence[Row]) -> float:
    return min(row["loss"] for row in rows if row["label"] in OTHERS)
