"""Killed in the middle, run again on another number of ranks: the bytes of an undisturbed run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from apply_runs import (
    RANKED,
    applied,
    command,
    folder_bytes,
    outputs_of,
    random_covariance,
    unit,
    write_checkpoint,
    write_plan,
    write_statistics,
)
from safetensors.torch import load_file, save_file

MODULES, SIDE, BLOCKS = 48, 224, 4
SPARSEGPT = ("--method", "sparsegpt", "--precision", "double", "--statistics")

Setting = tuple[Path, Path, Path]


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """24 matrices of four units; SparseGPT takes long enough to be killed in between."""
    base, generator = tmp_path_factory.mktemp("work"), np.random.default_rng(41)
    each = MODULES // BLOCKS
    names = [f"model.layers.{i // each}.m{i % each}" for i in range(MODULES)]
    tensors = {
        f"{name}.weight": torch.tensor(generator.normal(size=(SIDE, SIDE))).float()
        for name in names
    }
    folder = write_checkpoint(base / "model", tensors)
    a = random_covariance(generator, SIDE)
    statistics = write_statistics(
        base / "s.safetensors", dict.fromkeys(names, a), outputs_of(tensors)
    )
    units = [
        unit(f"model.layers.{b}", SIDE * SIDE * (b + 1) // 2, each * SIDE * SIDE, part)
        for b, part in ((b, names[b * each : (b + 1) * each]) for b in range(BLOCKS))
    ]
    return write_plan(base / "plan.json", units), folder, statistics


@pytest.fixture(scope="module")
def undisturbed(setting: Setting, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    plan, folder, statistics = setting
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    applied(plan, folder, output, *SPARSEGPT, statistics)
    return folder_bytes(output)


def finished_modules(output: Path) -> list[str]:
    """Names in whole lines, of which the first of every file is about the run."""
    names = []
    for file in sorted(Path(f"{output}.journal").glob("*.jsonl")):
        with contextlib.suppress(FileNotFoundError):
            for line in file.read_text().split("\n")[1:-1]:
                names.append(json.loads(line)["record"]["module"])
    return names


def finished_lines(output: Path) -> int:
    return len(finished_modules(output))


def slowly(command: list[str]) -> list[str]:
    """All ranks on one core: journals are written once a second, on fast machines too."""
    return ["taskset", "-c", str(min(os.sched_getaffinity(0))), *command]


def ranks_of(running: subprocess.Popen[bytes]) -> list[int]:
    children = Path(f"/proc/{running.pid}/task").glob("*/children")
    found = {int(pid) for file in children for pid in file.read_text().split()}
    return sorted(pid for pid in found if b"apply" in Path(f"/proc/{pid}/cmdline").read_bytes())


def kill_in_the_middle(setting: Setting, output: Path, lines: int, *, all_of_it: bool) -> None:
    """SIGKILL to one rank, or to mpirun and every rank, once the journals hold some lines."""
    plan, folder, statistics = setting
    arguments = ("apply", plan, "--checkpoint", folder, "-o", output, *SPARSEGPT, statistics)
    with subprocess.Popen(
        slowly(command(*arguments, ranks=3)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **RANKED},
    ) as running:
        while finished_lines(output) < lines:
            assert running.poll() is None, "it ended before it was killed"
            time.sleep(0.002)
        ranks = ranks_of(running)
        assert len(ranks) == 3
        for pid in [running.pid, *ranks] if all_of_it else ranks[1:2]:
            os.kill(pid, signal.SIGKILL)
        assert running.wait(60) != 0, "it ended before it was killed"
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in ranks) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not output.exists()
    assert Path(f"{output}.partial").is_dir() and Path(f"{output}.journal").is_dir()


def check_finished(output: Path, wanted: dict[str, bytes]) -> None:
    found = folder_bytes(output)
    assert set(found) == set(wanted)
    for name, contents in wanted.items():
        assert found[name] == contents, name
    left = {path.name for path in output.parent.iterdir() if path.name.startswith(output.name)}
    assert left == {output.name, f"{output.name}.run.json"}


@pytest.mark.parametrize(
    ("lines", "all_of_it", "ranks"), [(2, False, 2), (6, True, 4), (4, False, None)]
)
def test_a_killed_run_goes_on_to_the_same_bytes(
    tmp_path: Path,
    setting: Setting,
    undisturbed: dict[str, bytes],
    lines: int,
    all_of_it: bool,
    ranks: int | None,
) -> None:
    plan, folder, statistics = setting
    output = tmp_path / "out"
    kill_in_the_middle(setting, output, lines, all_of_it=all_of_it)
    applied(plan, folder, output, *SPARSEGPT, statistics, ranks=ranks)
    check_finished(output, undisturbed)


def test_a_run_killed_twice_goes_on(
    tmp_path: Path, setting: Setting, undisturbed: dict[str, bytes]
) -> None:
    plan, folder, statistics = setting
    output = tmp_path / "out"
    kill_in_the_middle(setting, output, 2, all_of_it=False)
    kill_in_the_middle(setting, output, finished_lines(output) + 3, all_of_it=True)
    names = finished_modules(output)
    assert len(names) >= 5 and len(set(names)) == len(names), "what was done was done again"
    applied(plan, folder, output, *SPARSEGPT, statistics)
    check_finished(output, undisturbed)


def test_other_options_do_not_take_over_what_was_done(tmp_path: Path, setting: Setting) -> None:
    plan, folder, statistics = setting
    for name, options in (
        ("wanda", ("--method", "wanda", "--statistics", statistics)),
        ("pattern", (*SPARSEGPT, statistics, "--pattern", "2:4")),
    ):
        output, fresh = tmp_path / name / "out", tmp_path / name / "fresh"
        output.parent.mkdir()
        kill_in_the_middle(setting, output, 5, all_of_it=False)
        applied(plan, folder, output, *options, ranks=2)
        applied(plan, folder, fresh, *options)
        check_finished(output, folder_bytes(fresh))


@pytest.mark.parametrize("changed", ["weights", "statistics", "plan"])
def test_other_inputs_do_not_take_over_what_was_done(
    tmp_path: Path, setting: Setting, changed: str
) -> None:
    """Of the same names, shapes and sizes."""
    plan, folder, statistics = setting
    own = shutil.copytree(folder, tmp_path / "model")
    own_plan = Path(shutil.copy(plan, tmp_path / "plan.json"))
    own_statistics = Path(shutil.copy(statistics, tmp_path / "s.safetensors"))
    output, fresh = tmp_path / "out", tmp_path / "fresh"
    kill_in_the_middle((own_plan, own, own_statistics), output, 5, all_of_it=False)
    if changed == "plan":
        count = SIDE * SIDE // 2
        text = plan.read_text().replace(f'"integer": {count}', f'"integer": {count + 1}')
        own_plan.write_text(text)
        assert own_plan.read_text() != plan.read_text()
    else:
        file = own / "model.safetensors" if changed == "weights" else own_statistics
        tensors = load_file(file)
        for tensor in tensors.values():
            tensor.mul_(torch.linspace(1, 2, len(tensor)))
            if changed == "statistics":
                tensor.mul_(torch.linspace(1, 2, len(tensor))[:, None])
        save_file(tensors, file, {"format": "layerbudget.statistics/1"})
    applied(own_plan, own, output, *SPARSEGPT, own_statistics, ranks=2)
    applied(own_plan, own, fresh, *SPARSEGPT, own_statistics)
    check_finished(output, folder_bytes(fresh))


@pytest.mark.parametrize("damage", ["partial gone", "journal gone", "torn line", "shorter file"])
def test_damage_to_what_was_done_is_made_good(
    tmp_path: Path, setting: Setting, undisturbed: dict[str, bytes], damage: str
) -> None:
    plan, folder, statistics = setting
    output = tmp_path / "out"
    kill_in_the_middle(setting, output, 5, all_of_it=True)
    partial, journal = Path(f"{output}.partial"), Path(f"{output}.journal")
    if damage == "partial gone":
        shutil.rmtree(partial)
    elif damage == "journal gone":
        shutil.rmtree(journal)
    elif damage == "torn line":
        for file in journal.glob("*.jsonl"):
            file.write_bytes(file.read_bytes()[:-7])
    else:
        for file in partial.rglob("*.safetensors"):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    applied(plan, folder, output, *SPARSEGPT, statistics, ranks=2)
    check_finished(output, undisturbed)


@pytest.mark.parametrize(("number", "ranks"), [(signal.SIGUSR1, 3), (signal.SIGTERM, None)])
def test_a_warned_run_ends_with_75_and_goes_on(
    tmp_path: Path,
    setting: Setting,
    undisturbed: dict[str, bytes],
    number: signal.Signals,
    ranks: int | None,
) -> None:
    plan, folder, statistics = setting
    output = tmp_path / "out"
    arguments = ("apply", plan, "--checkpoint", folder, "-o", output, *SPARSEGPT, statistics)
    with subprocess.Popen(
        slowly(command(*arguments, ranks=ranks)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **RANKED},
    ) as running:
        while finished_lines(output) < 3:
            assert running.poll() is None, "it ended before it was warned"
            time.sleep(0.005)
        running.send_signal(number)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 75, errors
    done = len(finished_modules(output))
    assert f"after {done} of {MODULES} modules" in errors
    assert not output.exists()
    assert not Path(f"{output}.journal/stop").exists()
    applied(plan, folder, output, *SPARSEGPT, statistics, ranks=2)
    check_finished(output, undisturbed)
    assert json.loads(Path(f"{output}.run.json").read_text())["resumed"] == done


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7])
def test_any_number_of_ranks_writes_the_same_bytes(
    tmp_path: Path, setting: Setting, undisturbed: dict[str, bytes], ranks: int
) -> None:
    plan, folder, statistics = setting
    output = tmp_path / "out"
    applied(plan, folder, output, *SPARSEGPT, statistics, ranks=ranks)
    check_finished(output, undisturbed)


@pytest.mark.parametrize("method", ["magnitude", "wanda"])
def test_thresholds_over_a_unit_do_not_depend_on_ranks(
    tmp_path: Path, setting: Setting, method: str
) -> None:
    plan, folder, statistics = setting
    options = ("--method", method, "--within", "global", "--statistics", statistics)
    applied(plan, folder, tmp_path / "alone", *options)
    applied(plan, folder, tmp_path / "many", *options, ranks=3)
    assert folder_bytes(tmp_path / "many") == folder_bytes(tmp_path / "alone")
