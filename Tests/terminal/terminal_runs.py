"""The built tool on a terminal of a stated size, and off one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = Path(os.environ.get("LAYERBUDGET", REPOSITORY / ".build" / "debug" / "layerbudget"))
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ended:
    code: int
    output: str
    errors: str


def environment(**variables: str) -> dict[str, str]:
    """What a user has and what mpirun needs in a container; nothing that chooses size or colour."""
    settings = {
        "PATH": f"{TOOL.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TERM": "xterm",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMPI_MCA_hwloc_base_binding_policy": "none",
        "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "COLUMNS", "LINES")
    }
    return kept | settings | variables


def piped(*command: str | Path, folder: Path, code: int = 0, **variables: str) -> Ended:
    """Runs a command whose output and errors go into pipes."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    ended = Ended(done.returncode, done.stdout, done.stderr)
    assert ended.code == code, f"{command}: {ended}"
    return ended


def on_terminal(
    *command: str | Path, folder: Path, columns: int = 80, rows: int = 24, **variables: str
) -> str:
    """Runs a command whose output goes to a terminal; its errors go elsewhere."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as running:
        os.close(theirs)
        read = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # A terminal that all writers have left is no more.
                break
            if not piece:
                break
            read += piece
        os.close(ours)
        assert running.wait(120) == 0, read.decode()
    return read.decode().replace("\r\n", "\n")


def table(text: str, first: str = "unit") -> list[str]:
    """The lines of the table whose first column has that title, without colour."""
    lines = COLOUR.sub("", text).splitlines()
    start = next(index for index, line in enumerate(lines) if line.split()[:1] == [first])
    end = next((i for i in range(start, len(lines)) if not lines[i].strip()), len(lines))
    return lines[start:end]
