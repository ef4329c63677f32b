"""Plans for one text judged on another: the tables of docs/transfer-study.md.

    python docs/studies/transfer_study.py --layerbudget layerbudget FOLDER --document FILE

FOLDER holds statistics NAME_SEED.safetensors of texts `own`, `manuals` and `german`, seeds 0 and 1,
made by launch/collect_statistics.py with 4 folds. Scores and transfers are made beside them.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
from pathlib import Path

TEXTS = ("own", "manuals", "german")
SEEDS = (0, 1)
MODEL = "docs/example/model"
# Name of a program, the options of transfer, and those of the scores it is judged by.
PROGRAMS = {
    "96 slots": ("--budget", "96"),
    "half of the weights": ("--sparsity", "0.5", "--quality", "damage", "--max", "0.95"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layerbudget", required=True, help="the tool")
    parser.add_argument("--document", type=Path, help="document with markers to be filled in")
    options = parser.parse_args()
    tool = [options.layerbudget]
    for text in TEXTS:
        for seed in SEEDS:
            score(tool, options.folder / f"{text}_{seed}.safetensors")
    tables = [table(name, program, tool, options.folder) for name, program in PROGRAMS.items()]
    text = "\n\n".join(tables)
    print(text)
    if options.document:
        replace(options.document, text)


def score(tool: list[str], statistics: Path) -> None:
    scores = statistics.with_suffix(".json")
    run(
        [*tool, "score", "--statistics", str(statistics), "--checkpoint", MODEL, "--quiet"]
        + ["-o", str(scores)]
    )


def run(command: list[str]) -> None:
    subprocess.run(command, check=True)


def table(name: str, program: tuple[str, ...], tool: list[str], folder: Path) -> str:
    lines = [
        f"**{name}**",
        "",
        "| plan from | judged on | δ | regret | noise | gap | certificate | L²δ²/2μ | uniform |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for source in TEXTS:
        for target in TEXTS:
            lines.append(row(source, target, program, tool, folder))
    return "\n".join(lines)


def row(source: str, target: str, program: tuple[str, ...], tool: list[str], folder: Path) -> str:
    """Seed 0's plan on seed 1's scores: what is drawn twice differs between the texts too."""
    output = folder / f"{source}-{target}.transfer.json"
    run(
        [*tool, "transfer", "--source", str(folder / f"{source}_0.json"), "--target"]
        + [str(folder / f"{target}_1.json"), *program, "--quiet", "-o", str(output)]
    )
    found = json.loads(output.read_text())
    keys = ("delta", "regret", "noise_regret", "gap", "certificate", "bound")
    uniform = uniform_objective(found) - found["target_objective"]
    numbers = [*(found.get(key) for key in keys), uniform]
    cells = " | ".join("–" if number is None else f"{number:.4g}" for number in numbers)
    return f"| {source} | {target} | {cells} |"


def uniform_objective(found: dict) -> float:
    """F_T of equal shares of the budget, from the formulas."""
    options, units = found["parameters"], found["units"]
    qualities = [unit["target_quality"] for unit in units]
    if found["program"] == "capacity":
        share = options["budget"] / len(units)
        return sum(
            options["alpha"] * share
            - options["gamma"] * q ** options["beta"] * math.log(options["offset"] + share)
            for q in qualities
        )
    # All blocks of the example have 24,192 weights; w = n, ψ = −log(1−ρ).
    weights, share = 24192, options["sparsity"]
    return sum(
        -options["b"] * weights * share
        - options["eta"] * q ** options["kappa"] * weights * math.log(1 - share)
        for q in qualities
    )


def replace(document: Path, text: str) -> None:
    start, end = "<!-- tables by docs/studies/transfer_study.py -->", "<!-- end of tables -->"
    before, _, rest = document.read_text().partition(start)
    _, _, after = rest.partition(end)
    document.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}")


if __name__ == "__main__":
    main()
