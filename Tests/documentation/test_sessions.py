"""Every session shown in the documentation, run to its end; what is printed is what is shown.

To show what the tool prints now, after looking at the differences:

    LAYERBUDGET_REWRITE=1 .build/python/bin/python -m pytest Tests/documentation/test_sessions.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from page_sessions import GAP, SavedFile, agrees, printed, rewritten, same_line, session
from tool_runs import REPOSITORY, link_repository

PAGES = [
    path
    for path in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    if session(path.read_text("utf-8"))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_shown_sessions(page: Path, tmp_path: Path) -> None:
    link_repository(tmp_path)
    text = page.read_text("utf-8")
    found = []
    for step in session(text):
        if isinstance(step, SavedFile):
            (tmp_path / step.name).write_text(step.text)
            continue
        lines = printed(step.command, tmp_path)
        found.append((step, lines))
        if "LAYERBUDGET_REWRITE" not in os.environ:
            message = f"$ {step.command}\n" + "\n".join(lines)
            assert agrees(step.shown, lines), message
    if "LAYERBUDGET_REWRITE" in os.environ:
        page.write_text(rewritten(text, found))


def test_there_are_sessions() -> None:
    assert REPOSITORY / "docs" / "tutorials" / "prune.md" in PAGES


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("loss 3.21 in 4 s", "loss 3.22 in 17.5 s", True),
        ("loss 3.21", "loss 3.41", False),
        ("loss 3.21", "loss 3.21 nats", False),
        ("a  1,806  █████▏", "a  1,807  ████", True),
        ("a upper", "a lower", False),
        ("a.html: 12 units, 54,130 bytes", "a.html: 12 units, 55,263 bytes", True),
        ("a.html: 12 units, 54,130 bytes", "a.html: 13 units, 54,130 bytes", False),
        ("a.npy, 54,130 bytes", "a.npy, 55,263 bytes", False),
        ("gap 0", "gap 3e-17", True),
        ("gap 0", "gap 0.001", False),
    ],
)
def test_lines_are_told_apart(left: str, right: str, same: bool) -> None:
    assert same_line(left, right) == same


def test_gaps_stand_for_lines() -> None:
    assert agrees(["a", GAP, "d"], ["a", "b", "c", "d"])
    assert agrees([GAP], [])
    assert not agrees(["a", GAP, "d"], ["a", "b", "c"])
    assert not agrees(["a"], ["a", "b"])
