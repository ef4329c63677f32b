"""The JSON Schemas of what the tool reads, held against what it accepts and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from schema_files import READ, validator
from tool_runs import environment

NODE = {"name": "a", "memory_bytes": 1_000_000}
UNIT = {"name": "x.0", "gain": 1.5}
SCORES = {"format": "layerbudget.scores/1", "units": [UNIT]}
SLOTS = {
    "format": "layerbudget.plan/1",
    "program": "capacity",
    "units": [{"name": "x.0", "integer": 2}],
}
READINGS: list[tuple[str, object]] = [
    *(
        ("nodes", {"nodes": nodes})
        for nodes in (
            [NODE],
            [NODE | {"devices": 2, "rack": 7}, {"name": "b", "memory_bytes": 5}],
            [],
            [NODE | {"devices": 0}],
            [NODE | {"devices": 65_537}],
            [NODE | {"memory_bytes": 0}],
            [NODE | {"memory_bytes": "1 MB"}],
            [{"name": "a"}],
            [NODE | {"name": ""}],
        )
    ),
    ("nodes", {"nodes": [NODE], "format": "layerbudget.nodes/1", "site": "x"}),
    ("nodes", {"nodes": [NODE], "format": "layerbudget.nodes/2"}),
    ("nodes", {}),
    *(
        ("loads", {"units": [{"name": "x.0", "loads": loads}]})
        for loads in ([3, 4.5], [0, 0], [], [-1, 2], ["3", 4], None)
    ),
    ("loads", {"units": [{"name": "x.0", "loads": [1]}], "format": "layerbudget.loads/1"}),
    ("loads", {"units": [{"name": "x.0", "loads": [1]}], "format": "layerbudget.plan/1"}),
    ("loads", [1, 2]),
    *(
        ("scores-read", contents)
        for contents in (
            SCORES,
            SCORES | {"units": [UNIT | {"parameters": 9, "remark": "x"}], "author": "y"},
            SCORES | {"units": []},
            SCORES | {"units": [UNIT | {"gain": -1}]},
            SCORES | {"units": [{"name": "x.0"}]},
            SCORES | {"units": [UNIT | {"name": ""}]},
            SCORES | {"units": [UNIT | {"parameters": -1}]},
            SCORES | {"format": "layerbudget.plan/1"},
            {"x.0": 1, "x.1": 0.5},
            {"x.0": "1"},
            {"x.0": -1},
            [UNIT, UNIT | {"name": "x.1", "parameters": 4, "note": None}],
            [UNIT | {"parameters": 1.5}],
            [{"name": "x.0"}],
            [1, 2.5],
            [1, -2],
            [1, "2"],
            [],
            {},
        )
    ),
    *(
        ("plan-read", SLOTS | change)
        for change in (
            {},
            {"author": "me", "price": 0.5},
            {"units": [{"name": "x.0", "integer": 2, "why": 1}]},
            {"units": [{"name": "x.0", "integer": "2"}]},
            {"units": [{"integer": 2}]},
            {"units": 2},
            {"program": "guess"},
            {"format": "layerbudget.plan/2"},
        )
    ),
]
COMMANDS = {
    "nodes": "place slots.json --nodes input.json",
    "loads": "place slots.json --nodes nodes.json --loads input.json",
    "scores-read": "allocate --scores input.json --budget 4",
    "plan-read": "place input.json --nodes nodes.json",
}


@pytest.mark.parametrize(("name", "contents"), READINGS, ids=str)
def test_schemas_accept_what_the_tool_accepts(name: str, contents: object, tmp_path: Path) -> None:
    (tmp_path / "slots.json").write_text(json.dumps(SLOTS))
    (tmp_path / "nodes.json").write_text(json.dumps({"nodes": [NODE]}))
    (tmp_path / "input.json").write_text(json.dumps(contents))
    sizes = ["--bytes-per-slot", "8"] if name != "scores-read" else []
    run = subprocess.run(
        ["layerbudget", *COMMANDS[name].split(), *sizes, "-o", "out.json"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode in (0, 65), run.stderr
    assert validator(name).is_valid(contents) == (run.returncode == 0), run.stderr


def test_every_read_schema_is_tried() -> None:
    assert {name for name, _ in READINGS} == READ
