"""Four hosts over TCP write what one process alone writes, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cluster_runs import EXAMPLE, NAMES, STATE, alone, ended, leftovers, on_hosts

pytestmark = pytest.mark.usefixtures("cluster")
STATISTICS = EXAMPLE / "statistics.safetensors"
PRUNE = ("prune", "--statistics", STATISTICS, "--sparsity", "0.5", "--max", "0.9")
MEASURED = (*PRUNE, "--checkpoint", EXAMPLE / "model", "--psi", "measured")


def contents(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def check_same(tmp_path: Path, *command: object) -> Path:
    """Runs a command alone and on four hosts; the output of the first."""
    one, many = tmp_path / "one", tmp_path / "many"
    first = alone(*command, "-o", one)
    assert first.code == 0, first.text
    second = ended(on_hosts(*command, "-o", many))
    assert second.code == 0, second.text
    assert contents(one) == contents(many)
    assert not Path(f"{many}.journal").exists()
    assert leftovers() == []
    return one


def test_score(tmp_path: Path) -> None:
    check_same(tmp_path, "score", "--statistics", STATISTICS)


def test_allocate_and_place(tmp_path: Path) -> None:
    command = ("allocate", "--statistics", STATISTICS, "--budget", "96", "--integer")
    plan = check_same(tmp_path, *command).rename(tmp_path / "plan.json")
    (tmp_path / "many").unlink()
    nodes = tmp_path / "nodes.json"
    own = [{"name": f"node{i}", "memory_bytes": 40000, "devices": 2} for i in range(4)]
    nodes.write_text(json.dumps({"format": "layerbudget.nodes/1", "nodes": own}))
    check_same(tmp_path, "place", plan, "--nodes", nodes, "--bytes-per-slot", "1000")


def test_place_asks_the_hosts_for_their_memory(tmp_path: Path) -> None:
    plan, output = tmp_path / "plan.json", tmp_path / "placement.json"
    made = alone("allocate", "--statistics", STATISTICS, "--budget", "96", "--integer", "-o", plan)
    assert made.code == 0, made.text
    command = ("place", plan, "--nodes", STATE / "hostfile", "--bytes-per-slot", "1000")
    done = ended(on_hosts(*command, "-o", output))
    assert done.code == 0, done.text
    assert all(f'"{host}"' in output.read_text() for host in NAMES)


def test_measured_pruning_and_apply(tmp_path: Path) -> None:
    plan = check_same(tmp_path, *MEASURED).rename(tmp_path / "plan.json")
    (tmp_path / "many").unlink()
    own = ("--method", "sparsegpt", "--statistics", STATISTICS)
    check_same(tmp_path, "apply", plan, "--checkpoint", EXAMPLE / "model", *own)


def test_the_start_finds_four_hosts() -> None:
    done = ended(on_hosts("doctor", "--statistics", STATISTICS))
    assert done.code == 0, done.text
    assert "pretend[1-4]" in done.text
