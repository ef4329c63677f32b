"""launch/install into a prefix of the test's own, and away again."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from terminal_runs import REPOSITORY, TOOL, Ended, piped

INSTALL = REPOSITORY / "launch" / "install"
STATIC = REPOSITORY / ".build" / "static" / "release" / "layerbudget"
SLOW = "LAYERBUDGET_SLOW_TESTS" in os.environ


def installed(prefix: Path, *options: str | Path, code: int = 0) -> Ended:
    return piped("bash", INSTALL, "--prefix", prefix, *options, folder=Path("/"), code=code)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a build that is there; its runtime may not be inside."""
    folder = tmp_path_factory.mktemp("a prefix")
    installed(folder, "--tool", TOOL)
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def commands() -> list[str]:
    text = piped(TOOL, "--help", folder=Path("/")).output
    return re.findall(r"^  ([a-z]+) {2,}\S", text.split("SUBCOMMANDS:")[1], re.MULTILINE)


def test_everything_is_in_its_place(prefix: Path) -> None:
    there = files(prefix)
    listed = (prefix / "share/layerbudget/installed-files").read_text().splitlines()
    assert there == {*listed, "share/layerbudget/installed-files"}
    pages = {f"share/man/man1/layerbudget-{command}.1" for command in commands()}
    assert {path for path in there if "/man1/" in path} == pages | {"share/man/man1/layerbudget.1"}
    for name in ("run", "batch/slurm-srun.sbatch", "batch/pbs.sh"):
        copy = prefix / "share/layerbudget/launch" / name
        original = REPOSITORY / "launch" / name
        assert copy.read_bytes() == original.read_bytes()
        assert os.access(copy, os.X_OK) == os.access(original, os.X_OK)
    assert "share/layerbudget/hostfiles/two-equal-nodes" in there


def test_the_installed_scripts_run_the_installed_tool(prefix: Path, folder: Path) -> None:
    run = prefix / "share" / "layerbudget" / "launch" / "run"
    command = shlex.split("score --statistics stats.safetensors --curvature diagonal -o new.json")
    ranks = ["-n", "2", "--oversubscribe"]
    # A tool that the tests are told to use would be used instead.
    own = {"PATH": "/usr/bin:/bin", "LAYERBUDGET": ""}
    shown = piped(run, "--dry-run", *ranks, "--", *command, folder=folder, **own)
    assert str(prefix / "bin" / "layerbudget").replace(" ", "\\ ") in shown.output
    piped(run, *ranks, "--", *command, folder=folder, **own)
    assert (folder / "new.json").exists()


def test_man_finds_and_shows_every_page(prefix: Path) -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed (Debian: man-db)")
    pages = prefix / "share" / "man"
    variables = {"MANPATH": str(pages), "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PAGER": "cat"}
    for name in ["layerbudget", *(f"layerbudget-{command}" for command in commands())]:
        where = piped("man", "-w", name, folder=Path("/"), **variables).output.strip()
        assert where == str(pages / "man1" / f"{name}.1")
        shown = piped("man", "--warnings", name, folder=Path("/"), **variables)
        assert shown.errors == ""
        command = name.removeprefix("layerbudget").removeprefix("-")
        text = " ".join(re.sub(r"‐\n\s*", "", shown.output).split())
        told = piped(TOOL, *command.split(), "--help", folder=Path("/")).output
        abstract = told.removeprefix("OVERVIEW: ").splitlines()[0]
        assert abstract in text
        for option in re.findall(r"^  (?:-\w, )?(--[\w-]+)", told, re.MULTILINE):
            assert option in text, option
        # A plain terminal of long ago shows them too.
        plain = piped("man", "--warnings", name, folder=Path("/"), **variables | {"LC_ALL": "C"})
        assert "can't find" not in plain.errors


def test_the_manual_is_good_roff(prefix: Path) -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    pages = sorted((prefix / "share/man/man1").glob("*.1"))
    done = piped("mandoc", "-T", "lint", "-W", "warning", *pages, folder=Path("/"))
    assert done.output == ""


def test_examples_of_the_manual_are_those_of_the_help(prefix: Path) -> None:
    for command in commands():
        help_text = piped(TOOL, command, "--help", folder=Path("/")).output.split("\nUSAGE:")[0]
        examples = [line[2:] for line in help_text.splitlines() if line.startswith("  ")]
        page = (prefix / f"share/man/man1/layerbudget-{command}.1").read_text()
        shown = page.split(".SH EXAMPLES\n.nf\n")[1].split("\n.fi\n")[0]
        assert shown.replace("\\-", "-").replace("\\e", "\\").splitlines() == examples
        # Elsewhere than on Debian a bare dash becomes a hyphen, and no option can be copied.
        assert not re.search(r"(?<!\\)-", page.split("\n", 1)[1])


