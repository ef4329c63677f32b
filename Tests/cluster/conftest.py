"""The pretend hosts, a Slurm, and work slow enough to be disturbed; made once for all tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from cluster_runs import HOSTS, SLURM, TOOL, Ended, alone, hosts
from safetensors.torch import save_file

MODULES, SIDE = 128, 448
LOCK = Path("/run/layerbudget-pretend.lock")
TIMES: list[tuple[str, int, float]] = []


def why_no_hosts() -> str | None:
    """Why this machine can have no pretend hosts, or None."""
    if os.geteuid() != 0:
        return "pretend hosts need root"
    for command in ("ip", "nsenter", "unshare", "mpirun"):
        if shutil.which(command) is None:
            return f"pretend hosts need {command}"
    trial = "mount -t tmpfs none /mnt && ip link add lbptrial type bridge && ip link del lbptrial"
    done = subprocess.run(
        ["unshare", "--net", "--uts", "--mount", "sh", "-c", trial],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return f"this machine allows no namespaces: {done.stderr.strip()}"
    return None


@pytest.fixture(scope="session")
def machine() -> Iterator[None]:
    """This machine's pretend hosts belong to one test run at a time."""
    reason = why_no_hosts()
    if reason is not None:
        pytest.skip(reason)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        hosts("down")


@pytest.fixture(scope="session")
def cluster(machine: None) -> None:
    """Four hosts."""
    hosts("up", 4)


@pytest.fixture
def slurm(machine: None) -> Iterator[Callable[[int], None]]:
    """A function that starts Slurm: on this machine (0) or on so many pretend hosts."""

    def up(nodes: int) -> None:
        if nodes:
            hosts("up", nodes)
        done = subprocess.run(
            [SLURM, "up", str(nodes)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        if done.returncode == 100:
            pytest.skip(f"apt could not install Slurm: {done.stderr.strip().splitlines()[-1:]}")
        assert done.returncode == 0, done.stdout + done.stderr

    yield up
    subprocess.run([SLURM, "down"], check=True, timeout=60)


@pytest.fixture(scope="session")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """128 units whose gains take a tenth of a second each, nearly all of it in LAPACK."""
    generator = np.random.default_rng(7)
    tensors = {}
    for i in range(MODULES):
        name = f"model.layers.{i}.m"
        for kind in ("activation_covariance", "gradient_covariance"):
            x = generator.normal(size=(SIDE + 8, SIDE)) * np.exp(generator.normal(size=SIDE) / 2)
            tensors[f"{name}.{kind}"] = torch.tensor(x.T @ x / len(x)).float()
        tensors[f"{name}.gradient"] = torch.tensor(generator.normal(size=(SIDE, SIDE))).float()
    path = tmp_path_factory.mktemp("work") / "statistics.safetensors"
    save_file(tensors, path, {"format": "layerbudget.statistics/1"})
    return path


@pytest.fixture(scope="session")
def scoring(statistics: Path) -> tuple[object, ...]:
    """The command that is disturbed; the output's path is still to be added."""
    options = ("--curvature", "kronecker", "--precision", "double", "--quiet")
    return ("score", "--statistics", statistics, *options, "-o")


@pytest.fixture(scope="session")
def undisturbed(scoring: tuple[object, ...], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The scores of a run alone."""
    output = tmp_path_factory.mktemp("undisturbed") / "scores.json"
    done = alone(*scoring, output)
    assert done.code == 0, done.text
    return output.read_bytes()


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> Callable[[Ended], Ended]:
    """Notes how a fault ended, for the table at the end of the tests."""

    def note(end: Ended) -> Ended:
        TIMES.append((request.node.name, end.code, end.seconds))
        return end

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TIMES:
        terminalreporter.section("from the fault to the end")
        for name, code, seconds in TIMES:
            terminalreporter.write_line(f"{seconds:7.1f} s  exit {code:3d}  {name}")


def pytest_report_header() -> str:
    return f"tool: {TOOL}, hosts by {HOSTS.name}"
