"""Completions in the real shells: typed at a prompt and finished with the tab key."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from terminal_runs import TOOL, environment, piped

CASES = [
    ("pru", "prune"),
    ("prune --spars", "--sparsity"),
    ("prune --psi mea", "measured"),
    ("score --curvature kron", "kronecker"),
    ("export slots.json --to evo", "evopress"),
    ("score --statistics stats.s", "stats.safetensors"),
    ("prune --checkpoint mod", "model"),
    ("inspect slots.j", "slots.json"),
    ("apply pruning.j", "pruning.json"),
]


def script(shell: str) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    return piped(TOOL, "--generate-completion-script", shell, folder=Path("/")).output


@pytest.fixture
def place(folder: Path) -> Path:
    (folder / "prunes.txt").write_text("no plan\n")
    (folder / "modest.txt").write_text("no folder\n")
    return folder


def answered(shell: list[str], setting: str, keys: str, folder: Path) -> str:
    """What a command was called with whose words were typed and completed at a shell's prompt."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(shell[0], shell, environment(TERM="dumb", PS1="READY ", HISTFILE=""))
    try:
        seen = ""

        def until(pattern: str) -> re.Match[str]:
            nonlocal seen
            end = time.monotonic() + 60
            while not (found := re.search(pattern, seen)):
                assert time.monotonic() < end, f"{pattern} is not in {seen}"
                if select.select([terminal], [], [], 1)[0]:
                    seen += os.read(terminal, 65536).decode(errors="replace")
            seen = seen[found.end() :]
            return found

        def say(line: str) -> None:
            os.write(terminal, line.encode())

        # Functions print what was asked for in two parts: the typed lines are echoed.
        say(setting + "; echo SET''TLED\n")
        until("SETTLED")
        say(keys)
        # The shell completes before it reads on.
        until(re.escape(keys.split("\t")[0][-4:]))
        time.sleep(0.5)
        say("\n")
        return until(r"GOT<([^>]*)>")[1]
    finally:
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def last_word(words: str) -> str:
    return words.split()[-1].rstrip("/")


CATCH = "layerbudget() { echo 'GO''T<'\"$*\"'>'; }"


@pytest.mark.parametrize(("typed", "word"), CASES)
def test_bash(typed: str, word: str, place: Path) -> None:
    (place / "completions").write_text(script("bash"))
    setting = f". ./completions; {CATCH.replace(chr(39) * 2, '')}"
    got = answered(["bash", "--norc", "-i"], setting, f"layerbudget {typed}\t", place)
    assert last_word(got) == word


@pytest.mark.parametrize(("typed", "word"), CASES)
def test_zsh(typed: str, word: str, place: Path) -> None:
    (place / "functions").mkdir()
    (place / "functions" / "_layerbudget").write_text(script("zsh"))
    setting = (
        "fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -d $PWD/dump; "
        + CATCH.replace("''", "")
    )
    got = answered(["zsh", "-f", "-i"], setting, f"layerbudget {typed}\t", place)
    assert last_word(got) == word


@pytest.mark.parametrize(("typed", "word"), CASES)
def test_fish(typed: str, word: str, place: Path) -> None:
    (place / "layerbudget.fish").write_text(script("fish"))
    # fish itself says what it would offer for a line.
    asked = f"source layerbudget.fish; complete -C 'layerbudget {typed}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", asked],
        cwd=place,
        env=environment(HOME=str(place)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    offered = [line.split("\t")[0].rstrip("/") for line in done.stdout.splitlines()]
    assert word in offered, done
    assert "prunes.txt" not in offered or "apply" not in typed
