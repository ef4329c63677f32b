"""A real Slurm: the two job scripts, srun without PMIx, and the warning before the limit."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from cluster_runs import (
    EXAMPLE,
    HERE,
    REPOSITORY,
    SLURM,
    TOOL,
    Ended,
    alone,
    ended,
    environment,
    finished_lines,
    until,
)
from safetensors.torch import save_file

BATCH = REPOSITORY / "launch" / "batch"
Slurm = Callable[[int], None]
Timed = Callable[[Ended], Ended]
SCORE = ("score", "--statistics", EXAMPLE / "statistics.safetensors", "--quiet", "-o")
# One task per core of this machine, whatever the script asks for.
SMALL = ("--nodes=1", "--ntasks-per-node=2", "--cpus-per-task=1", "--time=5", "--mem=0")


def slurm_does(*arguments: object, limit: float = 200, **changes: str) -> Ended:
    start = time.monotonic()
    own = environment(HERE, LAYERBUDGET_HOME=str(REPOSITORY), **changes)
    done = subprocess.run(
        [str(part) for part in [SLURM, "do", *arguments]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=own,
        timeout=limit,
        check=False,
    )
    return Ended(done.returncode, done.stdout, time.monotonic() - start)


def job_log(tmp_path: Path) -> str:
    return "".join(file.read_text() for file in tmp_path.glob("*.out"))


def submitted(tmp_path: Path, script: str, *arguments: object, options: tuple = SMALL) -> Ended:
    """A job from its submission to its end, with its output."""
    where = (f"--chdir={tmp_path}", f"--output={tmp_path}/%x.%j.out")
    done = slurm_does("sbatch", "--wait", *options, *where, BATCH / script, *arguments)
    return Ended(done.code, done.text + job_log(tmp_path), done.seconds)


def check_scores(tmp_path: Path, output: Path) -> None:
    single = tmp_path / "single.json"
    assert alone(*SCORE, single).code == 0
    assert output.read_bytes() == single.read_bytes()


def test_one_node(slurm: Slurm, tmp_path: Path, timed: Timed) -> None:
    """Everything that needs no second node, in one Slurm: starting it takes seconds."""
    slurm(0)
    for script in ("slurm-srun.sbatch", "slurm-mpirun.sbatch"):
        folder = tmp_path / script
        folder.mkdir()
        output = folder / "scores.json"
        done = timed(submitted(folder, script, *SCORE, output))
        assert done.code == 0, done.text
        check_scores(folder, output)
        assert '"ranks" : 2' in (folder / "scores.run.json").read_text()
        wrong = submitted(folder, script, "score", "--statistics", "nowhere", "-o", output)
        assert wrong.code == 66 and "nowhere" in wrong.text, wrong.text
        none = submitted(folder, script)
        assert none.code == 64 and "no command" in none.text, none.text

    # Slurm's default here is no MPI: every process sees only itself, and would write the file.
    output = tmp_path / "plain.json"
    plain = slurm_does("srun", "-n", 2, TOOL, *SCORE, output)
    assert plain.code == 78, plain.text
    assert "--mpi=pmix" in plain.text and not output.exists()
    pmi2 = slurm_does("srun", "--mpi=pmi2", "-n", 2, TOOL, *SCORE, output)
    assert pmi2.code == 1 and "OPAL ERROR: Unreachable" in pmi2.text, pmi2.text
    assert not output.exists()

    # A killed rank ends the step at once.
    command = f'[ "$SLURM_PROCID" = 1 ] && kill -9 $$; exec {TOOL} score --statistics x -o y'
    options = ("--mpi=pmix", "--kill-on-bad-exit=1", "-n", 2)
    killed = timed(slurm_does("srun", *options, "sh", "-c", command))
    assert killed.code != 0 and killed.seconds < 30, killed.text


@pytest.mark.parametrize("script", ["slurm-srun.sbatch", "slurm-mpirun.sbatch"])
def test_two_nodes(slurm: Slurm, cluster: None, tmp_path: Path, script: str, timed: Timed) -> None:
    """slurmd on two pretend hosts, ranks joined by TCP."""
    slurm(2)
    output = tmp_path / "scores.json"
    where = (f"--chdir={tmp_path}", f"--output={tmp_path}/%x.%j.out")
    size = ("--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=1", "--time=5", "--mem=0")
    own = {
        "OMPI_MCA_btl": "tcp,self",
        "OMPI_MCA_btl_tcp_if_include": "10.88.0.0/24",
        "OMPI_MCA_oob_tcp_if_include": "10.88.0.0/24",
    }
    done = timed(
        slurm_does("sbatch", "--wait", *size, *where, BATCH / script, *SCORE, output, **own)
    )
    text = done.text + job_log(tmp_path)
    assert done.code == 0, text
    check_scores(tmp_path, output)
    assert '"ranks" : 2' in (tmp_path / "scores.run.json").read_text()


@pytest.mark.parametrize("script", ["slurm-srun.sbatch", "slurm-mpirun.sbatch"])
def test_a_warned_job_is_gone_on_with(
    slurm: Slurm, tmp_path: Path, scoring: tuple[object, ...], undisturbed: bytes, script: str
) -> None:
    """The warning, sent by hand: the job ends with 75 and goes back; another job resumes.

    Slurm lets a requeued job wait for minutes, so it is taken out of the queue.
    """
    slurm(0)
    output = tmp_path / "scores.json"
    where = (f"--chdir={tmp_path}", f"--output={tmp_path}/%x.%j.out")
    sent = slurm_does("sbatch", "--parsable", *SMALL, *where, BATCH / script, *scoring, output)
    assert sent.code == 0, sent.text
    job = sent.text.split()[-1]
    # A header line per rank, then the units.
    assert until(lambda: finished_lines(output) >= 4, 90), job_log(tmp_path)
    target = ("--batch",) if "mpirun" in script else ()
    warned = slurm_does("scancel", "--signal=USR1", *target, job)
    assert warned.code == 0, warned.text
    assert until(lambda: "back to the queue" in job_log(tmp_path), 60), job_log(tmp_path)
    slurm_does("scancel", job)
    assert not output.exists()

    done = submitted(tmp_path, script, *scoring, output)
    assert done.code == 0, done.text
    assert output.read_bytes() == undisturbed
    assert json.loads((tmp_path / "scores.run.json").read_text())["resumed"] >= 2


@pytest.fixture(scope="module")
def long_scoring(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """More than a minute of work for one core; the output's path is still to be added."""
    side, modules = 2048, 40
    generator = np.random.default_rng(11)
    x = generator.normal(size=(side + 8, side)) * np.exp(generator.normal(size=side) / 2)
    factor = torch.tensor(x.T @ x / len(x)).float()
    tensors = {}
    for i in range(modules):
        name = f"model.layers.{i}.m"
        for kind in ("activation_covariance", "gradient_covariance"):
            tensors[f"{name}.{kind}"] = factor * (1 + i / modules)
        tensors[f"{name}.gradient"] = torch.tensor(generator.normal(size=(side, side))).float()
    path = tmp_path_factory.mktemp("long") / "statistics.safetensors"
    save_file(tensors, path, {"format": "layerbudget.statistics/1"})
    kind = ("--curvature", "kronecker", "--precision", "double")
    return ("score", "--statistics", path, *kind, "--quiet", "-o")


