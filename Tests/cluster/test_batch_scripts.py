"""The PBS and LSF job scripts. What these systems give a job is set by hand; none is here."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_runs import (
    EXAMPLE,
    NAMES,
    REPOSITORY,
    alone,
    ended,
    running,
)

pytestmark = pytest.mark.usefixtures("cluster")
BATCH = REPOSITORY / "launch" / "batch"
FOR_HOSTS = "options=(--network 10.88.0.0/24 --oversubscribe)"


def prepared(name: str, tmp_path: Path) -> Path:
    """The script as a user edits it: the line of options for launch/run."""
    text = (BATCH / name).read_text()
    lines = [FOR_HOSTS if line.startswith("options=(") else line for line in text.splitlines()]
    assert FOR_HOSTS in lines
    script = tmp_path / name
    script.write_text("\n".join(lines) + "\n")
    return script


def pbs(tmp_path: Path) -> dict[str, str]:
    """select=4:mpiprocs=1:ompthreads=1: a line per rank."""
    nodes = tmp_path / "nodes"
    nodes.write_text("".join(f"{name}\n" for name in NAMES))
    own = {"PBS_NODEFILE": str(nodes), "PBS_O_WORKDIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    return own | {"PBS_JOBID": "7.head"}


def lsf(tmp_path: Path) -> dict[str, str]:
    """-n 4 with one thread per rank: a line per core."""
    nodes = tmp_path / "nodes"
    nodes.write_text("".join(f"{name}\n" for name in NAMES))
    own = {"LSB_DJOB_HOSTFILE": str(nodes), "LS_SUBCWD": str(tmp_path)}
    return own | {"LAYERBUDGET_THREADS": "1", "LSB_JOBID": "7"}


SYSTEMS = pytest.mark.parametrize(("name", "system"), [("pbs.sh", pbs), ("lsf.sh", lsf)])
System = Callable[[Path], dict[str, str]]


def started(script: Path) -> list[str]:
    return [str(Path(__file__).with_name("hosts")), "in", "pretend1", "bash", str(script)]


@SYSTEMS
def test_runs_on_the_nodes_of_the_job(tmp_path: Path, name: str, system: System) -> None:
    output, single = tmp_path / "scores.json", tmp_path / "single.json"
    score = f"score --statistics {EXAMPLE}/statistics.safetensors -o"
    own = system(tmp_path) | {"LAYERBUDGET_HOME": str(REPOSITORY)}
    done = ended(started(prepared(name, tmp_path)), COMMAND=f"{score} {output}", **own)
    assert done.code == 0, done.text
    assert alone(*score.split(), single).code == 0
    assert output.read_bytes() == single.read_bytes()
    assert '"ranks" : 4' in (tmp_path / "scores.run.json").read_text()


@SYSTEMS
def test_the_exit_code_is_the_tools(tmp_path: Path, name: str, system: System) -> None:
    own = system(tmp_path) | {"LAYERBUDGET_HOME": str(REPOSITORY)}
    command = "score --statistics nowhere -o out.json"
    done = ended(started(prepared(name, tmp_path)), COMMAND=command, **own)
    assert done.code == 66 and "nowhere" in done.text, done.text
    none = ended(started(prepared(name, tmp_path)), **own)
    assert none.code == 64 and "no command" in none.text, none.text


@SYSTEMS
def test_the_end_of_the_job_lets_the_ranks_save(tmp_path: Path, name: str, system: System) -> None:
    """SIGTERM of qdel or PBS's walltime, SIGUSR1 of LSF's warning; to the script alone."""
    tool, output = tmp_path / "tool", tmp_path / "out"
    tool.write_text(
        f"#!/bin/bash\ncd {tmp_path}\ntrap 'touch saved.$(hostname); exit 75' USR1\n"
        "touch started.$(hostname)\nfor i in $(seq 600); do sleep 0.1; done\n"
    )
    tool.chmod(0o755)
    own = system(tmp_path) | {"LAYERBUDGET_HOME": str(REPOSITORY), "LAYERBUDGET": str(tool)}
    command = started(prepared(name, tmp_path))
    with running(command, output, tmp_path / "log", COMMAND="score", **own) as run:
        for _ in range(600):
            if len(list(tmp_path.glob("started.*"))) == 4:
                break
            assert run.process.poll() is None, run.text()
            subprocess.run(["sleep", "0.05"], check=True)
        run.process.send_signal(signal.SIGTERM if name == "pbs.sh" else signal.SIGUSR1)
        end = run.wait(60)
    assert end.code == 75, end.text
    assert list(tmp_path.glob("saved.*")), end.text
