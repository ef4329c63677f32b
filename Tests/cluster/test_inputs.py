"""Hosts that do not see the same inputs, build or BLAS kernels. One message, one code."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster_runs import EXAMPLE, PRIVATE, TOOL, Ended, alone, ended, hosts, leftovers, on_hosts

pytestmark = pytest.mark.usefixtures("cluster")
Timed = Callable[[Ended], Ended]
Mount = Callable[[Path, Path], None]


@pytest.fixture
def statistics(tmp_path: Path) -> Path:
    """The example's, in a place of its own."""
    path = tmp_path / "statistics.safetensors"
    shutil.copy(EXAMPLE / "statistics.safetensors", path)
    return path


@pytest.fixture
def pretend3_sees() -> Iterator[Mount]:
    """Puts a file in the place of another one, on pretend3 alone."""
    places: list[Path] = []

    def mount(contents: Path, place: Path) -> None:
        hosts("in", "pretend3", "mount", "--bind", contents, place)
        places.append(place)

    yield mount
    for place in places:
        hosts("in", "pretend3", "umount", place)


def check_refused(statistics: Path, output: Path, code: int, said: list[str], timed: Timed) -> None:
    """Ends by itself with one message and without an output."""
    end = timed(ended(on_hosts("score", "--statistics", statistics, "-o", output)))
    print(end.text)
    assert end.code == code, end.text
    for part in said:
        assert part in end.text
    own = [line for line in end.text.splitlines() if line.startswith("layerbudget: ")]
    assert len(own) == 1, "the message came more than once"
    assert not output.exists() and leftovers() == []


def check_mended(statistics: Path, output: Path) -> None:
    """Once the hosts see the same, the run writes what one process alone writes."""
    done = ended(on_hosts("score", "--statistics", statistics, "-o", output))
    assert done.code == 0, done.text
    single = output.with_name("alone.json")
    assert alone("score", "--statistics", statistics, "-o", single).code == 0
    assert output.read_bytes() == single.read_bytes()


def other_names(path: Path, made: Path) -> None:
    whole = path.read_bytes()
    assert b'"model.layers.11.' in whole
    made.write_bytes(whole.replace(b'"model.layers.11.', b'"model.layers.91.'))


def cut_short(path: Path, made: Path) -> None:
    whole = path.read_bytes()
    made.write_bytes(whole[: len(whole) // 2])


def empty(_: Path, made: Path) -> None:
    made.write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (other_names, 65, ["statistics.safetensors", "the ranks see different contents"]),
        (cut_short, 65, ["statistics.safetensors", "pretend3"]),
        (empty, 65, ["statistics.safetensors", "pretend3"]),
    ],
    ids=["other header", "cut short", "empty"],
)
def test_one_host_sees_another_input(
    tmp_path: Path,
    statistics: Path,
    pretend3_sees: Mount,
    timed: Timed,
    change: Callable[[Path, Path], None],
    code: int,
    said: list[str],
) -> None:
    change(statistics, tmp_path / "other")
    pretend3_sees(tmp_path / "other", statistics)
    check_refused(statistics, tmp_path / "scores.json", code, said, timed)
    # Over it the right one again; both are taken away in the end.
    mended = shutil.copy(EXAMPLE / "statistics.safetensors", tmp_path / "mended")
    pretend3_sees(Path(mended), statistics)
    check_mended(statistics, tmp_path / "scores.json")


def test_one_host_has_no_input(tmp_path: Path, timed: Timed) -> None:
    """Inputs on a disk of each host, and one host was forgotten."""
    for host in ("pretend1", "pretend2", "pretend4"):
        hosts("in", host, "cp", EXAMPLE / "statistics.safetensors", PRIVATE / "s.safetensors")
    try:
        own = PRIVATE / "s.safetensors"
        check_refused(own, tmp_path / "scores.json", 66, ["s.safetensors", "pretend3"], timed)
        hosts("in", "pretend3", "cp", EXAMPLE / "statistics.safetensors", own)
        done = ended(on_hosts("score", "--statistics", own, "-o", tmp_path / "scores.json"))
        assert done.code == 0, done.text
    finally:
        for host in ("pretend1", "pretend2", "pretend3", "pretend4"):
            hosts("in", host, "rm", "-f", PRIVATE / "s.safetensors")


def test_one_host_cannot_read_its_input(
    tmp_path: Path, statistics: Path, pretend3_sees: Mount, timed: Timed
) -> None:
    """A file that opens and gives an I/O error for every read, as a broken disk would."""
    pretend3_sees(Path("/proc/self/mem"), statistics)
    end = timed(ended(on_hosts("score", "--statistics", statistics, "-o", tmp_path / "out")))
    print(end.text)
    assert end.code == 66, end.text
    assert "pretend3" in end.text and not (tmp_path / "out").exists()
    assert leftovers() == []


def test_one_host_runs_another_build(
    tmp_path: Path, statistics: Path, pretend3_sees: Mount, timed: Timed
) -> None:
    other = tmp_path / "layerbudget"
    shutil.copy(TOOL, other)
    subprocess.run(["strip", "--strip-debug", other], check=True)
    pretend3_sees(other, TOOL)
    output = tmp_path / "scores.json"
    check_refused(statistics, output, 78, ["the ranks run different builds", "pretend3"], timed)


def test_one_host_has_other_blas_kernels(tmp_path: Path, statistics: Path, timed: Timed) -> None:
    """A cluster of two processor generations."""
    mixed = tmp_path / "mixed"
    mixed.write_text(
        '#!/bin/sh\n[ "$(hostname)" = pretend3 ] && export OPENBLAS_CORETYPE=Prescott\n'
        f'exec {TOOL} "$@"\n'
    )
    mixed.chmod(0o755)
    output = tmp_path / "scores.json"
    command = ("score", "--statistics", statistics, "-o", output, "--quiet")
    end = timed(ended(on_hosts(*command), LAYERBUDGET=str(mixed)))
    print(end.text)
    assert end.code == 78, end.text
    assert "the ranks use different BLAS kernels" in end.text and "pretend3" in end.text
    assert not output.exists()
    # The advice of the message: one core type for all.
    chosen = ended(on_hosts(*command), OPENBLAS_CORETYPE="Prescott", LAYERBUDGET=str(mixed))
    assert chosen.code == 0, chosen.text
    allowed = ended(on_hosts(*command, "--allow-mixed"), LAYERBUDGET=str(mixed))
    assert allowed.code == 0, allowed.text
