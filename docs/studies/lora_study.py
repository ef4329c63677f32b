"""The tables and the figure of docs/lora-study.md from the rows of `launch/compare_lora.py`.

    python docs/studies/lora_study.py docs/studies/lora/*.json \\
      --document docs/lora-study.md --figure docs/figures/lora_study.svg

Replaces what stands between the two pairs of marks; the text around it is left alone.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lora_data import (
    LORA_ONLY,
    UNIFORM,
    Place,
    chosen_rate,
    labels_of,
    place_of,
    ranks_of,
    read_run,
)
from lora_figure import draw
from pruning_data import Row, Run, by_model, chosen, difference, only, verdict
from study_tools import markdown, replace_between

BEGIN, END = "<!-- tables by docs/studies/lora_study.py -->", "<!-- end of tables -->"
SHORT_BEGIN, SHORT_END = "<!-- summary by docs/studies/lora_study.py -->", "<!-- end of summary -->"
UNADAPTED = "unadapted"
MINUS = str.maketrans("-", "−")
KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def signed(value: float, digits: int = 3) -> str:
    return f"{value:+.{digits}f}".translate(MINUS)


def mean_cell(place: Place | None) -> str:
    """Mean over seeds ± its standard error over them; of one seed, without."""
    if place is None:
        return "–"
    error = f" ± {place.error:.3f}" if place.error is not None else ""
    count = f" ({len(place.rows)})"
    return f"{signed(place.mean)}{error}{count}"


def summary(runs: Sequence[Run]) -> str:
    """One line per allocation, one column per model and budget, verdicts over all of them."""
    models = by_model(runs)
    columns = [(m, rank) for m in models for rank in ranks_of(models[m], chosen_rate(models[m]))]
    head = ["allocation", *(f"{m}, {rank:g}" for m, rank in columns)]
    head += ["better", "even", "worse"]
    names = dict.fromkeys(n for own in models.values() for n in labels_of(own, chosen_rate(own)))
    lines = []
    for name in names:
        if name == UNIFORM:
            continue
        places = [place_of(models[m], rank, name, chosen_rate(models[m])) for m, rank in columns]
        verdicts = [verdict(row) for place in places if place for row in place.rows]
        counts = [str(verdicts.count(one)) for one in ("better", "even", "worse")]
        lines.append([name, *map(mean_cell, places), *counts])
    return markdown(head, lines)


def texts_table(runs: Sequence[Run]) -> str:
    head = ["model", "parameters", "modules", "steps", "learning rate", "unadapted", "uniform"]
    lines = []
    for model, own in by_model(runs).items():
        facts, rate = own[0].facts, chosen_rate(own)
        uniform = [
            f"{statistics.mean(row['loss'] for row in place.rows):.3f} (rank {rank:g})"
            for rank in ranks_of(own, rate)
            if (place := place_of(own, rank, UNIFORM, rate))
        ]
        loss = statistics.mean(own[0].windows[UNADAPTED])
        cells = [f"{facts['parameters']:,}", str(len(facts["modules"])), str(facts["steps"])]
        lines.append([model, *cells, f"{rate:g}", f"{loss:.3f}", ", ".join(uniform)])
    return markdown(head, lines)


def rates_table(runs: Sequence[Run]) -> str:
    """Every row at a place where more than one learning rate was tried."""
    head = ["model", "seed", "budget", "allocation", "learning rate", "calibration text"]
    head += ["held out"]
    lines = []
    for model, own in by_model(runs).items():
        for run in own:
            for row in run.rows:
                same = {"rank": row["rank"], "label": row["label"]}
                if len(chosen(run.rows, **same)) > 1:
                    place = [model, str(run.seed), f"{row['rank']:g}", row["label"]]
                    losses = [f"{row[name]:.4f}" for name in ("calibration_loss", "loss")]
                    lines.append([*place, f"{row['learning_rate']:g}", *losses])
    lines.sort(key=lambda line: (line[0], line[1], float(line[2]), line[3], float(line[4])))
    return markdown(head, lines)


def span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} … {high:,}"


def detail_table(runs: Sequence[Run], rank: float) -> str:
    rate = chosen_rate(runs)
    head = ["allocation", "parameters", "rank 0", "largest rank", "loss"]
    head += [f"seed {run.seed}" for run in runs] + ["mean over seeds"]
    lines = []
    for name in labels_of(runs, rate):
        place = place_of(runs, rank, name, rate)
        if place is None:
            continue
        own = [only(run.rows, rank=rank, label=name, learning_rate=rate) for run in runs]
        counts = [
            span([row[column] for row in place.rows])
            for column in ("parameters", "unadapted", "largest_rank")
        ]
        loss = statistics.mean(row["loss"] for row in place.rows)
        is_uniform = name == UNIFORM
        cells = ["0" if is_uniform else difference(row) for row in own]
        mean = "0" if is_uniform else mean_cell(place)
        lines.append([name, *counts, f"{loss:.3f}", *cells, mean])
    return markdown(head, lines)


def budget_of(runs: Sequence[Run], rank: float) -> int:
    return chosen(runs[0].rows, rank=rank)[0]["budget"]


def kind_table(runs: Sequence[Run], rank: float) -> str:
    """Mean rank of every kind of matrix, and the mean of each third of the blocks."""
    rate = chosen_rate(runs)
    head = ["allocation", *KINDS, "first third", "middle", "last third"]
    lines = []
    for name in labels_of(runs, rate):
        place = place_of(runs, rank, name, rate)
        if place is None or name not in LORA_ONLY:
            continue
        cells = [mean_rank(runs, place.rows, lambda module, k=kind: k in module) for kind in KINDS]
        cells += [mean_rank(runs, place.rows, in_third(runs, third)) for third in range(3)]
        lines.append([name, *(f"{cell:.1f}" for cell in cells)])
    return markdown(head, lines)


def in_third(runs: Sequence[Run], third: int) -> Callable[[str], bool]:
    count = 1 + max(map(block_of, runs[0].facts["modules"]))
    return lambda module: block_of(module) * 3 // count == third


def block_of(module: str) -> int:
    return int(re.search(r"\.(\d+)\.", module)[1])


def mean_rank(runs: Sequence[Run], rows: Sequence[Row], belongs: Callable[[str], bool]) -> float:
    modules = runs[0].facts["modules"]
    return statistics.mean(
        rank
        for row in rows
        for module, rank in zip(modules, row["ranks"], strict=True)
        if belongs(module)
    )


def sections(runs: Sequence[Run]) -> Iterator[str]:
    yield "### Models\n\n" + texts_table(runs)
    for model, own in by_model(runs).items():
        for rank in ranks_of(own, chosen_rate(own)):
            title = (
                f"### {model}, budget {budget_of(own, rank):,} parameters (uniform rank {rank:g})"
            )
            yield title + "\n\n" + detail_table(own, rank)
    for model, own in by_model(runs).items():
        for rank in ranks_of(own, chosen_rate(own)):
            yield f"### {model}: mean ranks at uniform rank {rank:g}\n\n" + kind_table(own, rank)
    yield "### Learning rates\n\n" + rates_table(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, nargs="+", help="of compare_lora.py, one per seed")
    parser.add_argument("--document", type=Path, help="Markdown with the marks; else printed")
    parser.add_argument("--figure", type=Path, help="figure, .svg")
    options = parser.parse_args()
    runs = [read_run(file) for file in options.rows]
    short, tables = summary(runs), "\n\n".join(sections(runs))
    if options.document:
        replace_between(options.document, SHORT_BEGIN, SHORT_END, short)
        replace_between(options.document, BEGIN, END, tables)
    else:
        print(short, tables, sep="\n\n")
    if options.figure:
        draw(runs, options.figure)


if __name__ == "__main__":
    main()
