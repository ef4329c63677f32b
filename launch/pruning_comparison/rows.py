"""The rows of a comparison in one JSON file, which a later run goes on with."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any

from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError

from .grid import Allocation

FORMAT = "layerbudget.pruning-comparison/1"
ALLOCATION_COLUMNS = tuple(field.name for field in dataclasses.fields(Allocation))
KEY_COLUMNS = ("sparsity", "method", "within", *ALLOCATION_COLUMNS)
VALUE_COLUMNS = ("loss", "difference", "standard_error", "smallest_share", "largest_share")
COLUMNS = (*KEY_COLUMNS, *VALUE_COLUMNS)
SECONDS_BETWEEN_WRITES = 15.0

Row = dict[str, Any]


class Rows:
    """`facts` say what was compared on what; rows of other facts are never mixed with them.

    `windows` holds the losses of single windows, rounded, of allocations that are compared with one
    another and not with uniform alone. Another comparison says which columns its rows have.
    """

    format = FORMAT
    key_columns: tuple[str, ...] = KEY_COLUMNS
    columns: tuple[str, ...] = COLUMNS

    def __init__(self, file: Path, facts: dict[str, Any]) -> None:
        self.file = file
        self.facts = facts
        self.rows: dict[tuple, Row] = {}
        self.windows: dict[str, list[float]] = {}
        self.written = time.monotonic()
        if file.is_file():
            self.read()

    def read(self) -> None:
        try:
            found = json.loads(self.file.read_text())
            facts, columns, rows = found["facts"], found["columns"], found["rows"]
            self.windows = found["windows"]
        except (ValueError, KeyError, TypeError):
            raise CommandError(EXIT_DATA, f"{self.file} holds no rows of a comparison") from None
        more = {"others": {**facts.get("others", {}), **self.facts.get("others", {})}}
        if different := differing(facts, self.facts):
            raise CommandError(
                EXIT_DATA,
                f"{self.file} is of another {different[0]}: name another output for this run",
            )
        self.facts = {**self.facts, **more}
        for values in rows:
            row = dict(zip(columns, values, strict=True))
            self.rows[self.key_of(row)] = row

    def key_of(self, row: Row) -> tuple:
        return tuple(row[name] for name in self.key_columns)

    def has(self, row: Row) -> bool:
        return self.key_of(row) in self.rows

    def add(self, row: Row) -> None:
        self.rows[self.key_of(row)] = row
        if time.monotonic() - self.written > SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """One row per line, written beside the old file and renamed."""
        parts = {
            "format": self.format,
            "facts": self.facts,
            "columns": self.columns,
            "rows": [[row[name] for name in self.columns] for row in self.rows.values()],
            "windows": self.windows,
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.file.with_name(f".{self.file.name}.tmp")
        unfinished.write_text(in_lines(parts))
        os.replace(unfinished, self.file)
        self.written = time.monotonic()


def differing(stored: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """Names of facts that contradict one another; a run may bring scores that the last had not."""
    others, now = stored.get("others", {}), given.get("others", {})
    return [
        *(name for name in given if name != "others" and stored.get(name) != given[name]),
        *(name for name in now if name in others and others[name] != now[name]),
    ]


def in_lines(parts: dict[str, Any]) -> str:
    def compact(value: object) -> str:
        return json.dumps(value, separators=(",", ":"))

    rows = ",\n".join(map(compact, parts["rows"]))
    windows = ",\n".join(f"{compact(key)}:{compact(v)}" for key, v in parts["windows"].items())
    return (
        f'{{"format":{compact(parts["format"])},\n"facts":{compact(parts["facts"])},\n'
        f'"columns":{compact(parts["columns"])},\n"rows":[\n{rows}\n],\n"windows":{{\n{windows}\n}}}}\n'
    )
