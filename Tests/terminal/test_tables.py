"""Tables on terminals of all sizes, in pipes and files, with and without colour."""

from __future__ import annotations

import json
import random
import re
import shlex
from pathlib import Path

import pytest
from terminal_runs import COLOUR, TOOL, on_terminal, piped, table

UNITS = 600
NAMES = [
    f"model.layers.{n}.mlp.experts.{n % 7}.a_projection_with_a_long_name" for n in range(UNITS)
]


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores of many units with long names; the largest and the smallest gain are known."""
    folder = tmp_path_factory.mktemp("large")
    draw = random.Random(2603)
    gains = [draw.uniform(1, 100) for _ in NAMES]
    gains[317], gains[52] = 1000, 0.5
    lines = [f"{name},{gain},1000\n" for name, gain in zip(NAMES, gains, strict=True)]
    (folder / "scores.csv").write_text("name,gain,parameters\n" + "".join(lines))
    return folder


def numbered(line: str) -> int:
    """The number of the unit in a line of the table, whose name is shortened or not."""
    found = re.match(r"(?:…|model\.layers\.)(\d+)\.", line)
    assert found, line
    return int(found[1])


ALLOCATE = shlex.split("allocate --scores scores.csv --budget 3000 --integer -o plan.json")
PRUNE = shlex.split("prune --scores scores.csv --sparsity 0.5 -o plan.json")


@pytest.mark.parametrize("command", [ALLOCATE, PRUNE], ids=["allocate", "prune"])
@pytest.mark.parametrize("columns", [20, 60, 80, 200])
@pytest.mark.parametrize("rows", [10, 24, 70])
def test_a_long_plan_stays_on_the_screen(
    command: list[str], columns: int, rows: int, large: Path
) -> None:
    shown = on_terminal(TOOL, *command, folder=large, columns=columns, rows=rows)
    lines = table(shown)
    assert all(len(line) <= columns for line in lines), lines
    assert len(lines) <= max(rows, 9)
    assert "…" in lines
    if columns >= 60:
        # Titles, then the largest answer; before what is left out, the smallest.
        units = json.loads((large / "plan.json").read_text())["units"]
        answers = [unit["continuous"] for unit in units]
        assert answers[numbered(lines[1])] == max(answers)
        assert answers[numbered(lines[-2])] == min(answers)
        said = f"--full: all 600 rows ({len(lines) - 3} shown, the largest and smallest)"
        assert lines[-1].startswith(said[: columns - 1])
        whole = shown.splitlines()
        wrapped = sum(max(1, -(-len(COLOUR.sub("", line)) // columns)) for line in whole)
        assert wrapped <= rows or rows == 10


def test_everything_is_shown_where_asked_or_not_on_a_terminal(large: Path) -> None:
    every = piped(TOOL, *ALLOCATE, folder=large).output
    full = on_terminal(TOOL, *ALLOCATE, "--full", folder=large)
    for text in (every, COLOUR.sub("", full)):
        lines = table(text)
        assert len(lines) == 1 + UNITS
        assert [line.split()[0] for line in lines[1:]] == NAMES
    # A size in the environment is no terminal.
    sized = piped(TOOL, *ALLOCATE, folder=large, COLUMNS="40", LINES="10").output
    assert table(sized) == table(every)


def test_the_environment_may_state_another_size(large: Path) -> None:
    shown = on_terminal(TOOL, *ALLOCATE, folder=large, columns=200, COLUMNS="50", LINES="12")
    lines = table(shown)
    assert len(lines) <= 12 and 40 < max(map(len, lines)) <= 50
    assert table(on_terminal(TOOL, *ALLOCATE, folder=large, columns=0, rows=0)) == table(
        on_terminal(TOOL, *ALLOCATE, folder=large, columns=80, rows=24)
    )


def test_mpirun_is_asked_where_its_output_goes(large: Path) -> None:
    """A rank has a terminal of mpirun's making, whatever is behind mpirun."""
    mpirun = ["mpirun", "-q", "-n", "2", TOOL, *ALLOCATE]
    shown = on_terminal(*mpirun, folder=large, columns=90, rows=20)
    lines = table(shown)
    assert max(map(len, lines)) <= 90 and len(lines) <= 20
    assert COLOUR.search(shown)
    every = piped(*mpirun, folder=large).output
    assert len(table(every)) == 1 + UNITS and "\x1b" not in every


