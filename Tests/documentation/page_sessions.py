"""The sessions shown in the documentation: commands with what they print, and files to save.

A page with a `console` block is one session in one folder. Its fenced blocks are taken in order:

- `console`: lines that begin with `$ ` are commands, a backslash at the end goes on in the next;
  the lines below a command are what it prints. A line `…` stands for any number of lines.
- any other block whose first line names a file after the language (```python train.py): that file
  is written.
"""

from __future__ import annotations

import math
import re
import subprocess
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tool_runs import environment

GAP = "…"
# Numbers of a run on another machine differ in their last digits, or what a fit makes of them.
TOLERANCE = 0.02
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"^[-+]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?$")
BAR = re.compile(r"^[█▏▎▍▌▋▊▉]+$")


@dataclass(frozen=True)
class SavedFile:
    name: str
    text: str


@dataclass(frozen=True)
class Step:
    command: str
    shown: list[str]
    # Where in the page's text the shown lines begin and end.
    span: tuple[int, int]


def session(page: str) -> list[SavedFile | Step]:
    """What a page asks its reader to do; nothing where it has no `console` block."""
    found: list[SavedFile | Step] = []
    for block in FENCE.finditer(page):
        language, name, text = block.groups()
        if language == "console":
            found += steps(text, block.start(3))
        elif name is not None:
            found.append(SavedFile(name, text))
    return found if any(isinstance(step, Step) for step in found) else []


def steps(text: str, offset: int) -> list[Step]:
    found = []
    for part in re.finditer(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        command = part[1].replace("\\\n", " ").strip()
        found.append(
            Step(command, part[2].splitlines(), (offset + part.start(2), offset + part.end(2)))
        )
    return found


def printed(command: str, folder: Path) -> list[str]:
    """What a command prints: its output, then notes, and after a failure all of its messages.

    Progress goes to standard error, too; when and how often depends on the machine.
    """
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    messages = run.stderr.splitlines()
    if run.returncode == 0:
        messages = [line for line in messages if line.startswith("note: ")]
    return run.stdout.splitlines() + messages


def agrees(shown: list[str], found: list[str]) -> bool:
    if GAP in shown:
        gap = shown.index(GAP)
        head, rest = shown[:gap], shown[gap + 1 :]
        if len(found) < len(head) or not agrees(head, found[: len(head)]):
            return False
        return any(agrees(rest, found[at:]) for at in range(len(head), len(found) + 1))
    return len(shown) == len(found) and all(map(same_line, shown, found))


def same_line(shown: str, found: str) -> bool:
    """Whether two lines say the same: words alike, numbers nearly, times of whatever length."""
    ours, theirs = words(shown), words(found)
    return all(
        left is not None and right is not None and same_word(left, right)
        for left, right in zip_longest(ours, theirs)
    )


def words(line: str) -> list[str]:
    """The words and numbers of a line, without bars, times and the steps that a search took.

    A report holds the times of its run, so its size is left out as well.
    """
    line = re.sub(r"\b[\d.e+-]+ (s|ms|allreduces)\b", "", line)
    line = re.sub(r"(?<=units, )[\d,]+ (?=bytes)", "", line)
    return [word for word in re.split(r"[\s();:]+|,(?=\s|$)", line) if word and not BAR.match(word)]


def same_word(left: str, right: str) -> bool:
    if NUMBER.match(left) and NUMBER.match(right):
        numbers = [float(word.replace(",", "")) for word in (left, right)]
        return math.isclose(*numbers, rel_tol=TOLERANCE, abs_tol=1e-9)
    return left == right


def rewritten(page: str, found: list[tuple[Step, list[str]]]) -> str:
    """A page that shows what was found: of an output with a gap as many lines around it.

    An output with several gaps stays as it is while it still agrees.
    """
    for step, lines in reversed(found):
        if step.shown.count(GAP) > 1 and agrees(step.shown, lines):
            continue
        if step.shown.count(GAP) == 1:
            gap = step.shown.index(GAP)
            after = len(step.shown) - gap - 1
            lines = [*lines[:gap], GAP, *lines[len(lines) - after :]]
        text = "".join(f"{line.rstrip()}\n" for line in lines)
        page = page[: step.span[0]] + text + page[step.span[1] :]
    return page
