"""Runs that are killed for real and repeated: the same bytes as an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from collector_models import save_llama, save_mixtral
from collector_reference import SCRIPT, collect, collected, write_bytes
from safetensors import safe_open

SEQUENCES, LENGTH = 600, 8


def arguments(folder: Path, text: Path, output: Path, *more: object) -> list[str]:
    sizes = ("--sequences", SEQUENCES, "--length", LENGTH, "--batch-size", 2, "--threads", 1)
    every = ("--checkpoint-every", 5)
    common = ("--model", folder, "--text", text, "-o", output, *sizes, *every)
    return [*map(str, common), *map(str, more)]


def kill_in_the_middle(command: list[str], partial: Path, files: int) -> None:
    """Starts it, waits for a checkpoint of every process, and kills it and all it has started."""
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as running:
        while len(list(partial.glob("process-*.safetensors"))) < files:
            assert running.poll() is None, "it ended before its first checkpoint"
            time.sleep(0.01)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        for number in (running.pid, *map(int, children)):
            os.kill(number, signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL, "it ended before it was killed"


@pytest.mark.parametrize("kind", ["llama", "mixtral"])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, kind: str) -> None:
    folder = save_mixtral(tmp_path / "m") if kind == "mixtral" else save_llama(tmp_path / "m")
    text = write_bytes(tmp_path / "text", SEQUENCES * LENGTH + 1)
    output, partial = tmp_path / "s.safetensors", tmp_path / "s.safetensors.partial"
    more = ("--collect", "kfac,diagonal,tokens", "--modules", "layers.0")
    options = arguments(folder, text, output, *more)
    kill_in_the_middle([sys.executable, str(SCRIPT), *options], partial, 1)
    assert not output.exists()
    with safe_open(partial / "process-1-of-1.safetensors", framework="pt") as opened:
        done = int(opened.metadata()["batches"])
    assert 0 < done < SEQUENCES
    (partial / ".process-1-of-1.safetensors.123.tmp").write_bytes(b"half written")
    assert f"resumed after batch {done} from" in collected(*options)
    assert not partial.exists()
    undisturbed = tmp_path / "undisturbed.safetensors"
    printed = collected(*arguments(folder, text, undisturbed, *more))
    assert "resumed" not in printed
    assert output.read_bytes() == undisturbed.read_bytes()


def test_killed_processes_go_on_together(tmp_path: Path) -> None:
    folder, text = (
        save_llama(tmp_path / "m"),
        write_bytes(tmp_path / "text", SEQUENCES * LENGTH + 1),
    )
    output, partial = tmp_path / "s.safetensors", tmp_path / "s.safetensors.partial"
    script = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(SCRIPT)]
    launch = [sys.executable, *script]
    kill_in_the_middle([*launch, *arguments(folder, text, output)], partial, 2)
    for name in (output, tmp_path / "undisturbed.safetensors"):
        command = [*launch, *arguments(folder, text, name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ("resumed" in done.stdout) == (name == output)
    assert output.read_bytes() == (tmp_path / "undisturbed.safetensors").read_bytes()
    assert not partial.exists()


def interrupt(folder: Path, text: Path, output: Path, *more: object) -> None:
    """Leaves a checkpoint behind without the cost of a process: the run fails at its end."""
    from layerbudget_statistics import collection

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(output))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(collection, "write_statistics", full)
        done = collect(*arguments(folder, text, output, *more))
    assert done.returncode == 66 and "No space left" in done.stderr


def test_another_run_is_not_mixed_in(tmp_path: Path) -> None:
    folder, text = save_llama(tmp_path / "m"), write_bytes(tmp_path / "text", 801)
    output, partial = tmp_path / "s.safetensors", tmp_path / "s.safetensors.partial"
    interrupt(folder, text, output)
    assert partial.is_dir()
    other_text = write_bytes(tmp_path / "other", 901)
    for changed in (
        arguments(folder, text, output, "--seed", 1),
        arguments(folder, text, output, "--collect", "gradient"),
        arguments(folder, other_text, output),
    ):
        done = collect(*changed)
        assert done.returncode == 65
        assert "other options, model, text or processes" in done.stderr
        assert "--no-resume" in done.stderr
    model = next(folder.glob("*.safetensors"))
    os.utime(model, ns=(0, 0))
    assert collect(*arguments(folder, text, output)).returncode == 65
    collected(*arguments(folder, text, output, "--no-resume"))
    assert output.is_file() and not partial.exists()
    interrupt(folder, text, output)
    file = partial / "process-1-of-1.safetensors"
    file.rename(partial / "process-1-of-2.safetensors")
    assert collect(*arguments(folder, text, output)).returncode == 65


def test_a_damaged_checkpoint_is_an_error_and_none_can_be_asked_for(tmp_path: Path) -> None:
    folder, text = save_llama(tmp_path / "m"), write_bytes(tmp_path / "text", 801)
    output, partial = tmp_path / "s.safetensors", tmp_path / "s.safetensors.partial"
    interrupt(folder, text, output)
    file = partial / "process-1-of-1.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    done = collect(*arguments(folder, text, output))
    assert done.returncode == 65 and "cannot be read" in done.stderr
    collected(*arguments(folder, text, output, "--no-resume"))
    interrupt(folder, text, output, "--checkpoint-every", 0)
    assert not partial.exists()


def test_the_bar_is_shown_where_it_is_asked_for(tmp_path: Path) -> None:
    folder, text = save_llama(tmp_path / "m"), write_bytes(tmp_path / "text", 801)
    done = collect(*arguments(folder, text, tmp_path / "s.safetensors"))
    assert done.stderr == "" and "batch 6/52" in done.stdout
    done = collect(*arguments(folder, text, tmp_path / "s.safetensors", "--progress"))
    assert "per token" in done.stderr and "batch" in done.stderr
    assert not any(line.startswith("batch ") for line in done.stdout.splitlines())
