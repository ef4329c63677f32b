"""Rank correlations between the kinds of curvature, over modules and over blocks.

    python docs/studies/kind_rankings.py --model docs/example/model --tool layerbudget \\
      --statistics docs/example/statistics.safetensors --text training.txt --work SCRATCH

Statistics found in SCRATCH are used again: empty it if model or text are others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kind_data import SOURCES, make_data, parse_arguments, score_kind
from study_tools import Scores, gains_of, markdown, modules_of, spearman, write_json

RULES = {"plain": "gain", "cross-fitted": "gain_cross_fitted"}
MORE_SEQUENCES = 128  # without fisher, whose cost is quadratic in the tokens
TOP = 5

Gains = dict[str, dict[str, float]]  # by kind, then by module or block


def gains_by_kind(
    options: argparse.Namespace, sources: dict[str, Path], rule: str
) -> tuple[Gains, Gains]:
    """Of modules and of blocks."""
    modules: Gains = {}
    blocks: Gains = {}
    for kind, statistics in sources.items():
        scores: Scores = score_kind(options, statistics, kind, rule)
        modules[kind] = gains_of(modules_of(scores), RULES[rule])
        blocks[kind] = gains_of(scores["units"], RULES[rule])
    return modules, blocks


def matrix(gains: Gains) -> dict[str, dict[str, float]]:
    return {
        first: {second: spearman(gains[first], gains[second]) for second in gains}
        for first in gains
    }


def top(gains: Gains) -> dict[str, list[str]]:
    """The names of the largest, the largest first."""
    return {kind: sorted(found, key=found.__getitem__)[::-1][:TOP] for kind, found in gains.items()}


def matrix_table(values: dict[str, dict[str, float]]) -> str:
    rows = [[kind, *(f"{value:.3f}" for value in row.values())] for kind, row in values.items()]
    return markdown(["", *values], rows)


def top_table(found: dict[str, list[str]]) -> str:
    rows = [
        [kind, ", ".join(name.removeprefix("model.layers.") for name in names)]
        for kind, names in found.items()
    ]
    return markdown(["kind", f"top {TOP} blocks"], rows)


def compare(options: argparse.Namespace, title: str, sources: dict[str, Path]) -> dict[str, object]:
    """Prints and returns the matrices of one set of statistics."""
    result: dict[str, object] = {}
    for rule in RULES:
        modules, blocks = gains_by_kind(options, sources, rule)
        found = {"modules": matrix(modules), "blocks": matrix(blocks), "top": top(blocks)}
        print(f"\n### {title}, {rule}\n")
        print(f"{len(next(iter(modules.values())))} modules:\n\n{matrix_table(found['modules'])}\n")
        print(f"{len(next(iter(blocks.values())))} blocks:\n\n{matrix_table(found['blocks'])}\n")
        print(top_table(found["top"]))
        result[rule] = {**found, "block_gains": blocks}
    return result


def same_sequences(
    options: argparse.Namespace, sequences: int, kinds: list[str]
) -> dict[str, Path]:
    data = make_data(options, sequences, captures="fisher" in kinds)
    return {kind: getattr(data, SOURCES[kind]) for kind in kinds}


def main() -> None:
    options = parse_arguments(__doc__.splitlines()[0], Path(__file__).with_suffix(".json"))
    stored = [kind for kind, source in SOURCES.items() if source == "factors"]
    without_fisher = [kind for kind in SOURCES if kind != "fisher"]
    sets = {
        "committed statistics": dict.fromkeys(stored, options.statistics),
        f"{MORE_SEQUENCES} sequences": same_sequences(options, MORE_SEQUENCES, without_fisher),
        f"{options.sequences} sequences": same_sequences(options, options.sequences, [*SOURCES]),
    }
    write_json(
        options.output,
        {title: compare(options, title, sources) for title, sources in sets.items()},
    )


if __name__ == "__main__":
    main()
