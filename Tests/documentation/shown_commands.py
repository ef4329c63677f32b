"""The commands that pages show: in `sh` blocks by themselves, in `console` blocks behind a `$`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from page_sessions import FENCE, Step, session
from tool_runs import REPOSITORY

FOLDERS = ("docs", "launch", "hostfiles", "Sources", "Tests")
# What a line begins with that is to be typed, after variables that are set for it.
PROGRAMS = re.compile(
    r"(?:[A-Z_]+=\S* )*(?:\$ |layerbudget(?:-bench)? |mpirun |srun |sbatch |qsub |bsub |torchrun "
    r"|[\w./]*python3? |pip |swift |sudo |chromium |export |source |launch/\w|\./|Tests/\w+[ /]\w)"
)
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
ANY_FENCE = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A command with the page it stands on, continuation lines joined."""

    page: str
    command: str


def pages() -> list[Path]:
    below = (path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.md"))
    own = (path for path in below if ".build" not in path.parts)
    return [*sorted(REPOSITORY.glob("*.md")), *sorted(own)]


def name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def typed(page: Path) -> list[Shown]:
    """The commands of a page's `sh` blocks, in order."""
    blocks = [found[3] for found in FENCE.finditer(page.read_text("utf-8")) if found[1] == "sh"]
    return [Shown(name(page), command) for block in blocks for command in statements(block)]


def in_session(page: Path) -> list[Shown]:
    steps = session(page.read_text("utf-8"))
    return [Shown(name(page), step.command) for step in steps if isinstance(step, Step)]


def statements(block: str) -> Iterator[str]:
    """The statements of a script: a line each, but loops as long as they are."""
    lines: list[str] = []
    for line in re.sub(r" *\\\n *", " ", block).splitlines():
        if lines or (line.strip() and not line.startswith("#")):
            lines.append(line)
        if lines and is_whole("\n".join(lines)):
            yield "\n".join(lines)
            lines = []
    assert not lines, f"not a whole command: {lines}"


def is_whole(text: str) -> bool:
    return not subprocess.run(["bash", "-nc", text], capture_output=True, check=False).returncode


def strays(page: Path) -> list[str]:
    """Lines that look like commands and stand where no test would find them."""
    text = page.read_text("utf-8")
    blocks = [lines for language, lines in ANY_FENCE.findall(text) if language.strip() == ""]
    blocks += [lines for language, lines in ANY_FENCE.findall(text) if language.strip() == "text"]
    indented = re.findall(r"(?:^|\n)\n((?:(?: {4}|\t).*\n)+)", FENCED.sub("", text))
    lines = [line.strip() for block in [*blocks, *indented] for line in block.splitlines()]
    other = [language for language, _ in ANY_FENCE.findall(text) if is_shell(language)]
    return [line for line in lines if PROGRAMS.match(line)] + other


def is_shell(language: str) -> bool:
    return language.split(" ")[0] in {"bash", "shell", "zsh", "fish", "shell-session"}
