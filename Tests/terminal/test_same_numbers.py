"""A number is the same in the table, `--json`, the file, inspect and the report."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from terminal_runs import TOOL, piped, table

# Commands that write a file: --json prints its very bytes.
WRITING = [
    "score --statistics stats.safetensors -o out.json",
    "allocate --scores scores.json --budget 96 --integer -o out.json",
    "prune --scores scores.json --sparsity 0.5 --max 0.9 -o out.json",
    "place slots.json --nodes nodes.json --bytes-per-slot 352321536 -o out.json",
    "sweep --scores scores.json --budget 96 128 -o out.json",
    "sweep --scores scores.json --sparsity 0.25 0.5 -o out.json",
    "transfer --source a.json --target b.json --budget 160 -o out.json",
]
# Others: --json prints one document.
SHOWING = [
    "score --statistics stats.safetensors --dry-run",
    "allocate --statistics stats.safetensors --budget 96 --dry-run",
    "prune --statistics stats.safetensors --sparsity 0.5 --dry-run",
    "apply pruning.json --checkpoint model --dry-run",
    "apply pruning.json --checkpoint model -o pruned",
    "place slots.json --nodes nodes.json --bytes-per-slot 352321536 --dry-run",
    "export slots.json --to csv -o out.csv",
    "report slots.json -o out.html",
    "inspect stats.safetensors",
    "inspect model",
    "inspect slots.json",
    "inspect slots.json --verify --scores scores.json",
    "doctor",
]


@pytest.mark.parametrize("line", WRITING)
def test_json_prints_the_bytes_of_the_file(line: str, folder: Path) -> None:
    printed = piped(TOOL, *line.split(), "--json", folder=folder).output
    assert printed == (folder / "out.json").read_text()


@pytest.mark.parametrize("line", SHOWING)
def test_json_is_one_document(line: str, folder: Path) -> None:
    assert json.loads(piped(TOOL, *line.split(), "--json", folder=folder).output)


@pytest.mark.parametrize("line", [*WRITING, *SHOWING])
def test_quiet_is_quiet(line: str, folder: Path) -> None:
    for words in ([], ["--json"]):
        if (folder / "pruned").exists():
            break
        ended = piped(TOOL, *line.split(), "--quiet", *words, folder=folder)
        assert (ended.output, ended.errors) == ("", "")


def agrees(text: str, exact: float) -> bool:
    """Whether a printed number is the exact one, rounded to the digits that are printed."""
    shown = Decimal(text.replace(",", ""))
    half = Decimal(5).scaleb(int(shown.as_tuple().exponent) - 1)
    return abs(shown - Decimal(exact)) <= half * Decimal("1.000001")


def cells(lines: list[str]) -> list[dict[str, str]]:
    """Rows by title. Cells are aligned with their titles: at least two blanks are between them."""
    titles = re.split(r" {2,}", lines[0].strip())
    return [dict(zip(titles, re.split(r" {2,}", line.strip()), strict=False)) for line in lines[1:]]


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (
            "allocate --scores scores.json --budget 96 --integer -o out.json",
            {"gain": "gain", "quality": "quality", "capacity": "continuous", "whole": "integer"},
        ),
        (
            "allocate --scores scores.json --cost 1e-5 --budget 1e4 -o out.json",
            {"gain": "gain", "quality": "quality", "capacity": "continuous"},
        ),
        (
            "prune --scores scores.json --sparsity 0.5 --max 0.9 -o out.json",
            {
                "gain": "gain",
                "quality": "quality",
                "share": "continuous",
                "remove": "integer",
                "of weights": "weights",
            },
        ),
    ],
)
def test_a_plan_has_the_same_numbers_everywhere(
    line: str, fields: dict[str, str], folder: Path
) -> None:
    shown = piped(TOOL, *line.split(), folder=folder).output
    plan = json.loads((folder / "out.json").read_text())
    rows = cells(table(shown))
    assert len(rows) == len(plan["units"]) == 12
    for row, unit in zip(rows, plan["units"], strict=True):
        assert row["unit"] == unit["name"]
        for title, field in fields.items():
            assert agrees(row[title].removesuffix(" ~"), unit[field]), (row, title, unit[field])
    price = re.search(r"at price (\S+)", shown)
    assert price and agrees(price[1], plan["price"])

    # inspect and the report print the same texts.
    answer = "share" if "share" in fields else "capacity"
    inspected = cells(table(piped(TOOL, "inspect", "out.json", folder=folder).output))
    piped(TOOL, "report", "out.json", "-o", "out.html", folder=folder)
    page = (folder / "out.html").read_text()
    for row, other in zip(rows, inspected, strict=True):
        assert (other["quality"], other["continuous"]) == (row["quality"], row[answer])
        if "whole" in row or "remove" in row:
            assert other["integer"] == row.get("whole", row.get("remove"))
        for text in (row["gain"].removesuffix(" ~"), row["quality"], row[answer]):
            assert f">{text}<" in page


def test_scores_have_the_same_numbers_everywhere(folder: Path) -> None:
    line = "score --statistics stats.safetensors -o out.json"
    shown = cells(table(piped(TOOL, *line.split(), folder=folder).output))
    units = json.loads((folder / "out.json").read_text())["units"]
    inspected = cells(table(piped(TOOL, "inspect", "out.json", folder=folder).output))
    for row, other, unit in zip(shown, inspected, units, strict=True):
        assert row["unit"] == other["unit"] == unit["name"]
        for title, field in {
            "gain": "gain",
            "parameters": "parameters",
            "gradient norm²": "gradient_norm_squared",
            "quality": "quality",
        }.items():
            text = row[title].removesuffix(" ~")
            assert agrees(text, unit[field]) and other[title] == text
