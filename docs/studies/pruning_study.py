"""The tables and the figure of docs/pruning-study.md from the rows of `launch/compare_pruning.py`.

    python docs/studies/pruning_study.py docs/studies/pruning/*.json \\
      --document docs/pruning-study.md --figure docs/figures/pruning_study.svg

Replaces what stands between the two marks of the document; the text around it is left alone.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from pruning_data import (
    MEASURED,
    METHODS,
    UNIFORM,
    Row,
    Run,
    by_model,
    chosen,
    difference,
    mean_of,
    only,
    paired,
    read_run,
    values_of,
    verdict,
)
from pruning_figure import draw
from pruning_verdicts import verdict_table
from study_tools import markdown, replace_between

BEGIN, END = "<!-- tables by docs/studies/pruning_study.py -->", "<!-- end of tables -->"
VERDICTS_BEGIN = "<!-- verdicts by docs/studies/pruning_study.py -->"
VERDICTS_END = "<!-- end of verdicts -->"
CONTENDERS = (
    UNIFORM,
    "OWL",
    "AlphaPruning",
    "gradient norm, plain, κ 1, quadratic",
    "gain, kfac, cross-fitted, κ 1, quadratic",
    "damage, kfac, κ 1, quadratic",
    "damage, kfac, κ 0.25, quadratic",
    "damage, kfac, κ 0.25, log",
    "gain, kfac, cross-fitted, κ 0.25, quadratic",
    "gain, kfac, cross-fitted, κ 0.25, log",
    "mean curvature, κ 0.25, quadratic",
    "mean curvature, κ 0.25, log",
    "block loss, κ 0.25, quadratic",
    "block loss, κ 0.25, log",
    "block loss, κ 0.5, quadratic",
    "block loss, κ 0.5, log",
    MEASURED,
    "measured, diagonal",
    "measured, ekfac",
    "measured, kfac, S ± 0.1",
    "measured, kfac, S ± 0.2",
    "uniform, modules",
    "measured, kfac, modules",
    "measured, diagonal, modules",
    "measured, ekfac, modules",
    "measured, kfac, S ± 0.1, modules",
    "measured, kfac, S ± 0.2, modules",
)
HIGHLIGHTS = (
    "damage, kfac, κ 0.25, log",
    "mean curvature, κ 0.25, log",
    "block loss, κ 0.25, log",
    "OWL",
    "AlphaPruning",
    "measured, kfac",
    "measured, kfac, S ± 0.1",
    "damage, kfac, κ 1, quadratic",
    "gain, kfac, cross-fitted, κ 1, quadratic",
    "gain, kfac, cross-fitted, κ 0.25, log",
    "gradient norm, plain, κ 1, quadratic",
)
SHOWN_METHODS = ("wanda", "sparsegpt")
SHARED_OTHERWISE = (
    UNIFORM,
    "OWL",
    "gain, kfac, cross-fitted, κ 1, quadratic",
    "damage, kfac, κ 0.25, log",
    MEASURED,
    "measured, kfac, S ± 0.1",
)  # shown both ways within a block
FACTORS = ("rule", "curvature", "gain", "kappa", "psi")
TOP, BOTTOM = 12, 6
RANKINGS = {"wanda": ("wanda",), "all methods": METHODS}


def percent(sparsity: float) -> str:
    return f"{100 * sparsity:g} %"


def short_table(runs: Sequence[Run]) -> str:
    """Mean difference over the seeds, where every seed has it."""
    places = [
        (model, method, sparsity)
        for model, own in by_model(runs).items()
        for method in SHOWN_METHODS
        for sparsity in values_of(
            [r for run in own for r in chosen(run.rows, method=method)], "sparsity"
        )
    ]
    head = ["mean difference", *(f"{m}, {method}, {percent(s)}" for m, method, s in places)]
    lines = []
    for name in HIGHLIGHTS:
        cells = []
        for model, method, sparsity in places:
            own = by_model(runs)[model]
            place = {"method": method, "sparsity": sparsity, "within": "uniform"}
            rows = [row for run in own for row in chosen(run.rows, label=name, **place)]
            seeds = sum(bool(chosen(run.rows, label=UNIFORM, **place)) for run in own)
            mean = mean_of(rows, lambda row: row["difference"]) if rows else 0.0
            cells.append(f"{mean:+.3f}".replace("-", "−") if 0 < seeds == len(rows) else "–")
        lines.append([name, *cells])
    return markdown(head, lines)


def loss_cell(rows: Sequence[Row], seeds: int) -> str:
    """Mean over seeds: loss, perplexity. A mean over fewer windows than uniform's says nothing."""
    if len(rows) < seeds:
        return "–"
    loss = mean_of(rows, lambda row: row["loss"])
    return f"{loss:.3f} ({math.exp(loss):.2f})"


