"""Disks that are full, and output folders that are not shared."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster_runs import (
    EXAMPLE,
    NAMES,
    PRIVATE,
    Ended,
    alone,
    ended,
    hosts,
    leftovers,
    on_hosts,
    running,
)
from test_killed import check_rerun

pytestmark = pytest.mark.usefixtures("cluster")
Timed = Callable[[Ended], Ended]
SCORE = ("score", "--statistics", EXAMPLE / "statistics.safetensors", "-o")


@pytest.fixture(autouse=True)
def clean_disks() -> Iterator[None]:
    yield
    for host in NAMES:
        hosts("in", host, "sh", "-c", f"rm -rf {PRIVATE}/* {PRIVATE}/.[!.]*")


def fill(host: str) -> None:
    hosts("in", host, "sh", "-c", f"dd if=/dev/zero of={PRIVATE}/fill bs=64k 2>/dev/null; true")


def files(host: str) -> list[str]:
    """What is on the host's own disk; none of it half an output."""
    return hosts("in", host, "ls", "-A", PRIVATE).split()


def test_the_disk_of_the_output_is_full(tmp_path: Path, timed: Timed) -> None:
    fill("pretend1")
    output = PRIVATE / "scores.json"
    end = timed(ended(on_hosts(*SCORE, output)))
    print(end.text)
    assert end.code == 73, end.text
    assert "scores.json" in end.text and "No space left" in end.text
    assert files("pretend1") == ["fill"] and leftovers() == []
    hosts("in", "pretend1", "rm", PRIVATE / "fill")
    again = ended(on_hosts(*SCORE, output))
    assert again.code == 0, again.text
    # The other hosts do not see this disk, so there can be no journal on it.
    assert "this run keeps no journal" in again.text
    single = tmp_path / "alone.json"
    assert alone(*SCORE, single).code == 0
    hosts("in", "pretend1", "cmp", output, single)


def test_the_disk_of_the_journal_is_full(
    tmp_path: Path, scoring: tuple[object, ...], undisturbed: bytes, timed: Timed
) -> None:
    """Room for the output, none for what one host would keep."""
    output, journal = tmp_path / "scores.json", tmp_path / "scores.json.journal"
    journal.mkdir()
    fill("pretend1")
    hosts("in", "pretend1", "mount", "--bind", PRIVATE, journal)
    try:
        end = timed(ended(on_hosts(*scoring, output)))
        print(end.text)
        assert end.code == 73, end.text
        assert "scores.json.journal" in end.text and "No space left" in end.text
        assert not output.exists()
    finally:
        hosts("in", "pretend1", "umount", journal)
    check_rerun(scoring, output, undisturbed)


def test_a_signal_ends_a_run_without_a_journal_at_once(
    tmp_path: Path, scoring: tuple[object, ...], timed: Timed
) -> None:
    output = PRIVATE / "scores.json"
    with running(on_hosts(*scoring, output), output, tmp_path / "log") as run:
        os.kill(run.until_at_work()["pretend3"], signal.SIGTERM)
        run.fault()
        end = timed(run.wait(60))
    assert end.code not in (0, 75), end.text
    assert files("pretend1") == []


def test_apply_needs_a_folder_that_all_hosts_share(tmp_path: Path, timed: Timed) -> None:
    statistics, plan = EXAMPLE / "statistics.safetensors", tmp_path / "plan.json"
    options = ("--statistics", statistics, "--sparsity", "0.5", "--max", "0.9", "-o", plan)
    assert alone("prune", *options).code == 0
    command = ("apply", plan, "--checkpoint", EXAMPLE / "model", "--quiet", "-o")
    end = timed(ended(on_hosts(*command, PRIVATE / "pruned")))
    print(end.text)
    assert end.code == 73, end.text
    assert "pretend" in end.text
    for host in NAMES:
        assert files(host) == [], host
    again = ended(on_hosts(*command, tmp_path / "pruned"))
    assert again.code == 0, again.text
    assert alone(*command, tmp_path / "single").code == 0
    for file in (tmp_path / "single").iterdir():
        assert file.read_bytes() == (tmp_path / "pruned" / file.name).read_bytes()