def test_a_second_install_replaces_and_uninstall_leaves_nothing(tmp_path: Path) -> None:
    prefix = tmp_path / "local"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "other").write_text("not ours\n")
    installed(prefix, "--tool", TOOL)
    before = files(prefix)
    # A file of an older version.
    old = "share/man/man1/layerbudget-old.1"
    (prefix / old).write_text("")
    with (prefix / "share/layerbudget/installed-files").open("a") as listed:
        listed.write(old + "\n")
    installed(prefix, "--tool", TOOL)
    assert files(prefix) == before
    installed(prefix, "--uninstall")
    assert files(prefix) == {"bin/other"}
    assert not (prefix / "share/layerbudget").exists()
    installed(prefix, "--uninstall", code=66)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--prefx", "/x"], 64),
        (["--prefix"], 64),
        (["--prefix", "PLACE", "--tool", "/bin/false"], 66),
        (["--prefix", "/proc/nowhere", "--tool", str(TOOL)], 73),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    options: list[str], code: int, tmp_path: Path
) -> None:
    words = [option.replace("PLACE", str(tmp_path)) for option in options]
    ended = piped("bash", INSTALL, *words, folder=tmp_path, code=code)
    assert ended.errors.startswith("launch/install: ")
    assert files(tmp_path) == set()


def test_an_installed_static_tool_needs_no_toolchain(tmp_path: Path, folder: Path) -> None:
    """The real thing. It builds for minutes, so only where it is there already or asked for."""
    if not STATIC.exists() and not SLOW:
        pytest.skip("no static build is here; LAYERBUDGET_SLOW_TESTS=1 makes one")
    if os.geteuid() != 0:
        pytest.skip("hiding the toolchain needs root")
    options = [] if SLOW else ["--tool", STATIC]
    subprocess.run(["bash", INSTALL, "--prefix", tmp_path, *options], check=True, timeout=3000)
    swift = shutil.which("swift")
    toolchain = Path(swift).resolve().parents[2] if swift else tmp_path / "none"
    command = "score --statistics stats.safetensors --curvature diagonal -o new.json"
    hidden = (
        f"mount -t tmpfs none {toolchain} && "
        f"exec env -i PATH={tmp_path}/bin:/usr/bin:/bin layerbudget {command}"
    )
    piped("unshare", "--mount", "sh", "-c", hidden, folder=folder)
    piped("layerbudget", *command.replace("new", "old").split(), folder=folder)
    assert (folder / "new.json").read_bytes() == (folder / "old.json").read_bytes()


def test_a_level_of_processors_must_be_one_of_clang_and_needs_a_build(tmp_path: Path) -> None:
    both = installed(tmp_path, "--cpu", "x86-64-v3", "--tool", TOOL, code=64)
    assert "--tool" in both.errors and "--cpu" in both.errors
    wrong = installed(tmp_path, "--cpu", "-march; rm", code=64)
    assert "x86-64-v3" in wrong.errors
    assert not files(tmp_path)


def test_a_build_for_newer_processors_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    if not SLOW:
        pytest.skip("a release build takes minutes; LAYERBUDGET_SLOW_TESTS=1 makes it")
    if "avx2" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AVX2")
    command = ["bash", INSTALL, "--prefix", tmp_path, "--cpu", "x86-64-v3"]
    subprocess.run(command, check=True, timeout=3000)
    for curvature in ("kfac", "kronecker", "diagonal"):
        score = f"score --statistics stats.safetensors --curvature {curvature} -o"
        piped("layerbudget", *score.split(), "old.json", folder=folder)
        piped(tmp_path / "bin/layerbudget", *score.split(), "new.json", folder=folder)
        assert (folder / "new.json").read_bytes() == (folder / "old.json").read_bytes()
        plan = "allocate --scores old.json --budget 4 -o"
        piped("layerbudget", *plan.split(), "old-plan.json", folder=folder)
        piped(tmp_path / "bin/layerbudget", *plan.split(), "new-plan.json", folder=folder)
        plans = [folder / name for name in ("old-plan.json", "new-plan.json")]
        assert plans[0].read_bytes() == plans[1].read_bytes()
