"""The collector under torchrun: the same file from any number of processes, one message on failure.

Each process computes the float32 products of other batches than a single process does, so values
agree to float32 rounding of a product; sums over processes are in double precision.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from collector_models import save_llama, save_mixtral
from collector_reference import SCRIPT, collected, read, write_bytes
from transformers import LlamaForCausalLM

LENGTH = 12


def torchrun(processes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), str(SCRIPT), "--threads", "1"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )


@pytest.mark.parametrize(
    ("processes", "kind"), [(2, "llama"), (3, "llama"), (3, "mixtral"), (2, "few")]
)
def test_processes_write_what_one_process_writes(tmp_path: Path, processes: int, kind: str) -> None:
    """Folds of five sequences (or of one: then a process has none) are shared unevenly."""
    folder = save_mixtral(tmp_path / "m") if kind == "mixtral" else save_llama(tmp_path / "m")
    sequences = 2 if kind == "few" else 10
    text = write_bytes(tmp_path / "text", sequences * LENGTH + 1)
    common = ("--model", folder, "--text", text, "--sequences", sequences, "--folds", 2)
    common += ("--length", LENGTH, "--batch-size", 2, "--collect", "kfac,diagonal,tokens")
    one, many = tmp_path / "one.safetensors", tmp_path / "many.safetensors"
    alone = collected(*common, "-o", one)
    done = torchrun(processes, *common, "-o", many)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote ") == 1
    assert done.stdout.splitlines()[-1].replace(str(many), "") == (
        alone.splitlines()[-1].replace(str(one), "")
    )
    (wanted, metadata), (found, other) = read(one), read(many)
    assert set(found) == set(wanted)
    assert float(other.pop("mean_loss")) == pytest.approx(float(metadata.pop("mean_loss")))
    assert other == metadata
    for key, tensor in wanted.items():
        if tensor.dtype == torch.int64:
            assert torch.equal(found[key], tensor), key
            continue
        scale = float(tensor.abs().max()) if tensor.numel() else 0.0
        torch.testing.assert_close(
            found[key], tensor, rtol=0, atol=1e-6 * scale, msg=lambda t, key=key: f"{key}: {t}"
        )
    assert not (tmp_path / "many.safetensors.partial").exists()


def exit_codes(done: subprocess.CompletedProcess[str]) -> set[int]:
    """What torchrun says its processes ended in, but for those it ended itself.

    It stops the others as soon as one has gone, and ends in 1 whatever they end in.
    """
    assert done.returncode == 1
    return {int(code) for code in re.findall(r"exitcode\s*: (\d+) \(pid", done.stderr)}


def messages(done: subprocess.CompletedProcess[str]) -> list[str]:
    lines = done.stderr.splitlines()
    return [line for line in lines if line.startswith("collect_statistics: error: ")]


def test_a_failure_of_one_process_ends_all_with_its_message(tmp_path: Path) -> None:
    """Only the last sequence, which the last process has, holds a byte the model makes NaN of."""
    folder = save_llama(tmp_path / "m")
    model = LlamaForCausalLM.from_pretrained(folder)
    model.model.embed_tokens.weight.data[ord("\t")] = float("nan")
    model.save_pretrained(folder)
    text = write_bytes(tmp_path / "text", 40 * LENGTH)
    text.write_bytes(text.read_bytes() + b"\t" * (LENGTH + 1))
    output = tmp_path / "s.safetensors"
    common = ("--model", folder, "--text", text, "--folds", 0, "--length", LENGTH)
    common += ("--fold-order", "text", "--batch-size", 2, "-o", output)
    done = torchrun(3, *common)
    assert messages(done) == [
        "collect_statistics: error: process 2: the loss of batch 7 is nan: "
        "try --model-dtype float32"
    ]
    assert exit_codes(done) == {65}
    assert not output.exists()


def test_usage_and_missing_input_are_told_once(tmp_path: Path) -> None:
    folder = save_llama(tmp_path / "m")
    common = ("--model", folder, "-o", tmp_path / "s.safetensors")
    for code, words, arguments in (
        (64, "--folds must be", ("--text", folder / "config.json", "--folds", 1)),
        (66, "is not a file", ("--text", tmp_path / "none")),
    ):
        done = torchrun(2, *common, *arguments)
        assert [words in line for line in messages(done)] == [True]
        assert exit_codes(done) == {code}
