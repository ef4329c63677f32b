"""Hosts that can no longer be reached, and ranks that stand still."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_runs import Ended, hosts, offers, on_hosts, processes, running, until
from test_killed import check_rerun

pytestmark = pytest.mark.usefixtures("cluster")
Scoring = tuple[object, ...]
Timed = Callable[[Ended], Ended]


def test_a_host_that_falls_silent_ends_the_run(
    tmp_path: Path, scoring: Scoring, undisturbed: bytes, timed: Timed
) -> None:
    """With launch/run's own keepalive; with Open MPI's defaults this never ends."""
    output = tmp_path / "scores.json"
    with running(on_hosts(*scoring, output), output, tmp_path / "log") as run:
        run.until_at_work()
        run.fault()
        hosts("cut", "pretend3")
        end = timed(run.wait(60))
        print(end.text)
        assert end.code == 205, end.text
        assert "lost communication with a remote daemon" in end.text
        assert "pretend3" in end.text
    check_rerun(scoring, output, undisturbed)


def test_a_short_cut_does_no_harm(
    tmp_path: Path, scoring: Scoring, undisturbed: bytes, timed: Timed
) -> None:
    output = tmp_path / "scores.json"
    with running(on_hosts(*scoring, output), output, tmp_path / "log") as run:
        run.until_at_work()
        run.fault()
        hosts("cut", "pretend3")
        time.sleep(4)
        hosts("join", "pretend3")
        end = timed(run.wait(60))
        assert end.code == 0, end.text
    assert output.read_bytes() == undisturbed


def test_a_rank_that_stands_still_is_named(
    tmp_path: Path, scoring: Scoring, undisturbed: bytes, timed: Timed
) -> None:
    if not offers("--stall-timeout"):
        pytest.skip("this tool does not watch for ranks that stand still")
    output = tmp_path / "scores.json"
    command = on_hosts(*scoring, output, "--stall-timeout", "8")
    with running(command, output, tmp_path / "log") as run:
        os.kill(run.until_at_work()["pretend3"], signal.SIGSTOP)
        run.fault()
        end = timed(run.wait(100))
        print(end.text)
        assert end.code == 75, end.text
        assert "rank 2 on pretend3" in end.text
    check_rerun(scoring, output, undisturbed)


def test_a_time_limit_ends_a_run_that_hangs(
    tmp_path: Path, scoring: Scoring, undisturbed: bytes, timed: Timed
) -> None:
    """A stopped host answers keepalive, and mpirun waits for its daemon even at SIGTERM."""
    output = tmp_path / "scores.json"
    options = ("--time-limit", "1h", "--grace", "2s")
    with running(on_hosts(*scoring, output, options=options), output, tmp_path / "log") as run:
        run.until_at_work()
        for pid in processes("pretend3"):
            os.kill(pid, signal.SIGSTOP)
        run.fault()
        # What the script's clock sends itself when the limit is over.
        run.process.send_signal(signal.SIGALRM)
        end = timed(run.wait(60))
        print(end.text)
        assert end.code == 124, end.text
        assert until(lambda: set(run.ranks()) <= {"pretend3"}, 5), "ranks outlived the limit"
    check_rerun(scoring, output, undisturbed)
