"""The table of what is covered, what is skipped and why, with shares of all parameters."""

from __future__ import annotations

import re

from .module_coverage import Coverage


def pattern_of(name: str) -> str:
    """'model.layers.3.mlp' as 'model.layers.*.mlp', to fold equal rows of the table together."""
    return re.sub(r"(?<=\.)\d+(?=\.|$)", "*", name)


def print_coverage(coverage: Coverage) -> None:
    rows: dict[tuple[str, str], list[int]] = {}
    for name, own in coverage.maps.items():
        rows.setdefault((pattern_of(name), f"covered {own.description}"), []).append(own.parameters)
    for name, parameters, reason in coverage.skipped:
        key = (pattern_of(name), f"skipped: {pattern_of(reason)}")
        rows.setdefault(key, []).append(parameters)
    total = sum(map(sum, rows.values()))
    width = max(len(name) for name, _ in rows)
    print(f"{'module':{width}}  count  parameters   share  ")
    for (name, what), sizes in rows.items():
        print(
            f"{name:{width}}  {len(sizes):5d}  {sum(sizes):10d}  {sum(sizes) / total:6.2%}  {what}"
        )
    covered = sum(own.parameters for own in coverage.maps.values())
    print(
        f"covered: {len(coverage.maps)} modules, {covered} of {total} parameters "
        f"({covered / total:.1%})"
    )
