"""docs/library: the page shows the package that is there; it runs and agrees with the command."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from page_sessions import agrees
from tool_runs import REPOSITORY, TOOL, environment

PAGE = (REPOSITORY / "docs" / "library" / "README.md").read_text("utf-8")
PACKAGE = REPOSITORY / "docs" / "library" / "Example"
STATISTICS = REPOSITORY / "docs" / "example" / "statistics.safetensors"
COMMAND = re.search(r"`(layerbudget allocate [^`]+)`", PAGE)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def output(*command: object, folder: Path) -> str:
    run = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_page_shows_the_package() -> None:
    files = [PACKAGE / "Package.swift", PACKAGE / "Sources" / "Example" / "Example.swift"]
    assert blocks("swift") == [file.read_text("utf-8") for file in files]


def test_the_example_prints_what_is_shown(tmp_path: Path) -> None:
    found = output(TOOL.parent / "LibraryExample", STATISTICS, folder=tmp_path)
    assert agrees(blocks("text")[0].splitlines(), found.splitlines()), found


def test_library_and_command_give_the_same_bits(tmp_path: Path) -> None:
    assert COMMAND is not None
    options = [*COMMAND[1].split(), "--statistics", STATISTICS, "--quiet", "-o", "plan.json"]
    output(*options, folder=tmp_path)
    plan = json.loads((tmp_path / "plan.json").read_text())
    found = output(TOOL.parent / "LibraryExample", STATISTICS, folder=tmp_path).splitlines()
    assert found[:-1] == [f"{unit['name']} {unit['integer']}" for unit in plan["units"]]
    assert float(found[-1].removeprefix("price ")) == plan["price"]


def test_the_package_builds_by_path(tmp_path: Path) -> None:
    scratch = ("--package-path", PACKAGE, "--scratch-path", tmp_path / "build")
    found = output("swift", "run", *scratch, "Example", STATISTICS, folder=tmp_path)
    assert agrees(blocks("text")[0].splitlines(), found.splitlines()), found


def test_the_citation_names_this_version(tmp_path: Path) -> None:
    version = output("layerbudget", "--version", folder=tmp_path).strip()
    citation = (REPOSITORY / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {version}\n" in citation


def test_reference_pages_have_no_warnings(tmp_path: Path) -> None:
    output(REPOSITORY / "launch" / "reference", tmp_path, folder=tmp_path)
    for product in ("Curvature", "Allocation"):
        archive = tmp_path / f"{product}.doccarchive" / "data" / "documentation"
        page = json.loads((archive / f"{product.lower()}.json").read_text())
        # Sections that DocC adds hold what the catalog forgot.
        assert not [part["title"] for part in page["topicSections"] if part.get("generated")]
