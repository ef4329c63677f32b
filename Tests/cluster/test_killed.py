"""Ranks, hosts and launchers that die while units are scored; the next run gives the same bytes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_runs import Ended, Running, ended, leftovers, offers, on_hosts, processes, running

pytestmark = pytest.mark.usefixtures("cluster")
Scoring = tuple[object, ...]
Timed = Callable[[Ended], Ended]


def check_rerun(scoring: Scoring, output: Path, undisturbed: bytes, ranks: int = 2) -> Ended:
    """Nothing was written; the same command on other ranks writes the undisturbed bytes."""
    assert not output.exists(), "a broken run left an output"
    return check_next_run(scoring, output, undisturbed, ranks)


def check_next_run(scoring: Scoring, output: Path, undisturbed: bytes, ranks: int = 2) -> Ended:
    assert leftovers() == []
    again = ended(on_hosts(*scoring, output, ranks=ranks))
    assert again.code == 0, again.text
    assert output.read_bytes() == undisturbed
    kept = [path.name for path in output.parent.glob(f"{output.name}*")]
    assert sorted(kept) in ([output.name], [output.name, f"{output.name}.run.json"])
    return again


def test_a_killed_rank_loses_only_its_present_unit(
    tmp_path: Path, scoring: Scoring, undisturbed: bytes
) -> None:
    """What the journals hold is taken over, on fewer hosts, and counted in the run file."""
    if not offers("--no-resume"):
        pytest.skip("this tool keeps no journal of scores")
    output = tmp_path / "scores.json"
    with running(on_hosts(*scoring, output), output, tmp_path / "log") as run:
        run.until_at_work()
        run.until_kept(2)
        os.kill(run.ranks()["pretend3"], signal.SIGKILL)
        assert run.wait(60).code == 137
    kept = units_kept(output)
    assert kept >= 1
    check_rerun(scoring, output, undisturbed)
    assert json.loads((tmp_path / "scores.run.json").read_text())["resumed"] >= kept


def units_kept(output: Path) -> int:
    """Whole lines behind the first of each journal file, which says what the file is."""
    files = Path(f"{output}.journal").glob("*.jsonl")
    return sum(max(file.read_bytes().count(b"\n") - 1, 0) for file in files)


def kill_rank(run: Running, number: int = signal.SIGKILL) -> None:
    os.kill(run.ranks()["pretend3"], number)


def kill_host(run: Running) -> None:
    assert run.ranks()
    for pid in processes("pretend3"):
        os.kill(pid, signal.SIGKILL)


def kill_launcher(run: Running) -> None:
    """mpirun itself, as a login node's memory limit would."""
    assert run.ranks()
    for pid in processes("pretend1"):
        if Path(f"/proc/{pid}/comm").read_text().strip() == "mpirun":
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("fault", "codes", "said"),
    [
        (kill_rank, (137,), "exited on signal 9 (Killed)"),
        (lambda run: kill_rank(run, signal.SIGSEGV), (139,), "exited on signal 11"),
        (kill_host, (9, 205), "launch/run: exit code"),
        (kill_launcher, (137,), "launch/run: exit code 137"),
    ],
    ids=["a rank", "a rank that crashes", "all processes of a host", "the launcher"],
)
def test_killed(
    tmp_path: Path,
    scoring: Scoring,
    undisturbed: bytes,
    timed: Timed,
    fault: Callable[[Running], None],
    codes: tuple[int, ...],
    said: str,
) -> None:
    output = tmp_path / "scores.json"
    # Swift's crash report takes a signal from outside for a crash, prints it, and goes on.
    options = ("--mpirun", "-x", "--mpirun", "SWIFT_BACKTRACE=enable=no")
    command = on_hosts(*scoring, output, options=options)
    with running(command, output, tmp_path / "log") as run:
        run.until_at_work()
        run.fault()
        fault(run)
        end = timed(run.wait(60))
        print(end.text)
        assert end.code in codes, end.text
        assert said in end.text
        assert end.seconds < 30
        assert leftovers() == []
    if fault is kill_launcher and output.exists():
        # The ranks outlive mpirun by the moment their hosts' daemons need to notice.
        assert output.read_bytes() == undisturbed
        output.unlink()
        check_next_run(scoring, output, undisturbed)
    else:
        check_rerun(scoring, output, undisturbed)
