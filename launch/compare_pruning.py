"""Compare ways to share pruning among layers by the loss on held-out text.

    python launch/compare_pruning.py MODEL_DIR --statistics statistics.safetensors \\
      --text held-out.txt --layerbudget layerbudget -o rows.json

For every sparsity, pruning method and layer allocation: `layerbudget prune` makes the plan,
`layerbudget apply` prunes the model by it, and the loss of the pruned model is measured on the same
windows of the text. Every row holds the loss, the difference to uniform pruning by the same method
and its standard error over the windows, paired. Plans that remove the same weights are measured
once. The statistics must not be of the text that is evaluated.

Methods: magnitude, wanda and sparsegpt are the tool's. damage-kfac and damage-diagonal remove the
weights of least second-order damage, the cost that measured plans are made of; they are done here.

Allocations: uniform; OWL (M = 5, lambda = 0.08) and AlphaPruning (Hill exponents, epsilon = 0.3),
written anew from what their authors publish; the gradient norm; the mean curvature; this tool's
closed forms of gain or damage, and its measured curves. --grid says how many of them. Our plans
remove at most 95 % of a unit.

A run that is repeated goes on where it stopped, also after --limit-minutes (exit code 75). For
another seed, give other statistics and another output too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from layerbudget_statistics.option_values import check_model_and_text, share
from layerbudget_statistics.plain_errors import EXIT_INTERRUPTED, CommandError, Parser
from pruning_comparison.comparison import run
from pruning_comparison.damage_masks import CURVATURE_OF
from pruning_comparison.grid import GRIDS
from pruning_comparison.held_out_loss import add_text_options

METHODS = ("magnitude", "wanda", "sparsegpt", *CURVATURE_OF)
WITHIN = ("uniform", "global")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument(
        "--statistics", type=Path, required=True, metavar="PATH", help="statistics of the model"
    )
    parser.add_argument(
        "--ekfac-statistics",
        type=Path,
        metavar="FOLDER",
        help="kronfluence factors with mean gradients; adds the curvature ekfac to every grid",
    )
    parser.add_argument(
        "--scores",
        type=named_file,
        action="append",
        default=[],
        metavar="NAME=CSV",
        help="qualities of blocks by another method (name,gain,parameters), as unit_losses.py "
        "writes them; adds closed forms of them to every grid; may be repeated",
    )
    parser.add_argument(
        "--layerbudget", metavar="PATH", help="the tool (default: the variable LAYERBUDGET)"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="rows, JSON"
    )
    add_comparison_options(parser)
    add_text_options(parser, windows=128)
    options = parser.parse_args(arguments)
    check_model_and_text(options.model, options.text)
    return options


def named_file(text: str) -> tuple[str, Path]:
    name, separator, file = text.partition("=")
    if not (name and separator and Path(file).is_file()):
        raise argparse.ArgumentTypeError(f"{text} is not NAME=FILE of a file that is there")
    return name, Path(file)


def add_comparison_options(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--sparsities",
        type=share,
        nargs="+",
        default=[0.3, 0.5, 0.6, 0.7],
        metavar="SHARE",
        help="shares of all weights to remove (default: 0.3 0.5 0.6 0.7)",
    )
    what.add_argument(
        "--methods",
        nargs="+",
        choices=METHODS,
        default=list(METHODS),
        help="which weights of a unit go (default: all of them)",
    )
    what.add_argument(
        "--within",
        nargs="+",
        choices=WITHIN,
        default=["uniform"],
        help="how a unit's weights are shared among its matrices (default: uniform)",
    )
    what.add_argument(
        "--grid", choices=list(GRIDS), default="small", help="allocations (default: %(default)s)"
    )
    what.add_argument("--name", help="name of the model in the rows (default: its folder's)")
    what.add_argument(
        "--work", type=Path, metavar="DIR", help="keep scores and plans here, one folder per output"
    )
    what.add_argument(
        "--limit-minutes", type=float, metavar="N", help="stop before the next row after this long"
    )


def main(arguments: list[str] | None = None) -> int:
    try:
        complete = run(parse_arguments(arguments))
    except CommandError as error:
        print(f"compare_pruning: error: {error}", file=sys.stderr)
        return error.code
    return 0 if complete else EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
