"""Every command shown in a `sh` block, run; `command_trials.py` says of which it is run otherwise.

The commands of a page run in order in one folder with a copy of `docs` and the reader's own files
(`stand_ins.py`). What `console` blocks show is run by `test_sessions.py`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from command_trials import TRIALS, Changed, Elsewhere, NotRun
from shown_commands import Shown, in_session, name, pages, strays, typed
from stand_ins import prepare
from tool_runs import REPOSITORY, TOOL, environment, link_repository

PAGES = pages()


def trials(shown: Shown) -> list[Changed | Elsewhere | NotRun]:
    return [t for t in TRIALS if t.page == shown.page and shown.command.startswith(t.start)]


def as_run(shown: Shown) -> str | None:
    """The command that stands for a shown one; none where a test elsewhere or nothing does."""
    found = trials(shown)
    if not found:
        return shown.command
    trial = found[0]
    if not isinstance(trial, Changed):
        return None
    command = shown.command
    for old, new in trial.words.items():
        assert old in command, f"{shown.page} shows no {old} in: {command}"
        command = command.replace(old, new)
    return f"{command} {trial.added}"


RUN = [page for page in PAGES if any(as_run(shown) for shown in typed(page))]


@pytest.mark.parametrize("page", RUN, ids=name)
def test_shown_commands(page: Path, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs")
    link_repository(tmp_path)
    prepare(tmp_path)
    before = texts(tmp_path)
    for shown in typed(page):
        command = as_run(shown)
        if command is None:
            continue
        program = command.split()[0]
        if program == "chromium" and shutil.which(program) is None:
            pytest.skip(f"needs {program}")
        run = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            # For scripts that call the tool.
            env=environment() | {"LAYERBUDGET": str(TOOL)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
    # Tables that are made of committed numbers come out as they are committed.
    after = texts(tmp_path)
    assert not [path for path in before if before[path] != after[path]]


def texts(folder: Path) -> dict[str, str]:
    paths = sorted((folder / "docs").rglob("*.md"))
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in paths}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_stand_where_they_are_run(page: Path) -> None:
    """In `sh` and `console` blocks, each with at most one way in which it is tried."""
    assert strays(page) == []
    for shown in typed(page):
        assert len(trials(shown)) <= 1, shown


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.page}: {trial.start}")
def test_trials_are_of_shown_commands(trial: Changed | Elsewhere | NotRun) -> None:
    assert any(trial in trials(shown) for shown in typed(REPOSITORY / trial.page))
    if isinstance(trial, NotRun):
        assert trial.reason
    if isinstance(trial, Elsewhere):
        file, _, test = trial.test.partition("::")
        text = (REPOSITORY / file).read_text("utf-8")
        assert (f"\ndef {test}(" if file.endswith(".py") else test) in text


def test_there_are_shown_commands() -> None:
    shown = [one for page in PAGES for one in [*typed(page), *in_session(page)]]
    assert any(one.command.startswith("layerbudget prune") for one in shown)
    assert any(one.command.startswith("python launch/") for one in shown)
