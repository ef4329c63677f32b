"""Difference to uniform ranks against the budget: one panel per model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from lora_data import UNIFORM, chosen_rate, labels_of, place_of, ranks_of
from pruning_data import Run, by_model

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "layerbudget", "svg.fonttype": "none", "font.size": 10})
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

LINES = {
    "gain, kfac, cross-fitted, β 1": ("#1f5f99", "o"),
    "gain, kfac, cross-fitted, β 0.5": ("#1f5f99", "^"),
    "spectrum, kfac": ("#111111", "*"),
    "gradient norm, plain, β 1": ("#7a4f9a", "v"),
    "random": ("#999999", "x"),
    "EVA's ranks": ("#4f9a6b", "s"),
    "AdaLoRA's ranks": ("#c9a227", "D"),
    "EVA, ranks and directions": ("#b5482a", "P"),
}
OUTSIDE = ("AdaLoRA",)  # too far away for a common scale; in the tables
APART = 0.025  # of a budget's logarithm, so that error bars do not hide one another


def draw_panel(axes: Axes, runs: Sequence[Run]) -> None:
    rate = chosen_rate(runs)
    ranks = ranks_of(runs, rate)
    for name in labels_of(runs, rate):
        if name == UNIFORM or name in OUTSIDE:
            continue
        found = [(rank, place) for rank in ranks if (place := place_of(runs, rank, name, rate))]
        points = [(rank, value) for rank, place in found for value in place.differences]
        axes.scatter(*zip(*points, strict=True), s=9, color="#bbbbbb", zorder=1)
        if name not in LINES:
            continue
        color, marker = LINES[name]
        shift = 2 ** (APART * (list(LINES).index(name) - len(LINES) / 2))
        axes.errorbar(
            [rank * shift for rank, _ in found],
            [place.mean for _, place in found],
            yerr=[place.error or 0.0 for _, place in found],
            marker=marker,
            color=color,
            label=name,
            markersize=5,
            linewidth=1.2,
            zorder=2,
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(ranks, [f"{rank:g}" for rank in ranks])
    axes.minorticks_off()
    axes.set_xlim(min(ranks) / 1.3, max(ranks) * 1.3)
    axes.grid(True, axis="y", color="#e5e5e5", linewidth=0.6)
    axes.set_title(f"{runs[0].model}, {len(runs)} seeds", fontsize=10)
    axes.set_xlabel("budget: the uniform rank of as many parameters")


def draw(runs: Sequence[Run], output: Path) -> None:
    models = by_model(runs)
    figure, panels = pyplot.subplots(
        1, len(models), figsize=(4.6 * len(models), 4.8), squeeze=False, layout="constrained"
    )
    for axes, own in zip(panels[0], models.values(), strict=True):
        draw_panel(axes, own)
    panels[0][0].set_ylabel("loss − loss of uniform ranks, nats/byte")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    # No date, so that drawing twice gives the same bytes; the rest would only name addresses.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(output, metadata=nothing if output.suffix == ".svg" else None)
