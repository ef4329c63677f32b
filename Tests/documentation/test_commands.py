"""Every command shown in a `sh` block of the documentation, run as shown.

A block's lines run in order in one empty folder that holds links to `docs`, `launch` and so on.
Lines that set a machine up or need another one (see `NOT_RUN`) are left out, and listed here so
that nothing else is. What `console` blocks show is run by `test_sessions.py`.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tool_runs import REPOSITORY, environment, link_repository

# launch/quickstart and launch/test build the project: CI runs the second, which runs this test.
# sbatch and srun need a batch system; the two collectors need a trained model or minutes.
SETTING_UP = ("launch/quickstart", "launch/test", "git clone", "cd ")
NOT_RUN = (*SETTING_UP, "sbatch", "srun", "python launch/")

Block = tuple[str, list[str]]


def commands(text: str) -> list[list[str]]:
    """The commands of each `sh` block, continuation lines joined, comments left out."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    joined = [block.replace("\\\n", " ").splitlines() for block in blocks]
    return [[line.strip() for line in lines if line.strip() and line[0] != "#"] for lines in joined]


def documented() -> list[Block]:
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    return [
        (f"{page.relative_to(REPOSITORY)} block {number}", block)
        for page in pages
        for number, block in enumerate(commands(page.read_text(encoding="utf-8")), 1)
    ]


@pytest.mark.parametrize("block", documented(), ids=lambda block: block[0])
def test_documented_commands(block: Block, tmp_path: Path) -> None:
    link_repository(tmp_path)
    for command in block[1]:
        if command.startswith(NOT_RUN):
            continue
        run = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"


def test_there_are_documented_commands() -> None:
    run = [c for _, block in documented() for c in block if not c.startswith(NOT_RUN)]
    assert any("layerbudget" in command for command in run)
