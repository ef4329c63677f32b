"""What a killed launch/run or mpirun leaves on this machine, and who takes it away; no root."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

from cluster_runs import HERE, LAUNCH, ended, environment, until

Scoring = tuple[object, ...]


def folders_of_runs(temporary: Path) -> set[str]:
    """What launch/run made for Open MPI, on disk and in memory."""
    own = [*temporary.glob("layerbudget-run.*"), *Path("/dev/shm").glob("layerbudget-run.*")]
    return {str(folder) for folder in own}


def killed(scoring: Scoring, output: Path, temporary: Path, *, script_too: bool) -> set[str]:
    """Ends mpirun by SIGKILL while its ranks are at work; which folders the run had."""
    before = folders_of_runs(temporary)
    command = [LAUNCH, "-n", "2", "--oversubscribe", "--", *scoring, output]
    with subprocess.Popen(
        [str(part) for part in command],
        env=environment(HERE, TMPDIR=str(temporary)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:

        def has_memory() -> bool:
            own = folders_of_runs(temporary) - before
            return any(list(Path(folder).glob("vader_segment.*")) for folder in own)

        assert until(has_memory, 60)
        made = folders_of_runs(temporary) - before
        launcher = next(pid for pid in children(run.pid) if comm(pid) == "mpirun")
        if script_too:
            run.kill()
        os.kill(launcher, signal.SIGKILL)
        assert run.wait(30) == (-signal.SIGKILL if script_too else 137)
    assert until(lambda: not rank_is_left(output), 20)
    return made


def children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def comm(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text().strip()


def rank_is_left(output: Path) -> bool:
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(output).encode() in line.read_bytes():
                return True
    return False


def test_a_killed_mpirun_leaves_nothing_behind(tmp_path: Path, scoring: Scoring) -> None:
    """Neither its session folder nor the ranks' shared memory."""
    made = killed(scoring, tmp_path / "s.json", tmp_path, script_too=False)
    assert len(made) == 2
    assert not made & folders_of_runs(tmp_path)


def test_what_a_killed_script_leaves_goes_with_the_next_run(
    tmp_path: Path, scoring: Scoring
) -> None:
    """But nothing that is young, or that a run still holds."""
    made = killed(scoring, tmp_path / "s.json", tmp_path, script_too=True)
    assert len(made) == 2 and made <= folders_of_runs(tmp_path)

    def next_run() -> set[str]:
        command = [str(LAUNCH), "-n", "1", "--", "doctor"]
        done = ended(command, settings=HERE, TMPDIR=str(tmp_path))
        assert done.code == 0, done.text
        return folders_of_runs(tmp_path)

    assert made <= next_run()
    folder = next(Path(name) for name in made if name.startswith(str(tmp_path)))
    held = os.open(folder, os.O_RDONLY)
    two_minutes_ago = time.time() - 120
    os.utime(folder, (two_minutes_ago, two_minutes_ago))
    fcntl.flock(held, fcntl.LOCK_SH)
    assert made <= next_run()
    os.close(held)
    assert not made & next_run()