@pytest.fixture(scope="module")
def long_undisturbed(
    long_scoring: tuple[object, ...], tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    """The scores of one process alone."""
    output = tmp_path_factory.mktemp("long-undisturbed") / "scores.json"
    single = [str(part) for part in [TOOL, *long_scoring, output]]
    assert ended(single, limit=1800).code == 0
    return output.read_bytes()


@pytest.mark.skipif(
    "LAYERBUDGET_SLOW_TESTS" not in os.environ,
    reason="some minutes each: Slurm warns no sooner; LAYERBUDGET_SLOW_TESTS=1 runs it",
)
@pytest.mark.parametrize("script", ["slurm-srun.sbatch", "slurm-mpirun.sbatch"])
def test_the_warning_before_the_limit(
    slurm: Slurm,
    tmp_path: Path,
    long_scoring: tuple[object, ...],
    long_undisturbed: bytes,
    script: str,
) -> None:
    """Slurm warns, the ranks end with 75, the job goes back to the queue and ends well."""
    slurm(0)
    output = tmp_path / "scores.json"
    signal = "B:USR1@110" if "mpirun" in script else "USR1@110"
    where = (f"--chdir={tmp_path}", f"--output={tmp_path}/%x.%j.out")
    # Two minutes, of which the last 110 seconds are warned of.
    options = (*SMALL, "--time=2", f"--signal={signal}", *where)
    start = time.monotonic()
    sent = slurm_does("sbatch", "--parsable", *options, BATCH / script, *long_scoring, output)
    assert sent.code == 0, sent.text
    job = sent.text.split()[-1]

    def passed(what: str) -> None:
        print(f"{what} after {time.monotonic() - start:.1f} s")

    back = "back to the queue"
    assert until(lambda: back in job_log(tmp_path), 150, every=0.5), job_log(tmp_path)
    passed(back)
    assert not output.exists() and finished_lines(output) > 0

    # Slurm lets the job wait for two minutes and would then warn it again, the more often the
    # slower the machine. Its owner gives it more time while it waits.
    def has_more_time() -> bool:
        waits = "PENDING" in slurm_does("squeue", "--noheader", "--format=%T", f"--job={job}").text
        return waits and slurm_does("scontrol", "update", f"JobId={job}", "TimeLimit=40").code == 0

    assert until(has_more_time, 60, every=0.5), slurm_does("scontrol", "show", "job", job).text
    passed("more time")

    def state() -> str:
        return slurm_does("squeue", "--noheader", "--format=%T", f"--job={job}").text.strip()

    assert until(lambda: state() == "RUNNING" or output.exists(), 400, every=1), state()
    passed("started again")
    assert until(lambda: state() in ("", "COMPLETED"), 1800, every=1), state()
    passed("over")
    log = job_log(tmp_path)
    print(log)
    assert output.read_bytes() == long_undisturbed, log
    assert log.count(back) == 1 and not Path(f"{output}.journal").exists(), log
    assert json.loads((tmp_path / "scores.run.json").read_text())["resumed"] >= 1
