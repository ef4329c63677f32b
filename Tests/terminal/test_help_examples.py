"""Every example in the help of a command, run as shown; and what the help says of wrong words."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from terminal_runs import TOOL, piped


@cache
def overview(command: str) -> list[str]:
    """The lines of a command's help above its usage."""
    text = piped(TOOL, *command.split(), "--help", folder=Path("/")).output
    return text.split("\nUSAGE:")[0].removeprefix("OVERVIEW: ").splitlines()


def commands() -> list[str]:
    text = piped(TOOL, "--help", folder=Path("/")).output
    return re.findall(r"^  ([a-z]+) {2,}\S", text.split("SUBCOMMANDS:")[1], re.MULTILINE)


def examples(command: str) -> list[str]:
    lines = "\n".join(line[2:] for line in overview(command) if line.startswith("  "))
    return lines.replace("\\\n", " ").splitlines()


def launchers(line: str, *shared: str) -> tuple[str, ...]:
    """Alone; and, for lines that stand for the others, on two ranks."""
    return ("", "mpirun -q -n 2 ") if line in shared else ("",)


SHOWN = [(command, example) for command in ["", *commands()] for example in examples(command)]


@pytest.mark.parametrize("example", [example for _, example in SHOWN])
def test_an_example_runs(example: str, folder: Path) -> None:
    assert "layerbudget" in example
    piped("bash", "-c", example, folder=folder)
    output = re.search(r" -o (\S+)", example)
    if output and "doctor" not in example:
        assert (folder / output[1]).exists()


@pytest.mark.parametrize("command", commands())
def test_every_command_teaches(command: str) -> None:
    """A purpose of a sentence and a few lines, and two examples of that very command."""
    lines = overview(command)
    prose = [line for line in lines if line and not line.startswith("  ")]
    assert 2 <= len(prose) <= 5, prose
    assert len(examples(command)) >= 2
    assert all(f"layerbudget {command}" in example for example in examples(command))
    # The parser breaks longer lines, and an example would no longer be one to copy.
    assert all(len(line) <= 80 for line in lines)
    starts = ("  layer", "  mpirun", "    ")
    assert all(line.startswith(starts) for line in lines if line.startswith("  "))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("alocate", "allocate"),
        ("help prun", "prune"),
        ("allocate --budgt 3", "--budget"),
        ("prune --scors x --sparsity 0.5 -o y", "--scores"),
        ("score --statistics x --curvture=kfac -o y", "--curvature"),
        ("inspect --jsn", "--json"),
        ("report plan.json --out=x", "--output"),
        ("allocate --scores scores.json --budget 96kbites -o x.json", "bytes"),
        ("allocate --scores scores.json --budget '96 paramters' -o x.json", "parameters"),
    ],
)
def test_a_mistyped_word_is_told_from_the_nearest(line: str, meant: str, folder: Path) -> None:
    for launcher in launchers(line, "alocate", "allocate --budgt 3"):
        ended = piped("bash", "-c", f"{launcher}layerbudget {line}", folder=folder, code=64)
        assert ended.output == ""
        said = re.findall(r"did you mean '?([\w-]+)'?\?", ended.errors)
        assert said == [meant], ended.errors


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("score --statistics stats.safetensors --group-by blok", "block"),
        (
            "score --statistics stats.safetensors --include '^model.layer.3.mlp.up_proj$'",
            "model.layers.3.mlp.up_proj",
        ),
        ("allocate --scores scores.json --budget 96 --fix 'model.leyers.3$=4'", "model.layers.3"),
        ("allocate --scores scores.json --budget 96 --bounds bounds.csv", "model.layers.3"),
        ("place slots.json --nodes nodes.json --bytes-per-slot wrong.csv", "model.layers.3"),
    ],
)
def test_a_mistyped_module_is_told_from_the_nearest(line: str, meant: str, folder: Path) -> None:
    (folder / "bounds.csv").write_text("name,lower,upper\nmodel.leyers.3,1,2\n")
    sizes = (folder / "sizes.csv").read_text().replace("model.layers.3,", "model.leyers.3,")
    (folder / "wrong.csv").write_text(sizes)
    for launcher in launchers(
        line, "allocate --scores scores.json --budget 96 --bounds bounds.csv"
    ):
        ended = piped(
            "bash", "-c", f"{launcher}layerbudget {line} -o x.json", folder=folder, code=65
        )
        assert re.findall(r'did you mean "?([\w.]+)"?\?', ended.errors) == [meant], ended.errors
        assert not (folder / "x.json").exists()
