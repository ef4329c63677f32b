"""What the studies share: running collector and tool, reading scores, ranks, Markdown tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

COLLECTOR = Path(__file__).resolve().parents[2] / "launch" / "collect_statistics.py"
LENGTH, FOLDS, BATCH = 256, 4, 16
THREADS = 1  # the last digits depend on it
WHOLE_MODEL = "(model)"  # --group-by of one unit that holds every module

Scores = dict[str, Any]


def run(command: Sequence[object]) -> None:
    """Runs a command; what it printed is shown only if it fails."""
    words = [str(word) for word in command]
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(words)}\nfailed with {done.returncode}\n{done.stdout}{done.stderr}"
        )


def collect(
    model: Path,
    text: Path,
    output: Sequence[object],
    sequences: int,
    kinds: str | None,
    seed: int = 0,
) -> None:
    """The collector with the settings of every study; `output` is its -o or --from-kronfluence."""
    sizes = ("--sequences", sequences, "--length", LENGTH, "--folds", FOLDS, "--seed", seed)
    common = ("--batch-size", BATCH, "--threads", THREADS)
    what = () if kinds is None else ("--collect", kinds)
    inputs = ("--model", model, "--text", text)
    run([sys.executable, COLLECTOR, *inputs, *output, *sizes, *common, *what])


def score(tool: Path, statistics: Path, output: Path, *options: str) -> Scores:
    """The scores of `layerbudget score`, written to `output` and read back."""
    run([tool, "score", "--statistics", statistics, "-o", output, "--quiet", *options])
    return json.loads(output.read_text())


def gains_of(units: Sequence[Scores], field: str) -> dict[str, float]:
    """{name: value} of units or of modules."""
    return {unit["name"]: unit[field] for unit in units}


def modules_of(scores: Scores) -> list[Scores]:
    return [module for unit in scores["units"] for module in unit["modules_detail"]]


def ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 0, ties at their mean."""
    found = np.asarray(values, np.float64)
    below = (found[None, :] < found[:, None]).sum(1)
    equal = (found[None, :] == found[:, None]).sum(1)
    return below + (equal - 1) / 2


def spearman(first: dict[str, float], second: dict[str, float]) -> float:
    """Rank correlation over the names of both, which must be the same."""
    if set(first) != set(second):
        raise ValueError("the names to be compared differ")
    names = sorted(first)
    pair = [ranks([values[name] for name in names]) for values in (first, second)]
    return float(np.corrcoef(*pair)[0, 1])


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table: the first column to the left, numbers to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def replace_between(document: Path, begin: str, end: str, tables: str) -> None:
    """What stands between two marks of a document is replaced, the text around it left alone."""
    text = document.read_text()
    if begin not in text or end not in text:
        raise SystemExit(f"{document} lacks the marks\n{begin}\n{end}")
    before, after = text.split(begin)[0], text.split(end)[1]
    document.write_text(f"{before}{begin}\n\n{tables}\n\n{end}{after}")


def write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
