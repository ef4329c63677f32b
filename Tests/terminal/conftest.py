"""A folder with everything that the examples of the help name; made once, copied for each test."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from terminal_runs import REPOSITORY, TOOL, piped

EXAMPLE = REPOSITORY / "docs" / "example"


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Statistics, a checkpoint, scores and plans of the example model."""
    folder = tmp_path_factory.mktemp("golden")
    shutil.copy(EXAMPLE / "statistics.safetensors", folder / "stats.safetensors")
    (folder / "stats").mkdir()
    (folder / "stats" / "stats.safetensors").symlink_to(EXAMPLE / "statistics.safetensors")
    (folder / "model").symlink_to(EXAMPLE / "model")

    def make(line: str) -> None:
        piped(TOOL, *shlex.split(line), folder=folder)

    make("score --statistics stats.safetensors -o scores.json")
    make("score --statistics stats.safetensors -o a.json")
    make("score --statistics stats.safetensors --gain plain -o b.json")
    make("allocate --scores scores.json --budget 96 --min 1 --integer -o slots.json")
    make("prune --scores scores.json --sparsity 0.5 --max 0.9 -o pruning.json")
    make(
        "allocate --statistics stats.safetensors --group-by module --unit rank --integer "
        "--include proj --budget '96 ranks' -o ranks.json"
    )
    nodes = [{"name": name, "memory_bytes": 40 * 352321536, "devices": 4} for name in "abc"]
    (folder / "nodes.json").write_text(json.dumps({"nodes": nodes}))
    names = [unit["name"] for unit in json.loads((folder / "slots.json").read_text())["units"]]
    sizes = "".join(f"{name},{1000 + index}\n" for index, name in enumerate(names))
    (folder / "sizes.csv").write_text("name,bytes\n" + sizes)
    (folder / "hosts").write_text("localhost slots=4\n")
    return folder


@pytest.fixture
def folder(golden: Path, tmp_path: Path) -> Path:
    """A copy that a test may write into."""
    place = tmp_path / "inputs"
    shutil.copytree(golden, place, symlinks=True)
    return place