def dense_table(runs: Sequence[Run]) -> str:
    head = ["model", "parameters", "seed", "windows", "loss", "perplexity"]
    rows = []
    for own in by_model(runs).values():
        for run in own:
            loss = statistics.mean(run.dense)
            error = statistics.stdev(run.dense) / math.sqrt(len(run.dense))
            cells = [f"{run.facts['parameters']:,}", str(run.seed), str(len(run.dense))]
            rows.append([run.model, *cells, f"{loss:.4f} ± {error:.4f}", f"{math.exp(loss):.3f}"])
    return markdown(head, rows)


def present(rows: Sequence[Row], labels: Sequence[str]) -> list[str]:
    found = {row["label"] for row in rows}
    return [one for one in labels if one in found]


def loss_table(runs: Sequence[Run], method: str) -> str:
    rows = [row for run in runs for row in chosen(run.rows, method=method, within="uniform")]
    sparsities = values_of(rows, "sparsity")
    seeds = {one: len(chosen(rows, label=UNIFORM, sparsity=one)) for one in sparsities}
    lines = []
    for name in present(rows, CONTENDERS):
        own = {one: chosen(rows, label=name, sparsity=one) for one in sparsities}
        lines.append([name, *(loss_cell(own[one], seeds[one]) for one in sparsities)])
    return markdown(["loss (perplexity)", *map(percent, sparsities)], lines)


def difference_table(runs: Sequence[Run], method: str) -> str:
    """One column per sparsity, in it one difference per seed."""
    every = [row for run in runs for row in chosen(run.rows, method=method, within="uniform")]
    sparsities = values_of(every, "sparsity")
    seeds = [run for run in runs if chosen(run.rows, method=method)]
    lines = []
    for name in present(every, CONTENDERS[1:]):
        for run in seeds:
            rows = chosen(run.rows, method=method, within="uniform", label=name)
            if rows:
                cells = [difference(only(rows, sparsity=one)) for one in sparsities]
                lines.append([name, str(run.seed), *cells])
    return markdown(["loss − loss of uniform", "seed", *map(percent, sparsities)], lines)


def extremes_table(runs: Sequence[Run]) -> str:
    """Best and worst of all, and how many are better or worse than uniform beyond the noise."""
    head = ["method", "sparsity", "seed", "tried", "better", "even", "worse"]
    head += ["best", "its difference", "worst", "its difference"]
    lines = []
    for method in values_of([row for run in runs for row in run.rows], "method"):
        for run in runs:
            for sparsity in values_of(chosen(run.rows, method=method), "sparsity"):
                rows = [
                    row
                    for row in chosen(run.rows, method=method, sparsity=sparsity, within="uniform")
                    if row["label"] not in (UNIFORM, "uniform, modules")
                ]
                verdicts = [verdict(row) for row in rows]
                counts = [str(verdicts.count(one)) for one in ("better", "even", "worse")]
                ordered = sorted(rows, key=lambda row: row["difference"])
                ends = [
                    cell
                    for row in (ordered[0], ordered[-1])
                    for cell in (row["label"], difference(row))
                ]
                place = [method, percent(sparsity), str(run.seed), str(len(rows))]
                lines.append([*place, *counts, *ends])
    return markdown(head, lines)


def factor_table(runs: Sequence[Run], method: str) -> str:
    """Closed forms over blocks, averaged over everything but one factor."""
    closed = ("gain", "damage", "mean-curvature", "gradient-norm", "block-loss")
    rows = [
        row
        for run in runs
        for row in chosen(run.rows, method=method, within="uniform", group="block", rule=closed)
    ]
    sparsities = values_of(rows, "sparsity")
    lines = []
    for factor in FACTORS:
        for value in dict.fromkeys(row[factor] for row in rows):
            if value is None:
                continue
            own = chosen(rows, **{factor: value})
            cells = [factor_cell(chosen(own, sparsity=one)) for one in sparsities]
            lines.append([f"{factor} {value}", *cells])
    return markdown(["closed forms with", *map(percent, sparsities)], lines)


def factor_cell(rows: Sequence[Row]) -> str:
    if not rows:
        return "–"
    won = sum(verdict(row) == "better" for row in rows)
    text = f"{mean_of(rows, lambda row: row['difference']):+.3f}".replace("-", "−")
    return f"{text} ({won} of {len(rows)})"


