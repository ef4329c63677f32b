"""Difference to uniform pruning against sparsity: one panel per model and method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from pruning_data import Run, by_model, chosen, mean_of, values_of

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "layerbudget", "svg.fonttype": "none", "font.size": 10})
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

LINES = {
    "damage, kfac, κ 0.25, log": ("#111111", "*"),
    "OWL": ("#b5482a", "s"),
    "AlphaPruning": ("#c9a227", "D"),
    "gain, kfac, cross-fitted, κ 1, quadratic": ("#7a4f9a", "v"),
    "damage, kfac, κ 1, quadratic": ("#4f9a6b", "^"),
    "measured, kfac": ("#1f5f99", "o"),
}
CLOUD = "#bbbbbb"
EDGE = 0.01  # the scale is linear within, logarithmic beyond


def draw_panel(axes: Axes, runs: Sequence[Run], method: str) -> None:
    rows = [row for run in runs for row in chosen(run.rows, method=method, within="uniform")]
    blocks = chosen(rows, group="block")
    axes.scatter(
        [row["sparsity"] for row in blocks],
        [row["difference"] for row in blocks],
        s=8,
        color=CLOUD,
        label="every allocation tried",
    )
    for name, (color, marker) in LINES.items():
        found = chosen(blocks, label=name)
        sparsities = values_of(found, "sparsity")
        means = [
            mean_of(chosen(found, sparsity=one), lambda row: row["difference"])
            for one in sparsities
        ]
        axes.plot(sparsities, means, marker=marker, color=color, label=name, markersize=5)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_yscale("symlog", linthresh=EDGE)
    axes.set_xticks(values_of(rows, "sparsity"))
    # Room above and below: a line at the frame's edge could not be seen.
    differences = [row["difference"] for row in blocks]
    axes.set_ylim(2 * min(*differences, -EDGE), 2 * max(*differences, EDGE))
    axes.grid(True, axis="y", color="#e5e5e5", linewidth=0.6)
    axes.set_title(f"{runs[0].model}, {method}", fontsize=10)


def draw(runs: Sequence[Run], output: Path) -> None:
    models = by_model(runs)
    methods = values_of([row for run in runs for row in run.rows], "method")
    figure, panels = pyplot.subplots(
        len(models),
        len(methods),
        figsize=(3.6 * len(methods), 3.1 * len(models) + 0.9),
        squeeze=False,
        layout="constrained",
    )
    for line, own in zip(panels, models.values(), strict=True):
        for axes, method in zip(line, methods, strict=True):
            if any(chosen(run.rows, method=method) for run in own):
                draw_panel(axes, own, method)
            else:
                axes.axis("off")  # nothing was measured there
        line[0].set_ylabel("loss − loss of uniform, nats/byte")
    for axes in panels[-1]:
        axes.set_xlabel("sparsity")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    # No date, so that drawing twice gives the same bytes; the rest would only name addresses.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(output, metadata=nothing if output.suffix == ".svg" else None)
