"""The columns of a LoRA comparison; the file itself is like that of the pruning comparison."""

from __future__ import annotations

import dataclasses

from pruning_comparison.rows import Row, Rows

from .grid import Allocation

KEY_COLUMNS = ("rank", "learning_rate", *(one.name for one in dataclasses.fields(Allocation)))
VALUE_COLUMNS = (
    "budget",
    "parameters",
    "unadapted",  # modules of rank 0
    "smallest_rank",
    "largest_rank",
    "loss",
    "difference",
    "standard_error",
    "calibration_loss",
    "seconds",
    "ranks",
)


class LoraRows(Rows):
    """`windows` holds the losses of every row; `ranks` are in the order of the fact `modules`."""

    format = "layerbudget.lora-comparison/1"
    key_columns = KEY_COLUMNS
    columns = (*KEY_COLUMNS, *VALUE_COLUMNS)


def row_of(rank: float, rate: float, allocation: Allocation) -> Row:
    return {"rank": rank, "learning_rate": rate, **vars(allocation)}


def allocation_of(row: Row) -> Allocation:
    return Allocation(**{one.name: row[one.name] for one in dataclasses.fields(Allocation)})


def windows_key(row: Row) -> str:
    return f"{row['rank']:g} {row['learning_rate']:g} {allocation_of(row).label}"