def ranking(runs: Sequence[Run], methods: tuple[str, ...]) -> list[tuple[str, list[Row]]]:
    """Allocations measured wherever uniform was, the best mean difference first."""
    rows = [row for run in runs for row in chosen(run.rows, within="uniform", method=methods)]
    places = len(chosen(rows, label=UNIFORM))
    by_label = {name: chosen(rows, label=name) for name in dict.fromkeys(r["label"] for r in rows)}
    everywhere = [(name, own) for name, own in by_label.items() if len(own) == places]
    return sorted(everywhere, key=lambda one: mean_of(one[1], lambda row: row["difference"]))


def ranking_table(runs: Sequence[Run], methods: tuple[str, ...]) -> str:
    ranked = ranking(runs, methods)
    head = ["rank", "allocation", "mean", "worst", "best", "better", "even", "worse"]
    lines = []
    for number, (name, rows) in enumerate(ranked):
        if TOP <= number < len(ranked) - BOTTOM and name not in CONTENDERS:
            continue
        differences = [row["difference"] for row in rows]
        numbers = (statistics.mean(differences), max(differences), min(differences))
        verdicts = [verdict(row) for row in rows]
        counts = [str(verdicts.count(one)) for one in ("better", "even", "worse")]
        cells = [f"{value:+.4f}".replace("-", "−") for value in numbers]
        lines.append([str(number + 1), name, *cells, *counts])
    return markdown(head, lines)


def within_table(runs: Sequence[Run]) -> str:
    """`--within global` against `--within uniform`, both as differences to uniform blocks."""
    head = ["method", "allocation", "sparsity", "seed", "within uniform", "within global"]
    lines = []
    for run in runs:
        for row in chosen(run.rows, within="global"):
            same = {name: row[name] for name in ("method", "sparsity", "label")}
            inside = only(run.rows, within="uniform", **same)
            if row["label"] in SHARED_OTHERWISE and inside:
                place = [row["method"], row["label"], percent(row["sparsity"]), str(run.seed)]
                lines.append([*place, difference(inside), difference(row)])
    lines.sort(key=lambda line: (line[0], line[1]))
    return markdown(head, lines) if lines else ""


def against_owl(runs: Sequence[Run]) -> str:
    """Measured curves minus OWL, paired over the windows."""
    head = ["method", "sparsity", "seed", "measured − OWL"]
    lines = []
    for run in runs:
        for key, first in run.windows.items():
            if not key.endswith(" measured_block_kfac"):
                continue
            method, sparsity, _ = key.split(" ")
            second = run.windows.get(f"{method} {sparsity} owl_block")
            if second:
                mean, error = paired(first, second)
                row = {"difference": mean, "standard_error": error}
                place = [method, percent(float(sparsity)), str(run.seed)]
                lines.append([*place, difference(row)])
    return markdown(head, lines) if lines else ""


def sections(runs: Sequence[Run]) -> Iterator[str]:
    yield "### In short\n\n" + short_table(runs)
    yield "### Unpruned\n\n" + dense_table(runs)
    for model, own in by_model(runs).items():
        for method in values_of([row for run in own for row in run.rows], "method"):
            yield f"### {model}, {method}\n\n" + loss_table(own, method)
            yield difference_table(own, method)
        yield f"### {model}: measured curves against OWL\n\n" + against_owl(own)
        yield f"### {model}: best and worst of everything tried\n\n" + extremes_table(own)
        for method in values_of([row for run in own for row in run.rows], "method"):
            yield f"### {model}: closed forms, {method}\n\n" + factor_table(own, method)
        if found := within_table(own):
            yield f"### {model}: within a unit\n\n" + found
        for title, methods in RANKINGS.items():
            yield f"### {model}: ranking, {title}\n\n" + ranking_table(own, methods)
    for title, methods in RANKINGS.items():
        yield f"### All models: ranking, {title}\n\n" + ranking_table(runs, methods)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, nargs="+", help="of compare_pruning.py, one per seed")
    parser.add_argument("--document", type=Path, help="Markdown with the marks; else printed")
    parser.add_argument("--figure", type=Path, help="figure, .svg")
    options = parser.parse_args()
    runs = [read_run(file) for file in options.rows]
    verdicts, tables = verdict_table(runs), "\n\n".join(sections(runs))
    if options.document:
        replace_between(options.document, VERDICTS_BEGIN, VERDICTS_END, verdicts)
        replace_between(options.document, BEGIN, END, tables)
    else:
        print(verdicts, tables, sep="\n\n")
    if options.figure:
        draw(runs, options.figure)


if __name__ == "__main__":
    main()
