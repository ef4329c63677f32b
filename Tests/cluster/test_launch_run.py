"""launch/run: what it starts, what it refuses, how it stops. On this machine; needs no root."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from cluster_runs import EXAMPLE, HERE, LAUNCH, REPOSITORY, Ended, alone, ended, environment

SCORE = ("score", "--statistics", EXAMPLE / "statistics.safetensors", "--quiet", "-o")
HOSTFILE = REPOSITORY / "hostfiles" / "unequal-nodes"


def launch(*arguments: object, **changes: str) -> Ended:
    return ended([str(part) for part in [LAUNCH, *arguments]], settings=HERE, **changes)


def planned(*arguments: object, **changes: str) -> list[str]:
    """The words of the mpirun line that a dry run prints."""
    done = launch("--dry-run", *arguments, **changes)
    assert done.code == 0, done.text
    return shlex.split(done.text.splitlines()[0])


def follows(words: Sequence[str], *wanted: str) -> bool:
    return any(tuple(words[i : i + len(wanted)]) == wanted for i in range(len(words)))


def test_binds_each_rank_to_as_many_cores_as_threads() -> None:
    words = planned("--hostfile", HOSTFILE, "--threads", "4", "--", "score", "-o", "a b")
    assert follows(words, "-n", "10")
    assert follows(words, "--map-by", "node:PE=4", "--bind-to", "core")
    assert words[-5:] == ["score", "-o", "a b", "--threads", "4"]
    assert "OPENBLAS_NUM_THREADS=4" in words and "--oversubscribe" not in words
    assert not any("yield" in word for word in words)


def test_takes_the_threads_from_the_command() -> None:
    words = planned("--hostfile", HOSTFILE, "--", "score", "--threads", "8")
    assert follows(words, "-n", "5") and words.count("--threads") == 1


def test_exports_only_what_a_run_needs() -> None:
    words = planned("-n", "1", "--", "score", OPENBLAS_CORETYPE="Haswell")
    exported = {words[i + 1] for i, word in enumerate(words) if word == "-x"}
    assert exported == {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE"}


def test_oversubscribed_ranks_are_not_bound_and_yield() -> None:
    words = planned("-n", "64", "--oversubscribe", "--", "score")
    assert follows(words, "--bind-to", "none")
    assert follows(words, "--mca", "mpi_yield_when_idle", "1")


def test_takes_ranks_and_threads_from_slurm() -> None:
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "12", "SLURM_CPUS_PER_TASK": "3"}
    words = planned("--", "score", **job)
    assert follows(words, "-n", "12") and words[-2:] == ["--threads", "3"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["score"], 64, "come after --"),
        (["-n", "4", "--"], 64, "no command"),
        (["-n", "none", "--", "score"], 64, "-n is 'none'"),
        (["--time-limit", "soon", "--", "score"], 64, "7h50m"),
        (["--keepalive", "20", "--", "score"], 64, "20,5,3"),
        (["--threads", "2", "--", "score", "--threads", "3"], 64, "say it once"),
        (["-n", "100000", "--", "score"], 64, "--oversubscribe"),
        (["-n", "41", "--hostfile", HOSTFILE, "--", "score"], 64, "hold (40)"),
        (["--hostfile", "nowhere", "--", "score"], 66, "nowhere"),
        (["--hostfile", "/dev/null", "--", "score"], 65, "names no host"),
        (["--threads"], 64, "needs a value"),
    ],
)
def test_refuses(arguments: list[object], code: int, said: str) -> None:
    done = launch("--dry-run", *arguments)
    assert done.code == code, done.text
    assert said in done.text and done.text.count("\n") == 1


def test_a_host_without_slots_is_refused(tmp_path: Path) -> None:
    hostfile = tmp_path / "hosts"
    hostfile.write_text("# ours\n\nnode01 slots=4\nnode02\n")
    done = launch("--dry-run", "--hostfile", hostfile, "--", "score")
    assert done.code == 65 and "line 4: node02 has no slots" in done.text


def test_no_tool(tmp_path: Path) -> None:
    done = launch("-n", "1", "--", "score", LAYERBUDGET=str(tmp_path / "nothing"))
    assert done.code == 66 and "--static" in done.text


def test_the_exit_code_is_the_tools(tmp_path: Path) -> None:
    options = ("-n", "2", "--oversubscribe", "--")
    assert launch(*options, *SCORE, tmp_path / "s.json").code == 0
    single = tmp_path / "single.json"
    assert alone(*SCORE, single).code == 0
    assert (tmp_path / "s.json").read_bytes() == single.read_bytes()
    missing = launch(*options, "score", "--statistics", "nowhere", "-o", tmp_path / "t.json")
    assert missing.code == 66 and "nowhere" in missing.text
    assert launch(*options, "score", "--unknown").code == 64


def test_options_for_mpirun(tmp_path: Path) -> None:
    options = ("-n", "2", "--oversubscribe", "--mpirun", "--tag-output", "--")
    done = launch(*options, "doctor")
    assert done.code == 0 and "[1,0]<stdout>:" in done.text


def sleeper(tmp_path: Path, *traps: str) -> dict[str, str]:
    """A tool of ours that does nothing for a minute, but what the traps say."""
    tool = tmp_path / "tool"
    loop = "touch started.$OMPI_COMM_WORLD_RANK; for i in $(seq 600); do sleep 0.1; done"
    tool.write_text("\n".join(["#!/bin/bash", f"cd {tmp_path}", *traps, loop]) + "\n")
    tool.chmod(0o755)
    return environment(HERE, LAYERBUDGET=str(tool))


def started(tmp_path: Path) -> bool:
    return len(list(tmp_path.glob("started.*"))) == 2


def run_sleeper(
    tmp_path: Path, own: dict[str, str], *options: str, send: int | None = None
) -> Ended:
    command = [LAUNCH, "-n", "2", "--oversubscribe", *options, "--", "score"]
    start = time.monotonic()
    with subprocess.Popen(
        command,
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Tests in a shell's background inherit an ignored SIGINT, which no script can trap.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        while send is not None and not started(tmp_path):
            assert time.monotonic() - start < 30
            time.sleep(0.05)
        if send is not None:
            run.send_signal(send)
        text, _ = run.communicate(timeout=60)
        return Ended(run.returncode, text, time.monotonic() - start)


SAVES = "trap 'touch saved.$OMPI_COMM_WORLD_RANK; exit 75' USR1"


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM, signal.SIGINT])
def test_signals_let_the_ranks_save(tmp_path: Path, number: int) -> None:
    end = run_sleeper(tmp_path, sleeper(tmp_path, SAVES), send=number)
    assert end.code == 75, end.text
    assert list(tmp_path.glob("saved.*"))


def test_the_time_limit_lets_the_ranks_save(tmp_path: Path) -> None:
    end = run_sleeper(tmp_path, sleeper(tmp_path, SAVES), "--time-limit", "3s")
    assert end.code == 75 and len(list(tmp_path.glob("saved.*"))) >= 1, end.text
    assert 3 <= end.seconds < 15


def test_ranks_that_do_not_care_are_ended(tmp_path: Path) -> None:
    deaf = sleeper(tmp_path, "trap '' USR1 TERM")
    end = run_sleeper(tmp_path, deaf, "--time-limit", "2s", "--grace", "1s")
    assert end.code == 124, end.text
    assert end.seconds < 20
    # No rank and no helper of the script is left.
    time.sleep(1)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            assert str(tmp_path).encode() not in line, line


def test_a_static_tool_needs_no_swift(tmp_path: Path) -> None:
    """Of launch/run --static; hides the toolchain in a mount namespace of its own."""
    tool = REPOSITORY / ".build" / "static" / "release" / "layerbudget"
    if not tool.exists():
        pytest.skip("launch/run --static has not been run here; it builds for minutes")
    if os.geteuid() != 0:
        pytest.skip("hiding the toolchain needs root")
    linked = subprocess.run(["ldd", tool], capture_output=True, text=True, check=True).stdout
    assert "swift" not in linked.lower() and "not found" not in linked
    swift = shutil.which("swift")
    toolchain = Path(swift).resolve().parents[2] if swift else tmp_path
    output = tmp_path / "scores.json"
    hidden = f"mount -t tmpfs none {toolchain} && ! swift --version 2>/dev/null && exec"
    command = shlex.join(map(str, [tool, *SCORE, output]))
    done = ended(["unshare", "--mount", "sh", "-c", f"{hidden} {command}"], PATH="/usr/bin:/bin")
    assert done.code == 0, done.text
    single = tmp_path / "single.json"
    assert alone(*SCORE, single).code == 0
    assert output.read_bytes() == single.read_bytes()
