"""Plain and cross-fitted gain against the number of calibration sequences.

    python docs/studies/gain_noise.py --model docs/example/model --tool layerbudget \\
      --text "training domain=training.txt" --text "new domain=manuals.txt" \\
      --work SCRATCH -o docs/figures/gain_noise.svg

Statistics found in SCRATCH are used again: empty it if model or text are others.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import statistics
from pathlib import Path

import matplotlib
from safetensors import safe_open
from study_tools import (
    WHOLE_MODEL,
    collect,
    gains_of,
    markdown,
    modules_of,
    score,
    spearman,
    write_json,
)

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "layerbudget", "svg.fonttype": "none", "font.size": 10})
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

SIZES = (64, 256, 1024)
SEEDS = (0, 1, 2, 3)
NUMBERS = Path(__file__).with_suffix(".json")
PLAIN, CROSS, PREDICTED = "#b5482a", "#1f5f99", "#777777"


@dataclasses.dataclass(frozen=True)
class Measured:
    """One collection: the sums over all modules, and both gains of every module."""

    sequences: int
    seed: int
    loss: float  # nats per byte
    plain: float
    cross_fitted: float
    standard_error: float
    predicted_noise: float
    module_plain: dict[str, float]
    module_cross_fitted: dict[str, float]

    def sums(self) -> dict[str, float]:
        """What is kept: everything but the modules' own gains."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if not name.startswith("module_")}


def named_text(value: str) -> tuple[str, Path]:
    name, separator, file = value.partition("=")
    if not (name and separator and file):
        raise argparse.ArgumentTypeError(f"{value} is not NAME=FILE")
    return name, Path(file)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--text", type=named_text, action="append", required=True, help="NAME=FILE")
    parser.add_argument("--tool", type=Path, required=True, help="the layerbudget command")
    parser.add_argument("--work", type=Path, required=True, help="folder for statistics")
    parser.add_argument("-o", "--output", type=Path, required=True, help="figure, .svg")
    return parser.parse_args()


def measure(
    options: argparse.Namespace, name: str, text: Path, sequences: int, seed: int
) -> Measured:
    stem = options.work / f"{name.replace(' ', '_')}_{sequences}_{seed}"
    stored = stem.with_suffix(".safetensors")
    if not stored.is_file():
        collect(options.model, text, ("-o", stored), sequences, "gradient,kfac", seed)
    with safe_open(stored, framework="np") as opened:
        metadata = opened.metadata()
    if int(metadata["num_samples"]) != sequences:
        raise SystemExit(f"{text} has only {metadata['num_samples']} sequences")
    grouped = ("--group-by", WHOLE_MODEL)
    cross = score(options.tool, stored, stem.with_suffix(".cross.json"), *grouped)
    plain = score(
        options.tool, stored, stem.with_suffix(".plain.json"), *grouped, "--gain", "plain"
    )
    (unit,), (plain_unit,) = cross["units"], plain["units"]
    return Measured(
        sequences=sequences,
        seed=seed,
        loss=float(metadata["mean_loss"]),
        plain=unit["gain_plain"],
        cross_fitted=unit["gain_cross_fitted"],
        standard_error=unit["standard_error"],
        predicted_noise=plain_unit["predicted_noise"],
        module_plain=gains_of(modules_of(cross), "gain_plain"),
        module_cross_fitted=gains_of(modules_of(cross), "gain_cross_fitted"),
    )


def of_size(found: list[Measured], sequences: int) -> list[Measured]:
    return [one for one in found if one.sequences == sequences]


def first(found: list[Measured], sequences: int) -> Measured:
    return next(one for one in of_size(found, sequences) if one.seed == SEEDS[0])


def mean_over_seeds(found: list[Measured], sequences: int, field: str) -> float:
    return statistics.mean(getattr(one, field) for one in of_size(found, sequences))


def sum_rows(name: str, found: list[Measured]) -> list[list[str]]:
    """Of the first seed; the last three columns are of all seeds."""
    rows = []
    for size in SIZES:
        one, every = first(found, size), of_size(found, size)
        noise = mean_over_seeds(found, size, "plain") - mean_over_seeds(found, size, "cross_fitted")
        ratio = noise / mean_over_seeds(found, size, "predicted_noise")
        values = [one.plain, one.cross_fitted, one.standard_error]
        values += [one.plain - one.cross_fitted, one.predicted_noise]
        values += [statistics.stdev(other.cross_fitted for other in every)]
        values += [mean_over_seeds(found, size, "standard_error")]
        rows.append(
            [name, str(size), f"{one.loss:.3f}", *(f"{value:,.0f}" for value in values)]
            + [f"{ratio:.2f}"]
        )
    return rows