def test_colour_is_for_terminals_that_want_it(folder: Path) -> None:
    command = shlex.split("allocate --scores scores.json --budget 96 -o plan.json")
    assert COLOUR.search(on_terminal(TOOL, *command, folder=folder))
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(TOOL, *command, folder=folder, **variables)
    assert "\x1b" not in on_terminal(TOOL, *command, "--no-color", folder=folder)
    assert "\x1b" not in piped(TOOL, *command, "--color", folder=folder).output
    # https://no-color.org: set and not empty.
    assert COLOUR.search(on_terminal(TOOL, *command, folder=folder, NO_COLOR=""))


def test_a_plan_that_fits_is_shown_whole(folder: Path) -> None:
    command = shlex.split("allocate --scores scores.json --budget 96 --integer -o plan.json")
    lines = table(on_terminal(TOOL, *command, folder=folder, columns=100, rows=30))
    units = json.loads((folder / "plan.json").read_text())["units"]
    assert [line.split()[0] for line in lines[1:]] == [unit["name"] for unit in units]


HOSTILE = ["a\x1b[31mred", "b\rover", "c\u202etxt", "d\x07bell", "e\x9b2J"]


def test_a_terminal_obeys_no_name(tmp_path: Path) -> None:
    units = {name: 1.0 + index for index, name in enumerate(HOSTILE)}
    (tmp_path / "scores.json").write_text(json.dumps(units))
    command = shlex.split("allocate --scores scores.json --budget 9 -o plan.json --no-color")
    for shown in (
        on_terminal(TOOL, *command, folder=tmp_path),
        piped(TOOL, *command, folder=tmp_path).output,
    ):
        assert not any(bad in shown for bad in ("\x1b", "\r", "\u202e", "\x07", "\x9b"))
        assert len(table(shown)) == 1 + len(HOSTILE)
    names = [unit["name"] for unit in json.loads((tmp_path / "plan.json").read_text())["units"]]
    assert sorted(names) == sorted(HOSTILE)


# Every command that prints a table, and the titles that no width may cost it.
TABLES = {
    "score --statistics stats.safetensors --details -o x.json": ("module", ["gain"]),
    "score --statistics stats.safetensors -o x.json": ("unit", ["gain", "quality"]),
    "score --statistics stats.safetensors --dry-run": ("rank", ["units", "flops"]),
    "apply pruning.json --checkpoint model -o pruned": ("unit", ["zeros", "share"]),
    "place slots.json --nodes nodes.json --bytes-per-slot 352321536 --dry-run": ("node", ["slots"]),
    "transfer --source a.json --target b.json --budget 160 -o x.json": ("unit", ["plan", "best"]),
    "inspect stats.safetensors": ("module", ["out", "in"]),
    "inspect model": ("tensor", []),
    "inspect slots.json": ("unit", ["continuous", "integer"]),
    "doctor": ("host", ["ranks", "memory"]),
}


@pytest.mark.parametrize("line", TABLES)
def test_all_tables_fit(line: str, folder: Path) -> None:
    first, titles = TABLES[line]
    for columns in (56, 80, 120):
        lines = table(on_terminal(TOOL, *line.split(), folder=folder, columns=columns), first)
        assert all(len(line) <= columns for line in lines), lines
        assert set(titles) <= set(lines[0].split()), lines[0]
        if "pruned" in line:
            break  # The folder is there now.
