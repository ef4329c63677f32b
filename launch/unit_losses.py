"""How much loss the pruning of one block alone costs: scores for `layerbudget prune --scores`.

    python launch/unit_losses.py MODEL_DIR --statistics statistics.safetensors \\
      --text calibration.txt --layerbudget layerbudget -o losses.csv

Every block in turn loses --share of its weights, the same share of each matrix, by `layerbudget
apply --method`, and the increase of the loss on the text is measured: one pass over the windows
per block. A decrease counts as 0. The file has the columns name, gain, parameters.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

from layerbudget_statistics.option_values import check_model_and_text, share
from layerbudget_statistics.plain_errors import CommandError, Parser
from pruning_comparison.grid import Allocation
from pruning_comparison.held_out_loss import add_text_options, prepare
from pruning_comparison.plans import Inputs, Plan, Planner, write_plan
from pruning_comparison.pruner import Manner, Pruner
from pruning_comparison.tool import Tool

METHODS = ("magnitude", "wanda", "sparsegpt")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument(
        "--statistics", type=Path, required=True, metavar="PATH", help="statistics of the model"
    )
    parser.add_argument(
        "--layerbudget", metavar="PATH", help="the tool (default: the variable LAYERBUDGET)"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument("--method", choices=METHODS, default="wanda", help="(default: %(default)s)")
    parser.add_argument(
        "--share", type=share, default=0.6, help="of each block to remove (default: %(default)s)"
    )
    add_text_options(parser, windows=64)
    options = parser.parse_args(arguments)
    check_model_and_text(options.model, options.text)
    return options


def alone(uniform: Plan, unit: int, file: Path) -> Plan:
    """The uniform plan for one unit, and nothing for the others."""
    counts = [count if number == unit else 0 for number, count in enumerate(uniform.counts)]
    write_plan(uniform.file, counts, file)
    return dataclasses.replace(uniform, file=file, counts=tuple(counts))


def run(options: argparse.Namespace) -> None:
    tool = Tool(options.layerbudget)
    held_out = prepare(options)
    with tempfile.TemporaryDirectory(prefix="layerbudget-losses-") as folder:
        work = Path(folder)
        planner = Planner(tool, held_out.model, Inputs(options.model, options.statistics, work))
        pruner = Pruner(planner, held_out.model)
        dense = float(held_out.losses().mean())
        uniform = planner.plan(Allocation("uniform"), options.share)
        lines = ["name,gain,parameters"]
        for number, unit in enumerate(planner.units("block")):
            plan = alone(uniform, number, work / "alone.json")
            pruner.prune(plan, Manner(options.method))
            rise = float(held_out.losses().mean()) - dense
            print(f"{unit.name}: {rise:+.4f} nats per token", flush=True)
            lines.append(f'"{unit.name}",{max(0.0, rise)!r},{unit.weights}')
    options.output.write_text("\n".join(lines) + "\n")


def main(arguments: list[str] | None = None) -> int:
    try:
        run(parse_arguments(arguments))
    except CommandError as error:
        print(f"unit_losses: error: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