SUM_HEAD = ["text", "sequences", "nats/byte", "plain", "cross-fitted", "± standard error"]
SUM_HEAD += ["plain − cross-fitted", "predicted noise", "spread over 4 seeds"]
SUM_HEAD += ["mean standard error", "(plain − cross-fitted) / predicted"]


def correlations(found: list[Measured], size: int) -> dict[str, float]:
    """Rank correlations over modules: of both gains, and with the largest size."""
    one, most = first(found, size), first(found, SIZES[-1])
    pairs = [
        (small, large)
        for small, large in itertools.product(of_size(found, size), of_size(found, SIZES[-1]))
        if small.seed != large.seed
    ]
    result = {"plain_and_cross_fitted": spearman(one.module_plain, one.module_cross_fitted)}
    for rule in ("module_plain", "module_cross_fitted"):
        values = [spearman(getattr(a, rule), getattr(b, rule)) for a, b in pairs]
        result[f"{rule}_with_most_same_seed"] = spearman(getattr(one, rule), getattr(most, rule))
        result[f"{rule}_with_most_other_seeds"] = statistics.mean(values)
    truer = [spearman(a.module_plain, b.module_cross_fitted) for a, b in pairs]
    result["module_plain_with_most_cross_fitted_other_seeds"] = statistics.mean(truer)
    return result


RANK_HEAD = ["text", "sequences", "plain ~ cross-fitted", "plain ~ 1024, same seed"]
RANK_HEAD += ["plain ~ 1024, other seeds", "cross-fitted ~ 1024, same seed"]
RANK_HEAD += ["cross-fitted ~ 1024, other seeds", "plain ~ cross-fitted 1024, other seeds"]


def rank_rows(name: str, found: list[Measured]) -> list[list[str]]:
    return [
        [name, str(size), *(f"{value:.3f}" for value in correlations(found, size).values())]
        for size in SIZES
    ]


def draw_panel(axes: Axes, name: str, found: list[Measured]) -> None:
    chosen = [first(found, size) for size in SIZES]
    axes.plot(SIZES, [one.plain for one in chosen], "o-", color=PLAIN, label="plain gain")
    axes.errorbar(
        SIZES,
        [one.cross_fitted for one in chosen],
        yerr=[one.standard_error for one in chosen],
        fmt="s-",
        color=CROSS,
        capsize=4,
        label="cross-fitted gain ± standard error",
    )
    predicted = [one.predicted_noise for one in chosen]
    axes.plot(SIZES, predicted, "^--", color=PREDICTED, label="predicted noise of the plain gain")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.minorticks_off()
    axes.set_xlabel("calibration sequences of 256 bytes")
    axes.set_title(f"{name}: {chosen[-1].loss:.2f} nats per byte", fontsize=11)
    axes.grid(True, which="major", color="#dddddd", linewidth=0.7)


def draw(found: dict[str, list[Measured]], output: Path) -> None:
    figure, panels = pyplot.subplots(
        1,
        len(found),
        figsize=(4.6 * len(found), 4.2),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axes, (name, measured) in zip(panels[0], found.items(), strict=True):
        draw_panel(axes, name, measured)
    panels[0][0].set_ylabel("sum of K-FAC gains of all modules")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    # No date, so that drawing twice gives the same bytes; the rest would only name addresses.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    metadata = nothing if output.suffix == ".svg" else None
    figure.savefig(output, metadata=metadata)


def main() -> None:
    options = parse_arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    found = {
        name: [measure(options, name, text, size, seed) for size in SIZES for seed in SEEDS]
        for name, text in options.text
    }
    sums = [row for name, measured in found.items() for row in sum_rows(name, measured)]
    rank = [row for name, measured in found.items() for row in rank_rows(name, measured)]
    print(markdown(SUM_HEAD, sums), markdown(RANK_HEAD, rank), sep="\n\n")
    content = {
        name: {
            "runs": [one.sums() for one in measured],
            "correlations": {str(size): correlations(measured, size) for size in SIZES},
        }
        for name, measured in found.items()
    }
    write_json(NUMBERS, content)
    draw(found, options.output)


if __name__ == "__main__":
    main()
